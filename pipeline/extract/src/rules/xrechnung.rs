//! XRechnung 3.0 (KoSIT): BR-DE, with its temporary rules (BR-DE-TMP, BR-TMP) and the rules of Peppol that it takes over.
//! What only its Extension and its variant for clean vehicles ask is in [`variants`].

pub(super) mod variants;

#[cfg(test)]
mod tests;

use roxmltree::Node;

use super::model::{Bg, Bt, Group, Model, Syntax, raw, text};
use super::path::{any, first, named, nodes};
use super::{Check::*, Rule, peppol, rule};

/// BT-24 of the standard itself; those of its Extension and its variants follow upon it.
pub(super) const CIUS: &str = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0";

/// Told by BT-24. Older versions and variants are XRechnung too: BR-DE-21 then says that the version is another.
pub(super) fn applies(model: &Model<'_, '_>) -> bool {
    model.text(Bg::Document, Bt(24)).to_ascii_lowercase().contains("xrechnung")
}

pub(super) const RULES: &[Rule] = &[
    rule!("BR-DE-1", ["BG-16"], "an invoice shall have payment instructions", Document(|it| it.any(Bg::Payment))),
    rule!(
        "BR-DE-2",
        ["BG-6"],
        "the seller shall have a contact",
        Each(Bg::Seller, |model, it| model.inside(it, Bg::SellerContact).next().is_some())
    ),
    rule!("BR-DE-3", ["BT-37"], "the seller's address shall have a city", Filled(Bg::SellerAddress, &[Bt(37)])),
    rule!("BR-DE-4", ["BT-38"], "the seller's address shall have a post code", Filled(Bg::SellerAddress, &[Bt(38)])),
    rule!(
        "BR-DE-5",
        ["BT-41"],
        "the seller's contact shall name a person or department",
        Each(Bg::SellerContact, |_, it| it.nodes(Bt(41)).any(|it| !text(it).is_empty()))
    ),
    rule!(
        "BR-DE-6",
        ["BT-42"],
        "the seller's contact shall have a telephone number",
        Filled(Bg::SellerContact, &[Bt(42)])
    ),
    rule!(
        "BR-DE-7",
        ["BT-43"],
        "the seller's contact shall have an email address",
        Filled(Bg::SellerContact, &[Bt(43)])
    ),
    rule!("BR-DE-8", ["BT-52"], "the buyer's address shall have a city", Filled(Bg::BuyerAddress, &[Bt(52)])),
    rule!("BR-DE-9", ["BT-53"], "the buyer's address shall have a post code", Filled(Bg::BuyerAddress, &[Bt(53)])),
    rule!("BR-DE-10", ["BT-77"], "an address of delivery shall have a city", Filled(Bg::DeliveryAddress, &[Bt(77)])),
    rule!(
        "BR-DE-11",
        ["BT-78"],
        "an address of delivery shall have a post code",
        Filled(Bg::DeliveryAddress, &[Bt(78)])
    ),
    rule!(
        "BR-DE-14",
        ["BT-119"],
        "each group of the VAT breakdown shall have a rate",
        Each(Bg::VatGroup, |model, it| {
            let path = if model.syntax == Syntax::Ubl { "TaxCategory/Percent" } else { "RateApplicablePercent" };
            nodes(it.node, path).into_iter().any(|it| !text(it).is_empty())
        })
    ),
    rule!("BR-DE-15", ["BT-10"], "an invoice shall have a buyer reference", Filled(Bg::Document, &[Bt(10)])),
    rule!(
        "BR-DE-16",
        ["BT-31", "BT-32", "BG-11"],
        "where VAT is accounted, the seller's VAT or tax number or a tax representative shall be given",
        Document(|model| {
            let of = |kind, term| {
                model
                    .all(kind)
                    .any(|it| matches!(it.text(term).as_ref(), "S" | "Z" | "E" | "AE" | "K" | "G" | "L" | "M"))
            };
            // The check for CII looks at the lines only.
            let others = model.syntax == Syntax::Ubl && (of(Bg::Allowance, Bt(95)) || of(Bg::Charge, Bt(102)));
            let told =
                |it: &Group<'_, '_>| [Bt(31), Bt(32)].iter().any(|term| it.nodes(*term).any(|it| !text(it).is_empty()));
            !(others || of(Bg::LineVat, Bt(151))) || model.any(Bg::Representative) || model.all(Bg::Seller).any(told)
        })
    ),
    rule!(warning "BR-DE-17", ["BT-3"], "the type code should be 326, 380, 381, 384, 389, 875, 876 or 877",
    Document(|model| {
        let code = model.text(Bg::Document, Bt(3));
        matches!(code.as_ref(), "326" | "380" | "381" | "384" | "389" | "875" | "876" | "877")
    })),
    rule!(
        "BR-DE-18",
        ["BT-20"],
        "a line of payment terms that begins with # shall be #SKONTO#TAGE=n#PROZENT=n.nn# or with #BASISBETRAG=n.nn# at its end, and the line shall end after it",
        Custom(|model, hits| {
            let Some(document) = model.one(Bg::Document) else { return };
            for terms in document.nodes(Bt(20)).filter(|it| !discounts_hold(&raw(*it))).collect::<Vec<_>>() {
                hits.at(terms);
            }
        })
    ),
    rule!(warning "BR-DE-19", ["BT-84"], "a SEPA credit transfer (58) should go to a valid IBAN",
    Each(Bg::Payment, |model, it| {
        let path = match model.syntax {
            Syntax::Ubl => "PayeeFinancialAccount/ID",
            Syntax::Cii => "PayeePartyCreditorFinancialAccount/IBANID",
        };
        it.text(Bt(81)) != "58" || first(it.node, path).is_some_and(|it| is_iban(&text(it)))
    })),
    rule!(warning "BR-DE-20", ["BT-91"], "a SEPA direct debit (59) should come from a valid IBAN",
    Each(Bg::Payment, |model, it| {
        it.text(Bt(81)) != "59" || first(it.node, debited(model)).is_some_and(|it| is_iban(&text(it)))
    })),
    rule!(warning "BR-DE-21", ["BT-24"], "the specification identifier should be one of XRechnung 3.0", Custom(|model, hits| {
        let Some(document) = model.one(Bg::Document) else { return };
        let context = first(document.node, "ExchangedDocumentContext");
        let exact = document.nodes(Bt(24)).any(|it| {
            let named = raw(it);
            named == CIUS || variants::is_extension_id(&named) || variants::is_vehicles_id(&named)
        });
        if !exact && (model.syntax == Syntax::Ubl || context.is_some()) {
            hits.at(document.node(Bt(24)).or(context).unwrap_or(document.node));
        }
    })),
    rule!(
        "BR-DE-22",
        ["BT-125"],
        "each attached file shall have a name of its own",
        Custom(|model, hits| {
            let mut seen: Vec<(Option<Node<'_, '_>>, &str)> = Vec::new();
            for attached in model.all(Bg::Support).flat_map(|it| it.nodes(Bt(125)).map(|file| (it.node.parent(), file)))
            {
                let (around, file) = attached;
                let Some(name) = file.attribute("filename") else { continue };
                match seen.contains(&(around, name)) {
                    true => hits.at(file),
                    false => seen.push((around, name)),
                }
            }
        })
    ),
    rule!(
        "BR-DE-23-a",
        ["BG-17"],
        "a credit transfer (30, 58) shall name the account to be paid",
        Each(Bg::Payment, |model, it| !transfer(it) || model.inside(it, Bg::Account).next().is_some())
    ),
    rule!(
        "BR-DE-23-b",
        ["BG-18", "BG-19"],
        "a credit transfer (30, 58) shall have neither card nor direct debit",
        Each(Bg::Payment, |model, it| !transfer(it) || !(has_card(model, it) || has_debit(model, it)))
    ),
    rule!(
        "BR-DE-24-a",
        ["BG-18"],
        "a payment by card (48, 54, 55) shall have the card's data",
        Each(Bg::Payment, |model, it| !by_card(it) || has_card(model, it))
    ),
    rule!(
        "BR-DE-24-b",
        ["BG-17", "BG-19"],
        "a payment by card (48, 54, 55) shall have neither credit transfer nor direct debit",
        Each(Bg::Payment, |model, it| {
            !by_card(it) || !(model.inside(it, Bg::Account).next().is_some() || has_debit(model, it))
        })
    ),
    rule!(
        "BR-DE-25-a",
        ["BG-19"],
        "a direct debit (59) shall have its data",
        Each(Bg::Payment, |model, it| it.text(Bt(81)) != "59" || has_debit(model, it))
    ),
    rule!(
        "BR-DE-25-b",
        ["BG-17", "BG-18"],
        "a direct debit (59) shall have neither credit transfer nor card",
        Each(Bg::Payment, |model, it| {
            let account = model.inside(it, Bg::Account).next().is_some()
                || (model.syntax == Syntax::Cii && any(it.node, "PayeeSpecifiedCreditorFinancialInstitution"));
            it.text(Bt(81)) != "59" || !(account || has_card(model, it))
        })
    ),
    rule!(warning "BR-DE-26", ["BG-3"], "a corrected invoice (384) should name the preceding one", Document(|model| {
        let named = match model.syntax {
            Syntax::Ubl => model.all(Bg::Preceding).any(|it| any(it.node, "InvoiceDocumentReference")),
            Syntax::Cii => model.any(Bg::Preceding),
        };
        model.text(Bg::Document, Bt(3)) != "384" || named
    })),
    rule!(warning "BR-DE-27", ["BT-42"], "the seller's telephone number should have at least three digits",
        Each(Bg::SellerContact, |_, it| 3 <= it.text(Bt(42)).chars().filter(char::is_ascii_digit).count())),
    rule!(warning "BR-DE-28", ["BT-43"], "the seller's email address should have a name, one @ and a domain of two parts at least",
        Each(Bg::SellerContact, |_, it| is_email(&it.text(Bt(43))))),
    rule!(
        "BR-DE-30",
        ["BT-90"],
        "a direct debit shall have the identifier of the creditor",
        Document(|model| match model.syntax {
            Syntax::Ubl =>
                !model.any(Bg::DirectDebit) || [Bg::Seller, Bg::Payee].iter().any(|it| model.has(*it, Bt(90))),
            Syntax::Cii => {
                let [mandate, creditor, account] = debit_parts(model);
                !(mandate || creditor || account) || ((mandate || account) && creditor)
            }
        })
    ),
    rule!(
        "BR-DE-31",
        ["BT-91"],
        "a direct debit shall have the account to be debited",
        Document(|model| match model.syntax {
            Syntax::Ubl => {
                let mut debits = model.all(Bg::DirectDebit).peekable();
                debits.peek().is_none() || debits.any(|it| it.has(Bt(91)))
            }
            Syntax::Cii => {
                let [mandate, creditor, account] = debit_parts(model);
                !(mandate || creditor || account) || ((mandate || creditor) && account)
            }
        })
    ),
    rule!(warning "BR-DE-TMP-32", ["BT-72", "BG-14", "BG-26"],
    "an invoice should have a date of delivery, an invoicing period, or a period in each line", Document(|model| {
        let delivered = match model.syntax {
            Syntax::Ubl => model.has(Bg::Delivery, Bt(72)),
            Syntax::Cii => model.all(Bg::Delivery).any(|it| any(it.node, "ActualDeliverySupplyChainEvent/OccurrenceDateTime")),
        };
        let in_lines = || model.all(Bg::Line).all(|it| model.inside(it, Bg::LinePeriod).next().is_some());
        delivered || model.any(Bg::Period) || in_lines()
    })),
    rule!(warning "BR-TMP-2", ["BT-124"], "the location of an external document should be an absolute URL", Custom(|model, hits| {
        for support in model.all(Bg::Support) {
            let locations = match model.syntax {
                Syntax::Ubl => nodes(support.node, "Attachment/ExternalReference"),
                Syntax::Cii => nodes(support.node, "URIID"),
            };
            for it in locations {
                let location = if model.syntax == Syntax::Ubl { first(it, "URI") } else { Some(it) };
                if !location.is_some_and(|it| has_scheme(&text(it))) {
                    hits.at(it);
                }
            }
        }
    })),
    rule!(
        "BR-TMP-3",
        ["BT-149", "BT-150"],
        "the base quantities of the net and the gross price shall be the same",
        Each(Bg::Line, |model, it| {
            let base =
                |price| nodes(it.node, "SpecifiedLineTradeAgreement").into_iter().find_map(|it| first(it, price));
            let pair =
                base("GrossPriceProductTradePrice/BasisQuantity").zip(base("NetPriceProductTradePrice/BasisQuantity"));
            let alike = |(gross, net): (Node<'_, '_>, Node<'_, '_>)| {
                let units = gross.attribute("unitCode").zip(net.attribute("unitCode"));
                text(gross) == text(net) && units.is_none_or(|(gross, net)| gross == net)
            };
            model.syntax == Syntax::Ubl || pair.is_none_or(alike)
        })
    ),
    rule!(
        "PEPPOL-EN16931-R043",
        ["BG-20", "BG-21", "BG-27", "BG-28"],
        "the indicator of an allowance or charge shall be true or false",
        Custom(|model, hits| {
            if model.syntax == Syntax::Ubl {
                peppol::indicators(model, hits);
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R043-1",
        ["BG-20", "BG-21", "BG-27", "BG-28"],
        "the indicator of an allowance or charge shall be true or false",
        Custom(|model, hits| {
            if model.syntax == Syntax::Cii {
                peppol::indicators(model, hits);
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R043-2",
        ["BT-147"],
        "the indicator of an allowance on a price shall be true or false",
        Custom(peppol::price_indicators)
    ),
    rule!(
        "PEPPOL-EN16931-R044",
        ["BT-147"],
        "a price shall have no charge",
        Custom(|model, hits| {
            // In Peppol itself this is asked in UBL only.
            for price in
                model.one(Bg::Document).into_iter().flat_map(|it| named(it.node, &["GrossPriceProductTradePrice"]))
            {
                let off = nodes(price, "AppliedTradeAllowanceCharge");
                let given = off.iter().any(|it| any(*it, "ActualAmount"));
                if given
                    && !off
                        .iter()
                        .any(|it| nodes(*it, "ChargeIndicator/Indicator").into_iter().any(|it| text(it) == "false"))
                {
                    hits.at(price);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R046",
        ["BT-146", "BT-147", "BT-148"],
        "the net price shall be the gross price less the discount",
        Custom(|model, hits| {
            for price in
                model.one(Bg::Document).into_iter().flat_map(|it| named(it.node, &["GrossPriceProductTradePrice"]))
            {
                let amount = |path| super::path::number_at(price, path);
                let Some(gross) = amount("ChargeAmount") else { continue };
                let off = amount("AppliedTradeAllowanceCharge/ActualAmount").unwrap_or(Some(Default::default()));
                let net = price
                    .parent()
                    .and_then(|it| super::path::number_at(it, "NetPriceProductTradePrice/ChargeAmount"))
                    .flatten();
                let left = gross.zip(off).and_then(|(gross, off)| gross.checked_sub(off));
                if net.is_none() || net != left {
                    hits.at(price);
                }
            }
        })
    ),
    rule!(warning "PEPPOL-EN16931-R120", ["BT-131", "BT-129", "BT-146", "BT-149"],
        "the net amount of a line should be its quantity times its price, with its charges, less its allowances",
        Custom(peppol::line_amounts)),
];

fn transfer(payment: &Group<'_, '_>) -> bool {
    matches!(payment.text(Bt(81)).as_ref(), "30" | "58")
}

fn by_card(payment: &Group<'_, '_>) -> bool {
    matches!(payment.text(Bt(81)).as_ref(), "48" | "54" | "55")
}

fn has_card(model: &Model<'_, '_>, payment: &Group<'_, '_>) -> bool {
    model.inside(payment, Bg::Card).next().is_some()
}

fn debited(model: &Model<'_, '_>) -> &'static str {
    match model.syntax {
        Syntax::Ubl => "PaymentMandate/PayerFinancialAccount/ID",
        Syntax::Cii => "PayerPartyDebtorFinancialAccount/IBANID",
    }
}

/// CII has no element for a direct debit: it is there with any of its three terms.
fn has_debit(model: &Model<'_, '_>, payment: &Group<'_, '_>) -> bool {
    match model.syntax {
        Syntax::Ubl => model.inside(payment, Bg::DirectDebit).next().is_some(),
        Syntax::Cii => {
            let [mandate, creditor, _] = debit_parts(model);
            mandate || creditor || any(payment.node, debited(model))
        }
    }
}

/// CII: is there a mandate (BT-89), a creditor's identifier (BT-90), an account to debit (BT-91)?
fn debit_parts(model: &Model<'_, '_>) -> [bool; 3] {
    let at = |path| {
        let settlement = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement";
        let settlements = model.one(Bg::Document).map(|it| nodes(it.node, settlement)).unwrap_or_default();
        settlements.into_iter().any(|it| any(it, path))
    };
    [
        at("SpecifiedTradePaymentTerms/DirectDebitMandateID"),
        at("CreditorReferenceID"),
        at("SpecifiedTradeSettlementPaymentMeans/PayerPartyDebtorFinancialAccount/IBANID"),
    ]
}

/// The cash discounts among payment terms, each in a line of its own that begins with `#`.
fn discounts_hold(terms: &str) -> bool {
    let lines = || terms.split('\n').filter(|it| it.trim_start().starts_with('#'));
    if lines().next().is_none() {
        return true;
    }
    // After the last `#...#` the line has to end.
    let after = terms.split('\n').enumerate().filter_map(|(at, line)| {
        let (start, end) = (line.find('#')?, line.rfind('#')?);
        (start + 1 < end).then_some((at, line.get(end + 1..).unwrap_or_default()))
    });
    let n_lines = terms.split('\n').count();
    let ends = after.last().is_some_and(|(at, rest)| rest.trim().is_empty() && at + 1 < n_lines);
    ends && lines().all(|it| is_discount(it.trim()))
}

/// `#SKONTO#TAGE=n#PROZENT=n.nn#`, and perhaps `BASISBETRAG=n.nn#`.
fn is_discount(line: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let cents =
        |text: &str| text.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part) && part.len() == 2);
    let mut parts =
        line.strip_prefix("#SKONTO#TAGE=").and_then(|it| it.strip_suffix('#')).into_iter().flat_map(|it| it.split('#'));
    let days = parts.next().is_some_and(digits);
    let percent = parts.next().and_then(|it| it.strip_prefix("PROZENT=")).is_some_and(cents);
    let base = parts
        .next()
        .is_none_or(|it| it.strip_prefix("BASISBETRAG=").is_some_and(|it| cents(it.strip_prefix('-').unwrap_or(it))));
    days && percent && base && parts.next().is_none()
}

/// Country, check digits, at most 30 letters and digits, and the remainder 1 by 97 (ISO 13616).
fn is_iban(text: &str) -> bool {
    let iban: Vec<u8> = text.bytes().filter(|it| !it.is_ascii_whitespace()).collect();
    let Some((head, account)) = iban.split_at_checked(4) else { return false };
    let formed = head.iter().take(2).all(u8::is_ascii_uppercase)
        && head.iter().skip(2).all(u8::is_ascii_digit)
        && account.len() <= 30
        && account.iter().all(u8::is_ascii_alphanumeric);
    let remainder = account.iter().chain(head).fold(0u32, |sum, it| match it {
        b'0'..=b'9' => (sum * 10 + u32::from(it - b'0')) % 97,
        // Small letters count by their place in ASCII, as published.
        _ => (sum * 100 + u32::from(it.saturating_sub(55))) % 97,
    });
    formed && remainder == 1
}

/// Something, `@`, and a domain of at least two parts; no space.
fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let plain = |it: &str| !it.is_empty() && !it.contains(|it: char| it.is_whitespace() || it == '@');
    plain(name) && domain.contains('.') && domain.split('.').all(plain)
}

/// A letter, at least one more of a scheme's characters, and a colon.
fn has_scheme(location: &str) -> bool {
    let of_scheme = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'.' | b'-');
    let bytes = location.as_bytes();
    bytes.iter().enumerate().filter(|(_, it)| **it == b':').any(|(colon, _)| {
        let before = bytes.get(..colon).unwrap_or_default();
        let scheme = before.iter().rev().take_while(|it| of_scheme(**it)).count();
        before.iter().rev().take(scheme).skip(1).any(u8::is_ascii_alphabetic)
    })
}
