//! What Peppol asks of sellers of single countries: DE-R, DK-R, GR-R and GR-S, IT-R, NL-R, NO-R, SE-R.
//!
//! Each table is for sellers of one country; a rule that asks for a buyer of the country too says so itself.

use roxmltree::Node;
use rust_decimal::Decimal;

use super::registers::{digits, norwegian, swedish};
use super::{SETTLEMENT, applies, between, contexts};
use crate::rules::model::{Bg, Bt, Group, Model, Syntax, attribute, children, number, text};
use crate::rules::path::{nodes, number_at, text_at};
use crate::rules::{Check::*, Head, Hits, Rule, rule, xrechnung};

/// The rules of XRechnung that Peppol asks of invoices between Germans, under ids of its own. UBL only.
const GERMANY: [(&str, &str); 30] = [
    ("DE-R-001", "BR-DE-1"),
    ("DE-R-002", "BR-DE-2"),
    ("DE-R-003", "BR-DE-3"),
    ("DE-R-004", "BR-DE-4"),
    ("DE-R-005", "BR-DE-5"),
    ("DE-R-006", "BR-DE-6"),
    ("DE-R-007", "BR-DE-7"),
    ("DE-R-008", "BR-DE-8"),
    ("DE-R-009", "BR-DE-9"),
    ("DE-R-010", "BR-DE-10"),
    ("DE-R-011", "BR-DE-11"),
    ("DE-R-014", "BR-DE-14"),
    ("DE-R-015", "BR-DE-15"),
    ("DE-R-016", "BR-DE-16"),
    ("DE-R-017", "BR-DE-17"),
    ("DE-R-018", "BR-DE-18"),
    ("DE-R-019", "BR-DE-19"),
    ("DE-R-020", "BR-DE-20"),
    ("DE-R-022", "BR-DE-22"),
    ("DE-R-023-1", "BR-DE-23-a"),
    ("DE-R-023-2", "BR-DE-23-b"),
    ("DE-R-024-1", "BR-DE-24-a"),
    ("DE-R-024-2", "BR-DE-24-b"),
    ("DE-R-025-1", "BR-DE-25-a"),
    ("DE-R-025-2", "BR-DE-25-b"),
    ("DE-R-026", "BR-DE-26"),
    ("DE-R-027", "BR-DE-27"),
    ("DE-R-028", "BR-DE-28"),
    ("DE-R-030", "BR-DE-30"),
    ("DE-R-031", "BR-DE-31"),
];

pub(in crate::rules) fn germany<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    if !(applies(model) && model.syntax == Syntax::Ubl && between(model, "DE")) {
        return;
    }
    for (id, theirs) in GERMANY {
        if let Some(rule) = xrechnung::RULES.iter().find(|it| it.id == theirs) {
            hits.rule = Head { id, weight: rule.weight, terms: rule.terms, says: rule.says };
            rule.check.run(model, hits);
        }
    }
}

pub(in crate::rules) fn is_danish(model: &Model<'_, '_>) -> bool {
    applies(model) && of(model, Bg::SellerAddress, Bt(40), "DK")
}

pub(in crate::rules) fn is_greek(model: &Model<'_, '_>) -> bool {
    applies(model) && model.syntax == Syntax::Ubl && greek(&sellers_country(model))
}

pub(in crate::rules) fn is_italian(model: &Model<'_, '_>) -> bool {
    applies(model) && sellers_country(model) == "IT"
}

pub(in crate::rules) fn is_dutch(model: &Model<'_, '_>) -> bool {
    applies(model) && model.text(Bg::SellerAddress, Bt(40)).eq_ignore_ascii_case("NL")
}

pub(in crate::rules) fn is_norwegian(model: &Model<'_, '_>) -> bool {
    applies(model) && sellers_country(model) == "NO"
}

pub(in crate::rules) fn is_swedish(model: &Model<'_, '_>) -> bool {
    applies(model) && of(model, Bg::SellerAddress, Bt(40), "SE")
}

pub(in crate::rules) const DENMARK: &[Rule] = &[
    rule!(
        "DK-R-002",
        ["BT-30"],
        "a Danish seller shall have a legal registration (CVR)",
        Document(|model| model.all(Bg::Seller).any(|it| it.nodes(Bt(30)).any(|it| !text(it).is_empty())))
    ),
    rule!(warning "DK-R-003", ["BT-158"], "a classification by UNSPSC (TST) between Danes should be of version 19.05.01 or 26.08.01",
    Each(Bg::Line, |model, it| {
        let classes = || it.nodes(Bt(158));
        let version = |it: Node<'_, '_>| matches!(attribute(it, "listVersionID"), "19.05.01" | "19.0501" | "26.08.01" | "26.0801");
        !between(model, "DK") || !classes().any(|it| attribute(it, "listID") == "TST") || classes().any(version)
    })),
    rule!(
        "DK-R-004",
        ["BT-97", "BT-104"],
        "a tax other than VAT (ZZZ) between Danes shall have four digits, or a # inside, for its reason",
        Custom(|model, hits| super::allowances(model, hits, |it| {
            let (code, reason) = match model.syntax {
                Syntax::Ubl => (text_at(it, "AllowanceChargeReasonCode"), text_at(it, "AllowanceChargeReason")),
                Syntax::Cii => (text_at(it, "ReasonCode"), text_at(it, "Reason")),
            };
            let inside = reason.contains('#') && !reason.starts_with('#') && !reason.ends_with('#');
            !between(model, "DK") || code != "ZZZ" || inside || (reason.len() == 4 && digits(&reason))
        }))
    ),
    rule!(
        "DK-R-005",
        ["BT-81"],
        "the means of payment between Danes shall be 1, 10, 31, 42, 48, 49, 50, 58, 59, 93 or 97",
        Each(Bg::Payment, |model, it| {
            let code = it.text(Bt(81));
            let known =
                matches!(code.as_ref(), "1" | "10" | "31" | "42" | "48" | "49" | "50" | "58" | "59" | "93" | "97");
            known || !paid_between_danes(model)
        })
    ),
    rule!(
        "DK-R-006",
        ["BT-84", "BT-86"],
        "a Danish bank transfer (31, 42) shall have account and registration number",
        Each(Bg::Payment, |model, it| {
            let bank = match model.syntax {
                Syntax::Ubl => text_at(it.node, "PayeeFinancialAccount/FinancialInstitutionBranch/ID"),
                Syntax::Cii => text_at(it.node, "PayeeSpecifiedCreditorFinancialInstitution/BICID"),
            };
            let asked = paid_between_danes(model) && matches!(it.text(Bt(81)).as_ref(), "31" | "42");
            !asked || !(account(model, it).is_empty() || bank.is_empty())
        })
    ),
    rule!(
        "DK-R-007",
        ["BT-89", "BT-91"],
        "a Danish direct debit (49) shall have mandate and account",
        Each(Bg::Payment, |model, it| {
            let filled = |node: Option<Node<'_, '_>>, path: &str| node.is_some_and(|it| !text_at(it, path).is_empty());
            let given = match model.syntax {
                Syntax::Ubl => {
                    filled(Some(it.node), "PaymentMandate/ID")
                        && filled(Some(it.node), "PaymentMandate/PayerFinancialAccount/ID")
                }
                Syntax::Cii => {
                    let terms = [it.node.parent(), Some(it.node)];
                    filled(it.node.parent(), "CreditorReferenceID")
                        && terms.into_iter().any(|it| filled(it, "SpecifiedTradePaymentTerms/DirectDebitMandateID"))
                }
            };
            given || !(paid_between_danes(model) && it.text(Bt(81)) == "49")
        })
    ),
    rule!(
        "DK-R-008",
        ["BT-83", "BT-84"],
        "a Danish giro (50) shall have a reference with 01#, 04# or 15# and an account of 7 characters",
        Each(Bg::Payment, |model, it| !slip(model, it, "50") || slip_of(model, it, &["01#", "04#", "15#"], 7))
    ),
    rule!(
        "DK-R-009",
        ["BT-83"],
        "the reference of a Danish giro (50) with 04# or 15# shall have 19 characters",
        Each(Bg::Payment, |model, it| {
            let reference = reference(model, it);
            let long = ["04#", "15#"].iter().any(|it| reference.starts_with(it));
            !slip(model, it, "50") || !long || reference.chars().count() == 19
        })
    ),
    rule!(
        "DK-R-010",
        ["BT-83", "BT-84"],
        "a Danish payment slip (93) shall have a reference with 71#, 73# or 75# and an account of 8 characters",
        Each(Bg::Payment, |model, it| !slip(model, it, "93") || slip_of(model, it, &["71#", "73#", "75#"], 8))
    ),
    rule!(
        "DK-R-011",
        ["BT-83"],
        "the reference of a Danish payment slip (93) with 71# or 75# shall have 18 or 19 characters",
        Each(Bg::Payment, |model, it| {
            let reference = reference(model, it);
            let long = ["71#", "75#"].iter().any(|it| reference.starts_with(it));
            !slip(model, it, "93") || !long || matches!(reference.chars().count(), 18 | 19)
        })
    ),
    rule!(
        "DK-R-013",
        ["BT-29", "BT-46"],
        "an identifier of a party between Danes shall have a scheme",
        Custom(|model, hits| {
            let path = if model.syntax == Syntax::Ubl { "PartyIdentification/ID" } else { "GlobalID" };
            let asked = between(model, "DK");
            for id in [Bg::Seller, Bg::Buyer].iter().flat_map(|it| parties(model, *it)).flat_map(|it| nodes(it, path)) {
                if asked && attribute(id, "schemeID").is_empty() {
                    hits.at(id);
                }
            }
        })
    ),
    rule!(
        "DK-R-014",
        ["BT-30"],
        "the legal registration of a Danish seller shall be of scheme 0184",
        Each(Bg::Seller, |_, it| it.nodes(Bt(30)).all(|it| attribute(it, "schemeID") == "0184"))
    ),
    rule!(
        "DK-R-016",
        ["BT-115"],
        "a credit note between Danes shall not be negative",
        Each(Bg::Totals, |model, it| {
            let credit = is_credit_note(model, &["381"]);
            !(credit && between(model, "DK")) || it.amount(Bt(115)).is_none_or(|it| Decimal::ZERO <= it)
        })
    ),
];

pub(in crate::rules) const GREECE: &[Rule] = &[
    rule!(
        "GR-R-001-1",
        ["BT-1"],
        "the number of a Greek invoice shall have six parts",
        Custom(|model, hits| {
            numbers(model, hits, |_, it| it.len() == 6);
        })
    ),
    rule!(
        "GR-R-001-2",
        ["BT-1", "BT-31"],
        "the first part of a Greek number shall be the tax number of seller or representative",
        Custom(|model, hits| numbers(model, hits, |model, it| {
            let own = it.first().copied().unwrap_or_default();
            let theirs = [(Bg::Seller, Bt(31)), (Bg::Representative, Bt(63))];
            let known = theirs.iter().any(|(kind, term)| model.text(*kind, *term).get(2..) == Some(own));
            own.len() == 9 && tax_number(own) && known
        }))
    ),
    rule!(
        "GR-R-001-3",
        ["BT-1", "BT-2"],
        "the second part of a Greek number shall be the issue date as DD/MM/YYYY",
        Custom(|model, hits| numbers(model, hits, |model, it| {
            let issued = model.text(Bg::Document, Bt(2)).into_owned();
            let reversed: Vec<&str> = issued.split('-').rev().collect();
            it.get(1).is_some_and(|it| !it.is_empty() && it.split('/').collect::<Vec<_>>() == reversed)
        }))
    ),
    rule!(
        "GR-R-001-4",
        ["BT-1"],
        "the third part of a Greek number shall be a number from 0",
        Custom(|model, hits| numbers(model, hits, |_, it| it.get(2).is_some_and(|it| digits(it.trim()))))
    ),
    rule!(
        "GR-R-001-5",
        ["BT-1"],
        "the fourth part of a Greek number shall be a Greek type of document",
        Custom(|model, hits| numbers(model, hits, |_, it| {
            it.get(3).is_some_and(|it| matches!(*it, "1.1" | "1.6" | "2.1" | "2.4" | "5.1" | "5.2"))
        }))
    ),
    rule!(
        "GR-R-001-6",
        ["BT-1"],
        "the fifth part of a Greek number shall not be empty",
        Custom(|model, hits| numbers(model, hits, |_, it| it.get(4).is_some_and(|it| !it.is_empty())))
    ),
    rule!(
        "GR-R-001-7",
        ["BT-1"],
        "the sixth part of a Greek number shall not be empty",
        Custom(|model, hits| numbers(model, hits, |_, it| it.get(5).is_some_and(|it| !it.is_empty())))
    ),
    rule!(
        "GR-R-002",
        ["BT-28"],
        "a Greek seller shall give the full name",
        Custom(|model, hits| {
            asked(hits, parties(model, Bg::Seller), |it| !text_at(it, "PartyName/Name").is_empty());
        })
    ),
    rule!(
        "GR-R-003",
        ["BT-31"],
        "the VAT number of a Greek seller shall be EL and a tax number",
        Custom(|model, hits| {
            asked(hits, model.all(Bg::Seller).flat_map(|it| it.nodes(Bt(31))).collect(), |it| greek_vat(&text(it)));
        })
    ),
    rule!(
        "GR-R-004-1",
        ["BT-122"],
        "a Greek invoice shall have one mark (##M.AR.K##)",
        Document(|model| { !in_greece(model) || described(model, MARK).len() == 1 })
    ),
    rule!(
        "GR-R-004-2",
        ["BT-122"],
        "the mark of a Greek invoice shall be a number above 0",
        Custom(|model, hits| {
            let marks = if in_greece(model) { described(model, MARK) } else { Vec::new() };
            let ids = marks.into_iter().flat_map(|it| nodes(it, "ID")).collect();
            asked(hits, ids, |it| matches!(text(it).as_bytes().first(), Some(b'1'..=b'9')));
        })
    ),
    rule!(
        "GR-R-005",
        ["BT-45"],
        "a Greek seller shall give the full name of the buyer",
        Custom(|model, hits| {
            asked(hits, parties(model, Bg::Buyer), |it| !text_at(it, "PartyName/Name").is_empty());
        })
    ),
    rule!(
        "GR-R-006",
        ["BT-48"],
        "a Greek buyer shall have one VAT number, EL and a tax number",
        Custom(|model, hits| {
            for buyer in model.all(Bg::Buyer).filter(|_| greek(&buyers_country(model))) {
                let mut ids = buyer.nodes(Bt(48));
                if !(ids.next().is_some_and(|it| greek_vat(&text(it))) && ids.next().is_none()) {
                    hits.at(buyer.node);
                }
            }
        })
    ),
    rule!(warning "GR-S-008-1", ["BT-122"], "a Greek invoice should have one address for its verification (##INVOICE|URL##)",
        Document(|model| !in_greece(model) || described(model, URL).len() == 1)),
    rule!(
        "GR-R-008-2",
        ["BT-122"],
        "a Greek invoice shall have one address for its verification at most",
        Document(|model| !in_greece(model) || described(model, URL).len() <= 1)
    ),
    rule!(
        "GR-R-008-3",
        ["BT-124"],
        "the address for verification of a Greek invoice shall be given",
        Custom(|model, hits| {
            asked(hits, described(model, URL), |it| !text_at(it, "Attachment/ExternalReference/URI").is_empty());
        })
    ),
    rule!(
        "GR-R-009",
        ["BT-34"],
        "the electronic address of a Greek seller shall be a tax number of scheme 9933",
        Custom(|model, hits| {
            let own = model.all(Bg::Seller).flat_map(|it| vat_numbers(model, it)).next();
            let own = own.unwrap_or_else(|| model.text(Bg::SellerAddress, Bt(40)).into_owned());
            let sellers = if own.get(..2).is_some_and(greek) { parties(model, Bg::Seller) } else { Vec::new() };
            asked(hits, sellers.into_iter().flat_map(|it| nodes(it, "EndpointID")).collect(), greek_address);
        })
    ),
    rule!(
        "GR-R-010",
        ["BT-49"],
        "the electronic address of a Greek buyer shall be a tax number of scheme 9933",
        Custom(|model, hits| {
            let buyers = if greek(&buyers_country(model)) { parties(model, Bg::Buyer) } else { Vec::new() };
            asked(hits, buyers.into_iter().flat_map(|it| nodes(it, "EndpointID")).collect(), greek_address);
        })
    ),
    rule!(warning "GR-S-011", ["BT-31"], "a Greek seller should have one VAT number, EL and a tax number", Each(Bg::Seller, |_, it| {
        let mut ids = it.nodes(Bt(31));
        ids.next().is_some_and(|it| greek_vat(&text(it))) && ids.next().is_none()
    })),
];

pub(in crate::rules) const ITALY: &[Rule] = &[
    rule!(
        "IT-R-001",
        ["BT-32"],
        "the tax number of an Italian seller shall be 11 to 16 capitals and digits",
        Custom(|model, hits| {
            let ids = model.all(Bg::Seller).flat_map(|it| it.nodes(Bt(32))).collect();
            asked(hits, ids, |it| {
                let id = text(it);
                (11..=16).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
            });
        })
    ),
    rule!(
        "IT-R-002",
        ["BT-35"],
        "an Italian seller shall have a street",
        Each(Bg::Seller, |model, it| has_in_address(model, it, Bt(35)))
    ),
    rule!(
        "IT-R-003",
        ["BT-37"],
        "an Italian seller shall have a city",
        Each(Bg::Seller, |model, it| has_in_address(model, it, Bt(37)))
    ),
    rule!(
        "IT-R-004",
        ["BT-38"],
        "an Italian seller shall have a post code",
        Each(Bg::Seller, |model, it| has_in_address(model, it, Bt(38)))
    ),
];

pub(in crate::rules) const NETHERLANDS: &[Rule] = &[
    rule!(
        "NL-R-001",
        ["BT-25"],
        "a Dutch credit note shall name the preceding invoice",
        Document(|model| {
            !is_credit_note(model, &["81", "83", "381", "396", "532"]) || model.has(Bg::Preceding, Bt(25))
        })
    ),
    rule!(
        "NL-R-002",
        ["BG-5"],
        "the address of a Dutch seller shall have street, city and post code",
        Each(Bg::SellerAddress, |_, it| [Bt(35), Bt(37), Bt(38)].iter().all(|term| it.has(*term)))
    ),
    rule!(
        "NL-R-003",
        ["BT-30"],
        "the legal registration of a Dutch seller shall be of scheme 0106 or 0190",
        Custom(|model, hits| {
            asked(hits, model.all(Bg::Seller).flat_map(|it| it.nodes(Bt(30))).collect(), dutch_registration);
        })
    ),
    rule!(
        "NL-R-004",
        ["BG-8"],
        "the address of a Dutch buyer shall have street, city and post code",
        Each(Bg::BuyerAddress, |model, it| {
            !between(model, "NL") || [Bt(50), Bt(52), Bt(53)].iter().all(|term| it.has(*term))
        })
    ),
    rule!(
        "NL-R-005",
        ["BT-47"],
        "the legal registration of a Dutch buyer shall be of scheme 0106 or 0190",
        Custom(|model, hits| {
            let ids = model.all(Bg::Buyer).filter(|_| between(model, "NL")).flat_map(|it| it.nodes(Bt(47))).collect();
            asked(hits, ids, dutch_registration);
        })
    ),
    rule!(
        "NL-R-006",
        ["BG-12"],
        "the address of a Dutch tax representative shall have street, city and post code",
        Each(Bg::RepresentativeAddress, |_, it| {
            let dutch = it.text(Bt(69)).eq_ignore_ascii_case("NL");
            !dutch || [Bt(64), Bt(66), Bt(67)].iter().all(|term| it.has(*term))
        })
    ),
    rule!(
        "NL-R-007",
        ["BG-16"],
        "a Dutch seller who is to be paid shall say how",
        Each(Bg::Totals, |model, it| {
            let due = it.amount(Bt(115));
            let paid_out = match is_credit_note(model, &["381"]) {
                true => due.is_some_and(|it| Decimal::ZERO <= it),
                false => due.is_some_and(|it| it <= Decimal::ZERO),
            };
            paid_out || model.any(Bg::Payment)
        })
    ),
    rule!(
        "NL-R-008",
        ["BT-81"],
        "the means of payment between Dutch parties shall be 30, 48, 49, 57, 58 or 59",
        Each(Bg::Payment, |model, it| {
            !between(model, "NL") || matches!(it.text(Bt(81)).as_ref(), "30" | "48" | "49" | "57" | "58" | "59")
        })
    ),
    rule!(
        "NL-R-009",
        ["BT-132", "BT-13"],
        "a Dutch line that names a line of the order shall stand with the order's number",
        Custom(|model, hits| {
            let lines =
                model.all(Bg::Line).filter(|_| !model.has(Bg::Document, Bt(13))).flat_map(|it| it.nodes(Bt(132)));
            asked(hits, lines.collect(), |_| false);
        })
    ),
];

pub(in crate::rules) const NORWAY: &[Rule] = &[
    rule!(
        "NO-R-001",
        ["BT-31"],
        "the VAT number of a Norwegian seller shall be NO, an organisation number and MVA",
        Each(Bg::Seller, |model, it| {
            let numbers = vat_numbers(model, it);
            let sound =
                |it: &String| it.strip_prefix("NO").and_then(|it| it.strip_suffix("MVA")).is_some_and(norwegian);
            !numbers.iter().any(|it| it.starts_with("NO")) || numbers.iter().any(sound)
        })
    ),
    rule!(warning "NO-R-002", ["BT-32"], "a Norwegian seller should say Foretaksregisteret where it has to", Each(Bg::Seller, |model, it| {
        match model.syntax {
            Syntax::Ubl => parties(model, Bg::Seller).into_iter().flat_map(|it| children(it, "PartyTaxScheme").collect::<Vec<_>>())
                .any(|it| text_at(it, "TaxScheme/ID") == "TAX" && text_at(it, "CompanyID") == "Foretaksregisteret"),
            Syntax::Cii => it.nodes(Bt(32)).any(|it| text(it) == "Foretaksregisteret"),
        }
    })),
];

pub(in crate::rules) const SWEDEN: &[Rule] = &[
    rule!(
        "SE-R-001",
        ["BT-31"],
        "a Swedish VAT number shall have 14 characters",
        Each(Bg::Seller, |model, it| {
            vat_numbers(model, it).iter().all(|it| !it.starts_with("SE") || it.chars().count() == 14)
        })
    ),
    rule!(
        "SE-R-002",
        ["BT-31"],
        "a Swedish VAT number shall be SE and digits",
        Each(Bg::Seller, |model, it| {
            vat_numbers(model, it)
                .iter()
                .all(|it| it.strip_prefix("SE").is_none_or(|it| numeric(&it.chars().take(12).collect::<String>())))
        })
    ),
    rule!(
        "SE-R-003",
        ["BT-30"],
        "a Swedish organisation number shall be digits",
        Custom(|model, hits| registrations(model, hits, numeric))
    ),
    rule!(
        "SE-R-004",
        ["BT-30"],
        "a Swedish organisation number shall have 10 characters",
        Custom(|model, hits| registrations(model, hits, |it| it.chars().count() == 10))
    ),
    rule!(
        "SE-R-005",
        ["BT-32"],
        "the tax registration of a Swedish seller shall say Godkänd för F-skatt",
        Custom(|model, hits| {
            let sellers = model.all(Bg::Seller).filter(|it| it.has(Bt(30)));
            asked(hits, sellers.flat_map(|it| it.nodes(Bt(32))).collect(), |it| {
                text(it).to_uppercase() == "GODKÄND FÖR F-SKATT"
            });
        })
    ),
    rule!(
        "SE-R-006",
        ["BT-119", "BT-152", "BT-96", "BT-103"],
        "the standard rate of a Swedish seller shall be 6, 12 or 25",
        Custom(|model, hits| {
            let swedish = model.all(Bg::Seller).any(|it| vat_numbers(model, it).iter().any(|it| it.starts_with("SE")));
            let names: &[&str] = match model.syntax {
                Syntax::Ubl => &["TaxCategory", "ClassifiedTaxCategory"],
                Syntax::Cii => &["ApplicableTradeTax", "CategoryTradeTax"],
            };
            let Some(document) = model.one(Bg::Document).filter(|_| swedish) else { return };
            let taxes =
                document.node.descendants().filter(|it| it.is_element() && names.contains(&it.tag_name().name()));
            asked(hits, taxes.collect(), |it| {
                let (category, rate) = match model.syntax {
                    Syntax::Ubl => (text_at(it, "ID"), "Percent"),
                    // The check for CII does not look at the category.
                    Syntax::Cii => ("S".to_owned(), "RateApplicablePercent"),
                };
                let rate = number_at(it, rate).flatten();
                category != "S" || [6, 12, 25].iter().any(|it| rate == Some(Decimal::from(*it)))
            });
        })
    ),
    rule!(warning "SE-R-007", ["BT-84"], "a Swedish Plusgiro account should be digits",
        Custom(|model, hits| giro(model, hits, "SE:PLUSGIRO", numeric))),
    rule!(warning "SE-R-008", ["BT-84"], "a Swedish Bankgiro account should be digits",
        Custom(|model, hits| giro(model, hits, "SE:BANKGIRO", numeric))),
    rule!(warning "SE-R-009", ["BT-84"], "a Swedish Bankgiro account should have 7 or 8 characters",
        Custom(|model, hits| giro(model, hits, "SE:BANKGIRO", |it| matches!(it.chars().count(), 7 | 8)))),
    rule!(warning "SE-R-010", ["BT-84"], "a Swedish Plusgiro account should have 2 to 8 characters",
        Custom(|model, hits| giro(model, hits, "SE:PLUSGIRO", |it| (2..=8).contains(&it.chars().count())))),
    rule!(warning "SE-R-011", ["BT-81"], "Swedish Bankgiro and Plusgiro should be told by means 30 and the bank, not by 50 or 56",
        Each(Bg::Payment, |_, it| !matches!(it.text(Bt(81)).as_ref(), "50" | "56"))),
    rule!(warning "SE-R-012", ["BT-81"], "a credit transfer between Swedish parties should be means 30, not 31",
        Each(Bg::Payment, |model, it| it.text(Bt(81)) != "31" || !between(model, "SE"))),
    rule!(
        "SE-R-013",
        ["BT-30"],
        "a Swedish organisation number shall end with its check digit",
        Custom(|model, hits| registrations(model, hits, |it| swedish(it.get(..10).unwrap_or(it))))
    ),
];

const MARK: &str = "##M.AR.K##";
const URL: &str = "##INVOICE|URL##";

fn of(model: &Model<'_, '_>, kind: Bg, term: Bt, country: &str) -> bool {
    model.text(kind, term) == country
}

/// The country of the seller: that of the VAT number, or of the representative's, or of the address.
fn sellers_country(model: &Model<'_, '_>) -> String {
    let numbers = |kind| model.all(kind).flat_map(|it| vat_numbers(model, it)).next();
    let number = numbers(Bg::Seller).or_else(|| numbers(Bg::Representative));
    let country = number.unwrap_or_else(|| model.text(Bg::SellerAddress, Bt(40)).into_owned());
    country.chars().take(2).collect::<String>().to_uppercase()
}

fn buyers_country(model: &Model<'_, '_>) -> String {
    let number = model.all(Bg::Buyer).flat_map(|it| it.nodes(Bt(48))).next().map(text);
    let country = number.unwrap_or_else(|| model.text(Bg::BuyerAddress, Bt(55)));
    country.chars().take(2).collect::<String>().to_uppercase()
}

/// The VAT numbers of a party. The checks for CII know them by the scheme `VAT`, where the standard has `VA`.
fn vat_numbers(model: &Model<'_, '_>, party: &Group<'_, '_>) -> Vec<String> {
    match model.syntax {
        Syntax::Ubl => {
            let term = if party.kind == Bg::Representative { Bt(63) } else { Bt(31) };
            party.nodes(term).map(|it| text(it).into_owned()).collect()
        }
        Syntax::Cii => nodes(party.node, "SpecifiedTaxRegistration/ID")
            .into_iter()
            .filter(|it| attribute(*it, "schemeID") == "VAT")
            .map(|it| text(it).into_owned())
            .collect(),
    }
}

fn parties<'a, 'input>(model: &Model<'a, 'input>, kind: Bg) -> Vec<Node<'a, 'input>> {
    let groups = model.all(kind).map(|it| it.node);
    match model.syntax {
        Syntax::Ubl => groups.flat_map(|it| nodes(it, "Party")).collect(),
        Syntax::Cii => groups.collect(),
    }
}

fn asked<'a, 'input>(
    hits: &mut Hits<'a, 'input>,
    places: Vec<Node<'a, 'input>>,
    holds: impl Fn(Node<'a, 'input>) -> bool,
) {
    for place in places.into_iter().filter(|it| !holds(*it)) {
        hits.at(place);
    }
}

fn has_in_address(model: &Model<'_, '_>, party: &Group<'_, '_>, term: Bt) -> bool {
    model.inside(party, Bg::SellerAddress).any(|it| it.has(term))
}

/// In UBL by its root, in CII by its type.
fn is_credit_note(model: &Model<'_, '_>, types: &[&str]) -> bool {
    match model.syntax {
        Syntax::Ubl => model.one(Bg::Document).is_some_and(|it| it.node.tag_name().name() == "CreditNote"),
        Syntax::Cii => types.contains(&model.text(Bg::Document, Bt(3)).as_ref()),
    }
}

/// Danish payments are asked of invoices, and in CII of credit notes too.
fn paid_between_danes(model: &Model<'_, '_>) -> bool {
    between(model, "DK") && (model.syntax == Syntax::Cii || !is_credit_note(model, &[]))
}

fn account(model: &Model<'_, '_>, payment: &Group<'_, '_>) -> String {
    match model.syntax {
        Syntax::Ubl => text_at(payment.node, "PayeeFinancialAccount/ID"),
        Syntax::Cii => text_at(payment.node, "PayeePartyCreditorFinancialAccount/IBANID"),
    }
}

fn reference(model: &Model<'_, '_>, payment: &Group<'_, '_>) -> String {
    match model.syntax {
        Syntax::Ubl => text_at(payment.node, "PaymentID"),
        Syntax::Cii => payment.node.parent().map(|it| text_at(it, "PaymentReference")).unwrap_or_default(),
    }
}

fn slip(model: &Model<'_, '_>, payment: &Group<'_, '_>, means: &str) -> bool {
    paid_between_danes(model) && payment.text(Bt(81)) == means
}

fn slip_of(model: &Model<'_, '_>, payment: &Group<'_, '_>, kinds: &[&str], n_account: usize) -> bool {
    let reference = reference(model, payment);
    kinds.iter().any(|it| reference.starts_with(it)) && account(model, payment).chars().count() == n_account
}

fn dutch_registration(node: Node<'_, '_>) -> bool {
    let schemed = attribute(node, "schemeID").split(' ').any(|it| matches!(it, "0106" | "0190"));
    schemed && !text(node).is_empty()
}

/// Digits as XPath takes them for a number, with a sign or a point among them.
fn numeric(text: &str) -> bool {
    number(text.trim()).is_some()
}

fn registrations<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>, holds: impl Fn(&str) -> bool) {
    asked(hits, model.all(Bg::Seller).flat_map(|it| it.nodes(Bt(30))).collect(), |it| holds(&text(it)));
}

/// The accounts to be paid at one of the two Swedish giros.
fn giro<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>, bank: &str, holds: impl Fn(&str) -> bool) {
    let (branch, id) = match model.syntax {
        Syntax::Ubl => ("PayeeFinancialAccount/FinancialInstitutionBranch/ID", "PayeeFinancialAccount/ID"),
        Syntax::Cii => {
            ("PayeeSpecifiedCreditorFinancialInstitution/BICID", "PayeePartyCreditorFinancialAccount/ProprietaryID")
        }
    };
    let payments = model.all(Bg::Payment).filter(|it| it.text(Bt(81)) == "30" && text_at(it.node, branch) == bank);
    asked(hits, payments.flat_map(|it| nodes(it.node, id)).collect(), |it| holds(&text(it)));
}

fn greek(country: &str) -> bool {
    matches!(country, "GR" | "EL")
}

fn in_greece(model: &Model<'_, '_>) -> bool {
    of(model, Bg::SellerAddress, Bt(40), "GR")
}

/// The parts of the invoice's number, between `|`.
fn numbers<'a, 'input>(
    model: &Model<'a, 'input>,
    hits: &mut Hits<'a, 'input>,
    holds: impl Fn(&Model<'a, 'input>, &[&str]) -> bool,
) {
    for id in model.all(Bg::Document).flat_map(|it| it.nodes(Bt(1))).collect::<Vec<_>>() {
        if !holds(model, &text(id).split('|').collect::<Vec<_>>()) {
            hits.at(id);
        }
    }
}

/// Supporting documents with a description.
fn described<'a, 'input>(model: &Model<'a, 'input>, description: &str) -> Vec<Node<'a, 'input>> {
    let supports = contexts(model, SETTLEMENT).into_iter().flat_map(|it| nodes(it, "AdditionalDocumentReference"));
    supports.filter(|it| nodes(*it, "DocumentDescription").into_iter().any(|it| text(it) == description)).collect()
}

/// Nine digits, of which the first eight, weighted 256 to 2, give the last by 11.
fn tax_number(text: &str) -> bool {
    let values: Vec<u32> = text.bytes().map(|it| u32::from(it).saturating_sub(48)).collect();
    let Some((check, rest)) = values.split_last() else { return false };
    let sum: u32 = rest.iter().zip([256, 128, 64, 32, 16, 8, 4, 2]).map(|(it, weight)| it * weight).sum();
    text.len() == 9 && digits(text) && sum % 11 % 10 == *check
}

fn greek_vat(text: &str) -> bool {
    text.strip_prefix("EL").is_some_and(tax_number)
}

fn greek_address(node: Node<'_, '_>) -> bool {
    attribute(node, "schemeID") == "9933" && tax_number(&text(node))
}
