//! Who is paid: the account that the document names, against those that two people have approved for its vendor.

use std::collections::{BTreeMap, BTreeSet};

use super::Matching;
use crate::comparison::{Comparison, Pair, Place, Test};
use crate::facts::{Account, Key, PayeeMatch, Vendor, approved};
use crate::invoice::compact;
use crate::{Code, FieldName};

pub(super) fn judge(matching: &mut Matching<'_>) {
    let invoice = matching.invoice;
    if let Some(iban) = &invoice.iban {
        employees(matching, iban);
    }
    let Some(vendor) = matching.vendor else { return };
    match &invoice.iban {
        Some(iban) => {
            other_vendors(matching, vendor, iban);
            account(matching, vendor, iban);
            country(matching, vendor, iban);
        }
        None => master_data(matching, vendor),
    }
}

/// INVARIANT (equality is not safety): an account is safe because it is approved on this day, never because it is known.
fn account(matching: &mut Matching<'_>, vendor: &Vendor, iban: &str) {
    let (known, today) = (matching.known, matching.today);
    let id = &vendor.vendor_id;
    let accounts: Vec<&Account> = known.accounts(&Key::accounts_of(id)).collect();
    let all = listed(&accounts);
    let at = [matching.field(FieldName::Iban)];
    let among = |code, rule: &str, name: &str, list: &str| {
        Comparison::new(code, rule, Test::OneOf { value: "found".into(), among: name.into() }).from(
            name,
            if list.is_empty() { "no account" } else { list },
            Some(Place::Fact(format!("accounts of vendor {id}"))),
        )
    };
    let of_vendor =
        among(Code::BankNew, "match.iban", "known", &all).from("found", iban, matching.place(FieldName::Iban));
    let is_known = of_vendor.code().is_none();
    matching.compare_at(of_vendor, &at, || {
        let all = if all.is_empty() { "no account" } else { &all };
        format!("the invoice asks for payment to {iban}, vendor {id} is known with {all}")
    });
    if !is_known {
        return;
    }
    let approved = listed(&approved(known, id, today));
    let comparison = among(Code::BankPending, "match.iban_approved", "approved", &approved)
        .from("found", iban, matching.place(FieldName::Iban))
        .with("on", today);
    matching.compare_at(comparison, &at, || {
        format!("the account {iban} of vendor {id} is not approved on {today}: a change of it waits for two people")
    });
    // Versions of one account agree, or the one that says least good of it counts.
    let checks = accounts.iter().filter(|it| compact(&it.iban) == iban).filter_map(|it| it.payee_check.clone());
    let Some(check) = checks.max_by_key(|check| weight(check.result)) else { return };
    let code = match check.result {
        PayeeMatch::Match | PayeeMatch::None => Code::PayeeMismatch,
        PayeeMatch::Close => Code::PayeeClose,
        PayeeMatch::Unavailable => Code::PayeeUnchecked,
    };
    let test = Test::Same { left: "result".into(), right: "expected".into() };
    let comparison = Comparison::new(code, "match.payee", test)
        .from("result", check.result.name(), Some(Place::Fact(format!("account {iban} of vendor {id}"))))
        .with("expected", PayeeMatch::Match.name())
        .with("checked_on", check.on)
        .from("found", iban, matching.place(FieldName::Iban));
    matching.compare_at(comparison, &at, || {
        let said = match check.result {
            PayeeMatch::Close => "the name nearly matches",
            PayeeMatch::Unavailable => "it could not compare the name",
            PayeeMatch::Match | PayeeMatch::None => "the name does not match",
        };
        format!("asked on {} about account {iban} of vendor {id}, the bank said that {said}", check.on)
    });
}

fn weight(result: PayeeMatch) -> u8 {
    match result {
        PayeeMatch::Match => 0,
        PayeeMatch::Unavailable => 1,
        PayeeMatch::Close => 2,
        PayeeMatch::None => 3,
    }
}

/// Each account once, in an order of its own.
fn listed(accounts: &[&Account]) -> String {
    let ibans: BTreeSet<String> = accounts.iter().map(|account| compact(&account.iban)).collect();
    ibans.into_iter().collect::<Vec<_>>().join(",")
}

/// The document names no account, so the ledger pays to one of its own master data.
fn master_data(matching: &mut Matching<'_>, vendor: &Vendor) {
    let id = &vendor.vendor_id;
    let accounts: Vec<&Account> = matching.known.accounts(&Key::accounts_of(id)).collect();
    let place = Some(Place::Fact(format!("accounts of vendor {id}")));
    if accounts.is_empty() {
        return unseen(matching, id, place);
    }
    let (all, approved) = (listed(&accounts), listed(&approved(matching.known, id, matching.today)));
    let test = Test::There { value: "approved".into() };
    let comparison = Comparison::new(Code::BankPending, "match.iban_approved", test)
        .from("approved", approved, place)
        .with("known", &all)
        .with("on", matching.today);
    let today = matching.today;
    matching.compare(comparison, || {
        format!("the invoice names no account, and of vendor {id} none is approved on {today}, only known: {all}")
    });
}

/// Nothing says here where the money goes: the ledger pays by its own master data, which may be right and was not checked. A
/// note says so and no more, because where no accounts are brought in, each invoice without one would wait for two people,
/// and soon they would approve them unseen. A credit note is paid to nobody.
fn unseen(matching: &mut Matching<'_>, vendor: &str, place: Option<Place>) {
    if matching.invoice.credit {
        return;
    }
    let comparison = Comparison::new(Code::AccountUnseen, "match.iban_known", Test::There { value: "known".into() });
    matching.compare(comparison.from("known", "", place), || {
        format!("the invoice names no account, and none of vendor {vendor} is known here: who is paid was not checked")
    });
}

fn country(matching: &mut Matching<'_>, vendor: &Vendor, iban: &str) {
    let Some(country) = vendor.country.as_deref().map(compact).filter(|it| it.chars().count() == 2) else { return };
    let of_account: String = iban.chars().take(2).collect();
    let test = Test::Same { left: "account_country".into(), right: "country".into() };
    let comparison = Comparison::new(Code::IbanCountry, "match.iban_country", test)
        .with("account_country", of_account)
        .from("country", &country, Some(Place::Fact(format!("vendor {}", vendor.vendor_id))))
        .from("found", iban, matching.place(FieldName::Iban));
    let at = [matching.field(FieldName::Iban)];
    matching.compare_at(comparison, &at, || {
        format!("the account {iban} is not in {country}, the country of vendor {}", vendor.vendor_id)
    });
}

/// Who else is paid to an account, by the ids and with the accounts that they are known with.
fn apart(matching: &mut Matching<'_>, iban: &str, who: &str, owners: &BTreeMap<&str, String>) {
    let at = [matching.field(FieldName::Iban)];
    let pair = Pair { left: "found".into(), right: "account".into(), within: 0.into() };
    let comparison =
        |matching: &Matching<'_>| {
            Comparison::new(Code::Conflict, format!("match.iban_{who}"), Test::Apart { pairs: vec![pair.clone()] })
                .from("found", iban, matching.place(FieldName::Iban))
        };
    if owners.is_empty() {
        let nobody = comparison(matching).with("account", "nobody else's");
        matching.compare(nobody, String::new);
    }
    for (id, account) in owners {
        let shared =
            comparison(matching).with(who, id).from("account", account, Some(Place::Fact(format!("{who} {id}"))));
        matching.compare_at(shared, &at, || format!("the account {iban} is that of {who} {id} too"));
    }
}

fn employees(matching: &mut Matching<'_>, iban: &str) {
    let (known, key) = (matching.known, Key::iban(iban));
    let found = known.employees(&key);
    let owners = found.filter_map(|it| Some((it.employee_id.as_str(), compact(it.iban.as_deref()?)))).collect();
    apart(matching, iban, "employee", &owners);
}

/// Records of one legal person may share an account; different persons do not.
fn other_vendors(matching: &mut Matching<'_>, vendor: &Vendor, iban: &str) {
    let (known, key) = (matching.known, Key::iban(iban));
    let records = known.vendors(&key).filter_map(|it| Some((it.vendor_id.as_str(), compact(it.iban.as_deref()?))));
    let accounts = known.accounts(&key).map(|it| (it.vendor_id.as_str(), compact(&it.iban)));
    let mut owners: BTreeMap<&str, String> = records.chain(accounts).collect();
    owners.retain(|id, _| {
        let owner = Key::vendor(id);
        let rows = known.vendors(&owner).chain(known.vendors(&key)).filter(|it| Key::vendor(&it.vendor_id) == owner);
        owner != Key::vendor(&vendor.vendor_id) && !rows.into_iter().any(|it| one_person(vendor, it))
    });
    apart(matching, iban, "vendor", &owners);
}

fn one_person(left: &Vendor, right: &Vendor) -> bool {
    let same = |left: &Option<String>, right: &Option<String>| {
        let both = left.as_deref().map(compact).zip(right.as_deref().map(compact));
        both.is_some_and(|(left, right)| !left.is_empty() && left == right)
    };
    same(&left.vat_id, &right.vat_id) || same(&left.tax_id, &right.tax_id)
}

#[cfg(test)]
mod tests;
