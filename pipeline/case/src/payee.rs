//! Which accounts of a vendor may be paid to: one person brings an account in, the vendor is asked by a number that was on
//! file before, and another person confirms it.

use jiff::civil::Date;
use thiserror::Error;

use crate::facts::{Account, CallBack, PayeeCheck, PayeeMatch};
use crate::invoice::compact;
use crate::{Actor, Deed, Denied, permit};

/// What is done with an account of a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayeeDeed {
    /// Bring an account in, or say that one that was closed is in use again. It waits.
    Propose { bic: Option<String> },
    /// Confirm it: from this day on it may be paid to, or from the day on which it came with a new vendor.
    Confirm { call: CallBack },
    /// Nothing is paid to it after this day.
    Close,
    /// Keep what the bank said of name and account.
    Check { result: PayeeMatch },
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PayeeRefusal {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the account was changed since it was looked at; look again")]
    Stale,
    #[error("the vendor has no such account; propose it first")]
    Unknown,
    #[error("the account is approved since {since}")]
    Approved { since: Date },
    #[error("the account waits already to be confirmed by another person")]
    Waiting,
    #[error("the account was closed; propose it again first")]
    Closed,
    #[error(
        "whoever brought the account in, or kept what the bank said before, may not put a better answer in its place; another person must"
    )]
    Better,
    #[error("whoever brought an account in may not confirm it; another person must")]
    Maker,
    #[error(
        "{what} of the call-back is missing: ask the vendor by a number that was on file before, and write down who answered what"
    )]
    NoCall { what: &'static str },
    #[error("the call-back was on {on}, after today")]
    CallAhead { on: Date },
    #[error(
        "the call-back was on {on}, before the account was brought in on {since}: ask the vendor about this account"
    )]
    CallBefore { on: Date, since: Date },
    #[error("{what} has {chars} characters, more than the {max} allowed")]
    TooLong { what: &'static str, chars: usize, max: usize },
    #[error(
        "the BIC `{bic}` is not valid: it has 8 or 11 letters and digits, the fifth and sixth of them a country's letters"
    )]
    NoBic { bic: String },
    #[error("the IBAN is not valid: its length or check digits are wrong for its country")]
    NoIban,
}

const CHARS_MAX: usize = 500;

/// May this person confirm the account as it stands? What they write of the call is looked at by [`payee`].
pub fn may_confirm(account: &Account, by: &Actor) -> Result<(), PayeeRefusal> {
    permit(by, Deed::ConfirmPayee)?;
    match (account.approved_from, account.approved_to, &account.checker) {
        (Some(since), None, Some(_)) => return Err(PayeeRefusal::Approved { since }),
        // One that was closed was not proposed again by anybody.
        (_, Some(_), _) => return Err(PayeeRefusal::Closed),
        // One that came with a new vendor is approved on one person's word, and a second one may vouch for it.
        (None, None, _) | (Some(_), None, None) => {}
    }
    // INVARIANT (four eyes): the checker is another person than the maker.
    if account.maker == by.id { Err(PayeeRefusal::Maker) } else { Ok(()) }
}

/// The account as it is afterwards. `before` is how it is known, if it is; `stale` says that the person looked at it, and at
/// what is shown beside it, as it is no more.
pub fn payee(
    vendor: &str,
    iban: &str,
    before: Option<&Account>,
    stale: bool,
    deed: PayeeDeed,
    by: &Actor,
    today: Date,
) -> Result<Account, PayeeRefusal> {
    permit(by, if matches!(deed, PayeeDeed::Confirm { .. }) { Deed::ConfirmPayee } else { Deed::ProposePayee })?;
    let known = || before.cloned().ok_or(PayeeRefusal::Unknown);
    if stale {
        return Err(PayeeRefusal::Stale);
    }
    match deed {
        PayeeDeed::Propose { bic } => {
            if compact(iban).parse::<iban::Iban>().is_err() {
                return Err(PayeeRefusal::NoIban);
            }
            let bic = bic.map(|bic| compact(&bic));
            if let Some(bic) = bic.as_ref().filter(|bic| !is_bic(bic)) {
                return Err(PayeeRefusal::NoBic { bic: bic.chars().take(BIC_CHARS_SHOWN).collect() });
            }
            match before {
                Some(Account { approved_from: Some(since), approved_to: None, .. }) => {
                    return Err(PayeeRefusal::Approved { since: *since });
                }
                Some(account) if account.waits() => return Err(PayeeRefusal::Waiting),
                Some(_) | None => {}
            }
            Ok(Account {
                vendor_id: vendor.to_owned(),
                iban: compact(iban),
                bic,
                approved_from: None,
                approved_to: None,
                proposed_on: Some(today),
                maker: by.id.clone(),
                checker: None,
                call: None,
                payee_check: before.and_then(|it| it.payee_check.clone()),
            })
        }
        PayeeDeed::Confirm { call } => {
            let account = known()?;
            may_confirm(&account, by)?;
            for (what, text) in
                [("the number", &call.number), ("the person", &call.spoke_with), ("the answer", &call.answer)]
            {
                let chars = text.chars().count();
                if text.trim().is_empty() {
                    return Err(PayeeRefusal::NoCall { what });
                }
                if CHARS_MAX < chars {
                    return Err(PayeeRefusal::TooLong { what, chars, max: CHARS_MAX });
                }
            }
            if today < call.on {
                return Err(PayeeRefusal::CallAhead { on: call.on });
            }
            if let Some(since) = account.proposed_on.filter(|since| call.on < *since) {
                return Err(PayeeRefusal::CallBefore { on: call.on, since });
            }
            let (checker, from) = (Some(by.id.clone()), account.approved_from.unwrap_or(today));
            Ok(Account { approved_from: Some(from), approved_to: None, checker, call: Some(call), ..account })
        }
        PayeeDeed::Close => {
            let account = known()?;
            // From now on, not from tomorrow.
            let last = today.yesterday().unwrap_or(today);
            Ok(Account { approved_to: Some(account.approved_to.map_or(last, |to| to.min(last))), ..account })
        }
        PayeeDeed::Check { result } => {
            let account = known()?;
            let weight = |result: PayeeMatch| PayeeMatch::ALL.iter().position(|it| *it == result);
            let better = |before: &&PayeeCheck| weight(result) < weight(before.result);
            if let Some(before) = account.payee_check.as_ref().filter(better)
                && (before.by == by.id || account.maker == by.id)
            {
                return Err(PayeeRefusal::Better);
            }
            Ok(Account { payee_check: Some(PayeeCheck { result, on: today, by: by.id.clone() }), ..account })
        }
    }
}

/// Of what is no BIC, so much is said again.
const BIC_CHARS_SHOWN: usize = 20;

/// A business identifier code (ISO 9362): party, country, suffix of the party, and maybe a branch.
fn is_bic(bic: &str) -> bool {
    let country = bic.get(4..6).is_some_and(|it| it.bytes().all(|it| it.is_ascii_uppercase()));
    country && matches!(bic.len(), 8 | 11) && bic.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{ActorKind, Role};

    const IBAN: &str = "DE75 5121 0800 1245 1261 99";

    fn person(id: &str, role: Role) -> Actor {
        Actor { id: id.into(), kind: ActorKind::User, roles: vec![role], level: 2 }
    }

    fn today() -> Date {
        "2026-06-15".parse().unwrap()
    }

    fn call() -> CallBack {
        CallBack { number: "+49 40 1".into(), spoke_with: "Ms Berg".into(), answer: "yes".into(), on: today() }
    }

    fn proposed() -> Account {
        payee("V1", IBAN, None, false, PayeeDeed::Propose { bic: None }, &person("maker", Role::Reviewer), today())
            .unwrap()
    }

    #[test]
    fn an_account_may_be_paid_to_from_the_day_on_which_a_second_person_confirms_it_after_asking() {
        let waiting = proposed();
        assert!(!waiting.approved_on(today()));
        let confirm = PayeeDeed::Confirm { call: call() };
        let checker = person("checker", Role::Reviewer);
        let account = payee("V1", IBAN, Some(&waiting), false, confirm, &checker, today()).unwrap();
        assert!(account.approved_on(today()) && !account.approved_on(today().yesterday().unwrap()));
        assert_eq!((account.maker.as_str(), account.checker.as_deref()), ("maker", Some("checker")));
        let closed = payee("V1", IBAN, Some(&account), false, PayeeDeed::Close, &checker, today()).unwrap();
        assert!(!closed.approved_on(today()), "from now on");
        let again = PayeeDeed::Confirm { call: call() };
        assert_eq!(payee("V1", IBAN, Some(&closed), false, again, &checker, today()), Err(PayeeRefusal::Closed));
        let again = PayeeDeed::Propose { bic: None };
        let waiting = payee("V1", IBAN, Some(&closed), false, again, &checker, today()).unwrap();
        assert_eq!((waiting.maker.as_str(), waiting.approved_on(today())), ("checker", false));
    }

    #[test]
    fn an_account_that_came_with_a_new_vendor_is_confirmed_by_a_second_person_once() {
        let came = Account { approved_from: "2026-06-01".parse().ok(), ..proposed() };
        let confirm = |before: &Account, by: &str| {
            let confirm = PayeeDeed::Confirm { call: call() };
            payee("V1", IBAN, Some(before), false, confirm, &person(by, Role::Reviewer), today())
        };
        assert_eq!(confirm(&came, "maker"), Err(PayeeRefusal::Maker));
        let confirmed = confirm(&came, "checker").unwrap();
        assert_eq!((confirmed.approved_from, confirmed.checker.as_deref()), (came.approved_from, Some("checker")));
        let since = came.approved_from.unwrap();
        assert_eq!(confirm(&confirmed, "third"), Err(PayeeRefusal::Approved { since }));
    }

    #[test]
    fn nobody_confirms_what_they_brought_in_nor_without_a_call_nor_a_program_at_all() {
        let waiting = proposed();
        let confirm = |call: CallBack, by: &Actor| {
            payee("V1", IBAN, Some(&waiting), false, PayeeDeed::Confirm { call }, by, today())
        };
        assert_eq!(confirm(call(), &person("maker", Role::Reviewer)), Err(PayeeRefusal::Maker));
        let checker = person("checker", Role::Reviewer);
        let silent = CallBack { answer: " ".into(), ..call() };
        assert_eq!(confirm(silent, &checker), Err(PayeeRefusal::NoCall { what: "the answer" }));
        let ahead = CallBack { on: today().tomorrow().unwrap(), ..call() };
        assert!(matches!(confirm(ahead, &checker), Err(PayeeRefusal::CallAhead { .. })));
        assert!(matches!(confirm(call(), &person("admin", Role::Admin)), Err(PayeeRefusal::Denied(_))));
        let early = CallBack { on: today().yesterday().unwrap(), ..call() };
        let since = today();
        let before = PayeeRefusal::CallBefore { on: early.on, since };
        assert_eq!(confirm(early, &checker), Err(before), "nobody could ask about it then");
        let program = Actor { kind: ActorKind::Service, ..checker };
        assert!(matches!(confirm(call(), &program), Err(PayeeRefusal::Denied(_))));
    }

    #[test]
    fn an_account_that_was_changed_since_it_was_looked_at_is_neither_confirmed_nor_closed() {
        let (waiting, checker) = (proposed(), person("checker", Role::Reviewer));
        for deed in [PayeeDeed::Confirm { call: call() }, PayeeDeed::Close] {
            let of = |stale| payee("V1", IBAN, Some(&waiting), stale, deed.clone(), &checker, today());
            assert_eq!(of(true), Err(PayeeRefusal::Stale));
            assert!(of(false).is_ok_and(|account| !account.waits()));
        }
        // Whoever may not is told so, and that is entered, whatever they looked at.
        let confirm = PayeeDeed::Confirm { call: call() };
        let refused = payee("V1", IBAN, Some(&waiting), true, confirm, &person("admin", Role::Admin), today());
        assert!(matches!(refused, Err(PayeeRefusal::Denied(_))));
    }

    #[test]
    fn a_better_answer_of_the_bank_is_kept_by_another_person() {
        let check = |result, before: &Account, by: &str| {
            payee("V1", IBAN, Some(before), false, PayeeDeed::Check { result }, &person(by, Role::Operator), today())
        };
        let none = check(PayeeMatch::None, &proposed(), "olga").unwrap();
        assert_eq!(check(PayeeMatch::Match, &none, "olga"), Err(PayeeRefusal::Better));
        assert_eq!(check(PayeeMatch::Match, &none, "maker"), Err(PayeeRefusal::Better));
        let better = check(PayeeMatch::Match, &none, "otto").unwrap();
        assert_eq!(better.payee_check.unwrap().result, PayeeMatch::Match);
    }

    #[test]
    fn an_account_is_proposed_once_and_must_be_one() {
        let by = person("maker", Role::Reviewer);
        let propose = |iban: &str, before: Option<&Account>| {
            payee("V1", iban, before, false, PayeeDeed::Propose { bic: None }, &by, today())
        };
        assert_eq!(propose(IBAN, Some(&proposed())), Err(PayeeRefusal::Waiting));
        assert_eq!(propose("DE75512108001245126198", None), Err(PayeeRefusal::NoIban));
        let confirm = payee("V1", IBAN, None, false, PayeeDeed::Confirm { call: call() }, &by, today());
        assert_eq!(confirm, Err(PayeeRefusal::Unknown));
        let with =
            |bic: &str| payee("V1", IBAN, None, false, PayeeDeed::Propose { bic: Some(bic.into()) }, &by, today());
        for bic in ["1", "", "COBADEFFXX", "COBA12FF", "COBADEFF-XX"] {
            assert!(matches!(with(bic), Err(PayeeRefusal::NoBic { .. })), "{bic}");
        }
        assert_eq!(with("coba de ff xxx").unwrap().bic.as_deref(), Some("COBADEFFXXX"));
        assert!(with("COBADEFF").is_ok());
    }
}
