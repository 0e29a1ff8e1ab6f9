//! Accounts of vendors and policies that wait for a second person, decided at the desk.

use crate::browser::{Answer, Browser};
use crate::{Office, fixture};
use case::{Account, Actor, Fact, FactKind, Key, PayeeCheck, PayeeDeed, PayeeMatch, Policy, Role, Timestamp, Vendor};
use store::{Period, PolicyStanding};

const IBAN: &str = "DE89370400440532013000";
const OTHER: &str = "DE75512108001245126199";

impl Office {
    async fn person(&self, name: &str) -> Actor {
        self.store.person(name).await.unwrap()
    }

    /// Somebody who may propose a policy and be the second person for others.
    async fn both(&self) {
        self.workspace.person("both", &[Role::Admin, Role::Reviewer], 2).await;
    }

    /// Brings a vendor in with this account.
    async fn vendor(&self, id: &str, iban: &str, by: &str) {
        let vendor = Vendor {
            vendor_id: id.to_owned(),
            name: format!("Kübler {id} GmbH"),
            vat_id: None,
            tax_id: None,
            country: Some("DE".to_owned()),
            iban: Some(iban.to_owned()),
            bic: None,
            group: None,
            valid_from: Some("2026-06-01".parse().unwrap()),
        };
        let by = self.person(by).await;
        self.store.import(FactKind::Vendors, &[Fact::Vendor(vendor)], &by, self.workspace.now).await.unwrap();
    }

    /// A vendor whose account was changed: the new one waits.
    async fn changed_vendor(&self, by: &str) {
        self.vendor("V1", IBAN, "admin").await;
        self.vendor("V1", OTHER, by).await;
    }

    async fn known_vendor(&self, id: &str) -> Vendor {
        let found = self.store.facts_by_key(&Key::vendor(id), None).await.unwrap();
        let mut vendors = found.into_iter().filter_map(|it| match it.fact {
            Fact::Vendor(vendor) => Some(vendor),
            _ => None,
        });
        vendors.next().unwrap()
    }

    async fn account(&self, iban: &str) -> Account {
        let found = self.store.facts_by_key(&Key::iban(iban), None).await.unwrap();
        let mut accounts = found.into_iter().filter_map(|it| match it.fact {
            Fact::Account(account) => Some(account),
            _ => None,
        });
        accounts.next().unwrap()
    }

    /// How often the log says that this was done, and that it was denied.
    async fn entered(&self, act: &str) -> (u64, u64) {
        self.store.seal_log(fixture::clock()).await.unwrap();
        let auditor = self.person("auditor").await;
        let today = self.workspace.now.date();
        let period = Period { from: today.yesterday().unwrap(), to: today.tomorrow().unwrap() };
        let report = self.store.report(period, &auditor, fixture::clock()).await.unwrap();
        let n = |result: &str| {
            let tallies = report.acts.iter().filter(|it| it.act == act && it.result == result);
            tallies.map(|it| it.entries).sum()
        };
        (n("ok"), n("denied"))
    }
}

/// Says what came of the call, from the page as it was shown.
async fn confirm(browser: &Browser, page: &Answer, more: &[(&str, &str)]) -> Answer {
    let seen = [page.hidden("vendor"), page.hidden("iban"), page.hidden("seen")];
    send_confirm(browser, &seen, more).await
}

async fn send_confirm(browser: &Browser, [vendor, iban, seen]: &[String; 3], more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("vendor", vendor.as_str()),
        ("iban", iban.as_str()),
        ("seen", seen.as_str()),
        ("deed", "confirm"),
        ("called", "+49 40 123456"),
        ("spoke_with", "Ms Berg"),
        ("answer", "changed banks in May"),
        ("on", ""),
    ];
    form.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    form.extend(more);
    browser.post("/bank-accounts", &form).await
}

#[tokio::test]
async fn a_second_person_confirms_a_bank_account_after_a_call_and_the_log_says_so() {
    let office = Office::open().await;
    office.changed_vendor("operator").await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get("/bank-accounts").await;
    let text = page.text();
    for what in [
        "Kübler V1 GmbH (V1)",
        "DE75 5121 0800 1245 1261 99",
        "<dt>Brought in by</dt><dd><b>operator</b>",
        "<dt>Valid from</dt><dd><b>1 Jun 2026</b>",
        "<dt>Waits since</dt>",
        "it was not asked",
        "DE89 3704 0044 0532 0130 00 · 1 Jun 2026 –",
        "Bank accounts <span class=\"count\" title=\"Waiting\">1</span>",
    ] {
        assert!(text.contains(what), "no `{what}` in {text}");
    }
    let answer = confirm(&reviewer, &page, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/bank-accounts?done=confirm"), "{}", answer.text());
    let after = reviewer.get(answer.header("location")).await.text();
    assert!(after.contains("may be paid to from today") && after.contains("No account waits"), "{after}");
    assert!(!after.contains("class=\"count\" title"), "{after}");

    let account = office.account(OTHER).await;
    assert!(account.approved_on(office.workspace.now.date()));
    assert_eq!(account.checker.as_ref(), Some(&office.person("reviewer").await.id));
    let call = account.call.unwrap();
    assert_eq!((call.number.as_str(), call.spoke_with.as_str()), ("+49 40 123456", "Ms Berg"));
    assert_eq!((call.answer.as_str(), call.on), ("changed banks in May", fixture::clock().date()));
    assert_eq!(office.entered("payee.confirm").await, (1, 0));
}

#[tokio::test]
async fn whoever_brought_a_bank_account_in_is_told_why_somebody_else_must_confirm_it() {
    let office = Office::open().await;
    office.both().await;
    office.changed_vendor("both").await;
    let maker = office.browser.signed_in("both").await;
    let page = maker.get("/bank-accounts").await;
    let text = page.text();
    assert!(text.contains("You brought this account in") && !text.contains("value=\"confirm\""), "{text}");
    let answer = confirm(&maker, &page, &[]).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(!answer.text().contains("value=\"confirm\"") && office.account(OTHER).await.waits());
    assert_eq!(office.entered("payee.confirm").await, (0, 1));
}

#[tokio::test]
async fn each_role_does_with_a_waiting_account_what_the_table_of_permissions_says() {
    let office = Office::open().await;
    office.changed_vendor("admin").await;
    let waiting = office.store.accounts_waiting(0, 1).await.unwrap();
    let seen = ["V1".to_owned(), OTHER.to_owned(), waiting[0].content().to_string()];
    // Who: the page, the form to confirm, the button to refuse, a forged confirmation. Accounts are in no auditor's scope.
    for (name, page, confirm, close, forged) in [
        ("operator", 200, false, true, 403),
        ("legal", 403, false, false, 403),
        ("auditor", 403, false, false, 403),
        ("admin", 200, false, true, 403),
        ("reviewer", 200, true, true, 303),
    ] {
        let browser = office.browser.signed_in(name).await;
        let answer = browser.get("/bank-accounts").await;
        assert_eq!(answer.status, page, "{name}");
        let text = answer.text();
        assert_eq!(text.contains("value=\"confirm\""), confirm, "{name}");
        assert_eq!(text.contains("value=\"close\""), close, "{name}");
        let told = text.contains("Confirming an account is not yours to do. It needs: reviewer.");
        assert_eq!(told, page == 200 && !confirm, "{name}");
        let linked = browser.get("/log").await.text() + &browser.get("/").await.text();
        assert_eq!(linked.contains("href=\"/bank-accounts\""), page == 200, "{name}");
        let answer = send_confirm(&browser, &seen, &[]).await;
        assert_eq!(answer.status, forged, "{name}");
        assert_eq!(answer.text().contains("DE75 5121"), page == 200 && forged == 403, "{name}");
    }
    assert!(!office.account(OTHER).await.waits());
    assert_eq!(office.entered("payee.confirm").await, (1, 2), "the others did not come so far");
}

#[tokio::test]
async fn a_bank_account_that_was_changed_since_it_was_looked_at_is_refused_and_shown_anew() {
    let office = Office::open().await;
    office.changed_vendor("admin").await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let old = reviewer.get("/bank-accounts").await;
    let check = PayeeDeed::Check { result: PayeeMatch::None };
    let operator = office.person("operator").await;
    office.store.payee("V1", OTHER, check, None, &operator, fixture::clock()).await.unwrap();
    for deed in ["confirm", "close"] {
        let answer = confirm(&reviewer, &old, &[("deed", deed)]).await;
        assert_eq!(answer.status, 409, "{deed}");
        let text = answer.text();
        assert!(text.contains("Somebody else changed this account") && text.contains("they do not match"), "{text}");
        assert!(!text.contains("Ms Berg"), "what was typed was about another state: {text}");
    }
    let account = office.account(OTHER).await;
    assert!(account.waits() && matches!(account.payee_check, Some(PayeeCheck { result: PayeeMatch::None, .. })));

    // What stands beside it counts as well: the vendor is called otherwise by now.
    let old = reviewer.get("/bank-accounts").await;
    let mut vendor = office.known_vendor("V1").await;
    vendor.name = "Kuebler Holding".to_owned();
    let admin = office.person("admin").await;
    office.store.import(FactKind::Vendors, &[Fact::Vendor(vendor)], &admin, fixture::clock()).await.unwrap();
    let answer = confirm(&reviewer, &old, &[]).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("Kuebler Holding") && office.account(OTHER).await.waits());

    // The other reviewer was quicker.
    let page = reviewer.get("/bank-accounts").await;
    let senior = office.browser.signed_in("senior").await;
    assert_eq!(confirm(&senior, &page, &[("deed", "close")]).await.header("location"), "/bank-accounts?done=close");
    assert_eq!(confirm(&reviewer, &page, &[]).await.status, 409);
    assert!(!office.account(OTHER).await.approved_on(fixture::clock().date()));
}

#[tokio::test]
async fn a_call_that_is_not_wholly_written_down_is_refused_and_what_was_typed_is_kept() {
    let office = Office::open().await;
    office.changed_vendor("admin").await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get("/bank-accounts").await;
    let tomorrow = fixture::clock().date().tomorrow().unwrap().to_string();
    let long = "x".repeat(501);
    for (field, value, said) in [
        ("called", " ", "are all needed"),
        ("spoke_with", "", "are all needed"),
        ("answer", "", "are all needed"),
        ("answer", long.as_str(), "501 / 500"),
        ("on", tomorrow.as_str(), "cannot be after today"),
    ] {
        let answer = confirm(&reviewer, &page, &[(field, value)]).await;
        assert_eq!(answer.status, 422, "{field}");
        let text = answer.text();
        assert!(text.contains(said) && text.contains("<details class=\"decide\" open>"), "{field}: {text}");
        let kept = if field == "spoke_with" { "value=\"&#43;49 40 123456\"" } else { "value=\"Ms Berg\"" };
        assert!(text.contains(kept) || text.contains(&kept.replace("&#43;", "+")), "{field}: {text}");
    }
    for wrong in [("on", "soon"), ("seen", "x"), ("deed", "check")] {
        assert_eq!(confirm(&reviewer, &page, &[wrong]).await.status, 400, "{wrong:?}");
    }
    assert!(office.account(OTHER).await.waits());
}

#[tokio::test]
async fn waiting_accounts_stand_in_the_order_they_came_twenty_on_a_page() {
    let office = Office::open().await;
    let admin = office.person("admin").await;
    for n in 1..=21 {
        let (vendor, days) = (format!("V{n:02}"), 21 - n);
        office.vendor(&vendor, IBAN, "admin").await;
        let at = Timestamp(office.workspace.now.0 - days * 24 * 3_600_000_000);
        let propose = PayeeDeed::Propose { bic: None };
        office.store.payee(&vendor, OTHER, propose, None, &admin, at).await.unwrap();
    }
    // What the bank says of it puts nothing at the end again.
    let check = PayeeDeed::Check { result: PayeeMatch::Close };
    office.store.payee("V01", OTHER, check, None, &admin, fixture::clock()).await.unwrap();
    let reviewer = office.browser.signed_in("reviewer").await;
    let first = reviewer.get("/bank-accounts").await.text();
    let place = |vendor: &str| first.find(&format!("({vendor})"));
    assert!(place("V01").is_some() && place("V01") < place("V02") && place("V02") < place("V20"), "{first}");
    assert!(place("V21").is_none() && first.contains("1 / 2") && first.contains("?page=2\" rel=\"next\""), "{first}");
    let second = reviewer.get("/bank-accounts?page=2").await.text();
    assert!(second.contains("(V21)") && !second.contains("(V20)") && second.contains("rel=\"prev\""), "{second}");
    assert!(reviewer.get("/bank-accounts?page=99999").await.text().contains("(V21)"), "the last page there is");
    assert!(first.contains("<span class=\"count\" title=\"Waiting\">21</span>"));
}

// --- Policies ------------------------------------------------------------------------------------------------------

type Read = (Policy, [String; 3]);

/// The shipped policy, with another tolerance of price.
fn policy_within(percent: &str) -> Read {
    let within = format!("upper_percent = \"{percent}\"");
    let texts = fixture::POLICIES.map(|text| text.replace("upper_percent = \"2\"", &within));
    (Policy::parse(texts.each_ref().map(String::as_str)).unwrap(), texts)
}

impl Office {
    async fn load(&self, (policy, texts): &Read) -> PolicyStanding {
        let (texts, system) = (texts.each_ref().map(String::as_str), Actor::system("test"));
        self.store.policy_loaded(policy, texts, &system, fixture::clock()).await.unwrap()
    }

    async fn propose(&self, (policy, texts): &Read, by: &str) {
        let (texts, by) = (texts.each_ref().map(String::as_str), self.person(by).await);
        self.store.propose_policy(policy, texts, &by, fixture::clock()).await.unwrap();
    }
}

async fn approve(browser: &Browser, page: &Answer) -> Answer {
    let (digest, over) = (page.hidden("digest"), page.hidden("over"));
    browser.post("/policy", &[("digest", &digest), ("over", &over)]).await
}

#[tokio::test]
async fn a_second_person_of_level_2_approves_a_policy_by_what_it_loosens_and_the_log_says_so() {
    let office = Office::open().await;
    let (tight, loose) = (policy_within("1"), policy_within("2"));
    office.load(&tight).await;
    let senior = office.browser.signed_in("senior").await;
    let text = senior.get("/policy").await.text();
    assert!(text.contains("No policy waits") && text.contains("nobody had to"), "{text}");
    assert!(text.contains(&tight.0.digest.to_string()), "{text}");

    office.propose(&loose, "admin").await;
    let page = senior.get("/policy").await;
    let text = page.text();
    for sentence in loose.0.looser_than(&tight.0) {
        let first: String = sentence.chars().take_while(|ch| ch.is_alphanumeric() || *ch == ' ').collect();
        assert!(text.contains(first.trim()), "no `{sentence}` in {text}");
    }
    assert!(text.contains("<dt>Proposed by</dt><dd><b>admin</b>"), "{text}");
    assert!(text.contains("Policy <span class=\"count\" title=\"Waiting\">1</span>"), "{text}");
    let answer = approve(&senior, &page).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/policy?done=approved"), "{}", answer.text());
    assert_eq!(office.entered("policy.approve").await, (1, 0));
    assert_eq!(approve(&office.browser.signed_in("legal").await, &page).await.status, 409, "it is approved already");

    assert_eq!(office.load(&loose).await, PolicyStanding::InForce);
    let text = senior.get("/policy").await.text();
    assert!(text.contains("No policy waits") && text.contains(&loose.0.digest.to_string()), "{text}");
    assert!(text.contains("<b>admin</b>") && text.contains("<dt>Approved by</dt><dd><b>senior</b>"), "{text}");
    let faults = office.store.check(false, None, fixture::clock()).await.unwrap().faults;
    assert!(faults.is_empty(), "{faults:?}");
}

#[tokio::test]
async fn who_may_not_approve_a_policy_is_told_why_and_an_operator_does_not_see_it() {
    let office = Office::open().await;
    office.both().await;
    office.load(&policy_within("1")).await;
    office.propose(&policy_within("2"), "both").await;
    let shown = office.browser.signed_in("senior").await.get("/policy").await;
    for (name, why, denied) in [
        ("both", "You proposed this policy", "policy.approve"),
        ("reviewer", "needs a person of level 2", "policy.approve"),
        ("auditor", "It needs: reviewer / legal.", "review.denied"),
        ("admin", "It needs: reviewer / legal.", "review.denied"),
    ] {
        let browser = office.browser.signed_in(name).await;
        let text = browser.get("/policy").await.text();
        assert!(text.contains(why) && !text.contains("Approve the policy"), "{name}: {text}");
        let (_, before) = office.entered(denied).await;
        let answer = approve(&browser, &shown).await;
        assert_eq!((answer.status, answer.text().contains(why)), (403, true), "{name}");
        assert_eq!(office.entered(denied).await.1, before + 1, "{name}");
    }
    let operator = office.browser.signed_in("operator").await;
    let answer = operator.get("/policy").await;
    assert_eq!(answer.status, 403);
    assert!(!answer.text().contains(&shown.hidden("digest")) && approve(&operator, &shown).await.status == 403);
    assert!(!operator.get("/").await.text().contains("href=\"/policy\""));
    assert_eq!(office.entered("policy.approve").await, (0, 2));
}

#[tokio::test]
async fn a_policy_is_not_approved_on_a_page_that_compared_it_with_another_one() {
    let office = Office::open().await;
    let (loose, tighter) = (policy_within("2"), policy_within("0.5"));
    office.load(&policy_within("1")).await;
    office.propose(&loose, "admin").await;
    let senior = office.browser.signed_in("senior").await;
    let old = senior.get("/policy").await;
    office.load(&tighter).await;
    let answer = approve(&senior, &old).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("Another policy came into force"), "{}", answer.text());
    // Proposed anew it loosens more than that page said.
    office.propose(&loose, "admin").await;
    assert_eq!(approve(&senior, &old).await.status, 409);
    assert_eq!(office.entered("policy.approve").await, (0, 0));
    assert!(matches!(office.load(&loose).await, PolicyStanding::Waits { .. }));
    let page = senior.get("/policy").await;
    assert_eq!(approve(&senior, &page).await.status, 303);
    let unknown = [("digest", "0"), ("over", "0")];
    assert_eq!(senior.post("/policy", &unknown).await.status, 404);
}

#[tokio::test]
async fn the_pages_for_second_persons_speak_three_languages_and_keep_other_sites_out() {
    let office = Office::open().await;
    office.changed_vendor("admin").await;
    let mut senior = office.browser.signed_in("senior").await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for path in ["/bank-accounts", "/policy"] {
        assert_eq!(senior.send("POST", path, &[form, ("origin", "https://evil.example")], "").await.status, 403);
        assert_eq!(office.browser.get(path).await.status, 303, "nobody is signed in");
        assert_eq!(office.browser.post(path, &[]).await.status, 303);
        let text = senior.get(path).await.text();
        assert!(!text.contains("style=") && text.matches("<script").count() == 1, "{text}");
    }
    let cookie = senior.cookie.clone();
    for (language, accounts, policy) in
        [("de", "<h1>Bankkonten</h1>", "<h1>Richtlinie</h1>"), ("zh", "<h1>银行账户</h1>", "<h1>策略</h1>")]
    {
        senior.cookie = format!("{cookie}; language={language}");
        assert!(senior.get("/bank-accounts").await.text().contains(accounts));
        assert!(senior.get("/policy").await.text().contains(policy));
    }
}
