//! camt.053, ISO 20022 bank to customer statement (`BkToCstmrStmt`), versions 001.02 and later.

use std::collections::BTreeSet;

use case::Decimal;
use jiff::civil::Date;
use roxmltree::Node;

use super::{Balances, Entry, NoStatement, account, balanced, counted, in_range, once, reference, remittance};
use crate::values::{currency, decimal, machine_date};
use crate::{Unreadable, xml};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";

pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Balances>, Vec<Entry>), NoStatement> {
    let text = xml::decode(bytes)?;
    let document = xml::parse(&text, "XML document")?;
    // It may lie in an envelope with a header.
    let message = document.descendants().find(|it| {
        it.tag_name().name() == "BkToCstmrStmt" && it.tag_name().namespace().is_some_and(|it| it.starts_with(NAMESPACE))
    });
    let Some(message) = message else {
        let tag = document.root_element().tag_name();
        let namespace = tag.namespace().unwrap_or_default();
        let root = format!("{{{namespace}}}{}", tag.name()).chars().take(80).collect();
        return Err(Unreadable::UnknownXml { root }.into());
    };
    let (mut balances, mut entries, mut before) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (idx, statement) in xml::all(message, "Stmt").into_iter().enumerate() {
        let place = format!("statement {}", idx + 1);
        let own = first_account(statement, "Acct/Id").unwrap_or_default();
        let (mut sum, first) = (Decimal::ZERO, entries.len());
        for (position, entry) in xml::all(statement, "Ntry").into_iter().enumerate() {
            let Some(amount) = read_entry(entry, &own, &format!("{place}, entry {}", position + 1), &mut entries)?
            else {
                continue;
            };
            sum = sum.saturating_add(amount);
            counted(entries.len())?;
        }
        let all = xml::all(statement, "Bal");
        let stated = all.iter().map(|it| balance(*it, &place)).collect::<Result<Vec<_>, _>>()?;
        let own_entries = entries.get(first..).unwrap_or_default();
        once(&mut before, idx + 1, opening(&stated).map(|it| it.amount), own_entries)?;
        if let (Some(opening), Some(closing)) = (opening(&stated), closing(&stated)) {
            balanced(idx + 1, opening.amount, sum, closing.amount)?;
            let currency = closing.currency.clone();
            balances.push(Balances { account: own, currency, opening: opening.amount, closing: closing.amount });
        }
    }
    Ok((balances, entries))
}

/// Adds the payments of an entry, and says what it moves; `None` for what is not booked.
fn read_entry(
    entry: Node<'_, '_>,
    own: &str,
    place: &str,
    entries: &mut Vec<Entry>,
) -> Result<Option<Decimal>, NoStatement> {
    // Its status is a code, or from version 4 on an element with one. Without any it is booked, as statements are.
    let status = said(entry, "Sts/Cd").or_else(|| said(entry, "Sts/Prtry")).or_else(|| said(entry, "Sts"));
    if status.is_some_and(|it| it != "BOOK") {
        return Ok(None);
    }
    let wrong = |why: &str| NoStatement::Wrong { place: place.to_owned(), why: why.to_owned() };
    let Money { amount, currency } = money(entry, "Amt").ok_or_else(|| wrong("no amount in a currency"))?;
    // The side is that of the booking, whether it reverses another one or not.
    let out = debit(entry).ok_or_else(|| wrong("neither DBIT nor CRDT"))?;
    let date = ["BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"].iter().find_map(|path| day(entry, path));
    let date = date.ok_or_else(|| wrong("no booking date"))?;
    let signed = |amount: Decimal, out: bool| if out { -amount } else { amount };
    let of = |from: Node<'_, '_>, amount: Decimal, out: bool, reference: Option<String>| Entry {
        account: own.to_owned(),
        date,
        amount,
        currency: currency.clone(),
        iban: other_side(from, out, own),
        text: words(from, entry),
        reference,
    };
    let total = signed(amount, out);
    let bank = |node, path| said(node, path).and_then(|it| reference(&it));
    let details = xml::all(entry, "NtryDtls/TxDtls");
    let parts: Vec<(Node<'_, '_>, Decimal, bool)> = details
        .iter()
        .filter_map(|it| {
            let out = debit(*it).unwrap_or(out);
            let paths = ["Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"];
            let money = paths.iter().filter_map(|path| money(*it, path)).find(|money| money.currency == currency)?;
            Some((*it, signed(money.amount, out), out))
        })
        .collect();
    let sum = parts.iter().map(|(_, amount, _)| *amount).try_fold(Decimal::ZERO, Decimal::checked_add);
    match details.as_slice() {
        [] => entries.push(of(entry, total, out, bank(entry, "AcctSvcrRef"))),
        [one] => {
            entries.push(of(*one, total, out, bank(*one, "Refs/AcctSvcrRef").or_else(|| bank(entry, "AcctSvcrRef"))))
        }
        // Each payment of a batch is one of its own, where all say what they moved.
        several if several.len() == parts.len() && sum == Some(total) => {
            for (node, amount, out) in parts {
                entries.push(of(node, amount, out, bank(node, "Refs/AcctSvcrRef")));
                counted(entries.len())?;
            }
        }
        several => {
            let mut whole = of(entry, total, out, bank(entry, "AcctSvcrRef"));
            whole.iban = None;
            whole.text = remittance(&several.iter().map(|it| words(*it, entry)).collect::<Vec<_>>());
            entries.push(whole);
        }
    }
    Ok(Some(total))
}

struct Money {
    amount: Decimal,
    currency: String,
}

fn money(node: Node<'_, '_>, path: &str) -> Option<Money> {
    let node = xml::first(node, path)?;
    let amount = in_range(decimal(&xml::text(node))?.parse().ok()?)?;
    let currency = currency(node.attribute("Ccy")?)?;
    // The side is said beside it.
    (!amount.is_sign_negative() || amount.is_zero()).then_some(Money { amount, currency })
}

fn debit(node: Node<'_, '_>) -> Option<bool> {
    match said(node, "CdtDbtInd")?.as_str() {
        "DBIT" => Some(true),
        "CRDT" => Some(false),
        _ => None,
    }
}

fn said(node: Node<'_, '_>, path: &str) -> Option<String> {
    xml::first(node, path).map(|it| xml::text(it).trim().to_owned())
}

fn day(node: Node<'_, '_>, path: &str) -> Option<Date> {
    machine_date(&said(node, path)?)?.parse().ok()
}

fn first_account(node: Node<'_, '_>, path: &str) -> Option<String> {
    let of = |form: &str| said(node, &format!("{path}/{form}")).and_then(|it| account(&it));
    of("IBAN").or_else(|| of("Othr/Id"))
}

/// The account of who was paid, or who paid. What was reversed keeps its parties: the other side is then where we are not.
fn other_side(node: Node<'_, '_>, out: bool, own: &str) -> Option<String> {
    let creditor = || first_account(node, "RltdPties/CdtrAcct/Id");
    let debtor = || first_account(node, "RltdPties/DbtrAcct/Id");
    let sides = if out { [creditor(), debtor()] } else { [debtor(), creditor()] };
    sides.into_iter().flatten().find(|it| !it.eq_ignore_ascii_case(own))
}

/// What the payer wrote: words, and the numbers of documents and of references where they have elements of their own.
/// Where there is nothing of it, what the bank says.
fn words(node: Node<'_, '_>, entry: Node<'_, '_>) -> String {
    const PATHS: [&str; 3] = ["RmtInf/Ustrd", "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/CdtrRefInf/Ref"];
    let written: Vec<String> = PATHS.iter().flat_map(|path| xml::all(node, path)).map(xml::text).collect();
    let text = remittance(&written);
    if !text.is_empty() {
        return text;
    }
    let banks = said(node, "AddtlTxInf").or_else(|| said(entry, "AddtlNtryInf"));
    remittance(&banks.into_iter().collect::<Vec<_>>())
}

struct Stated {
    kind: String,
    opens: bool,
    day: Option<Date>,
    amount: Decimal,
    currency: String,
}

fn balance(node: Node<'_, '_>, place: &str) -> Result<Stated, NoStatement> {
    let wrong = |why: &str| NoStatement::Wrong { place: place.to_owned(), why: why.to_owned() };
    let Money { amount, currency } =
        money(node, "Amt").ok_or_else(|| wrong("a balance has no amount in a currency"))?;
    let negative = debit(node).ok_or_else(|| wrong("a balance is neither DBIT nor CRDT"))?;
    Ok(Stated {
        kind: said(node, "Tp/CdOrPrtry/Cd").unwrap_or_default(),
        opens: said(node, "Tp/SubTp/Cd").is_some_and(|it| it == "OIBD"),
        day: day(node, "Dt/Dt").or_else(|| day(node, "Dt/DtTm")),
        amount: if negative { -amount } else { amount },
        currency,
    })
}

/// What was booked before the first line: opening, closing of the day before, or of the page before. A statement of several
/// days may have one for each.
fn opening(stated: &[Stated]) -> Option<&Stated> {
    let first = |kind: &str| stated.iter().filter(|it| it.kind == kind).min_by_key(|it| it.day);
    first("OPBD").or_else(|| first("PRCD")).or_else(|| stated.iter().find(|it| it.kind == "ITBD" && it.opens))
}

fn closing(stated: &[Stated]) -> Option<&Stated> {
    let last = stated.iter().filter(|it| it.kind == "CLBD").max_by_key(|it| it.day);
    last.or_else(|| stated.iter().rfind(|it| it.kind == "ITBD" && !it.opens))
}
