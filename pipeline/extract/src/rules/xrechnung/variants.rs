//! What the Extension of XRechnung asks (BR-DEX), and its variant for clean vehicles (BR-DE-CVD, BR-TMP-CVD).

use roxmltree::Node;
use rust_decimal::Decimal;

use crate::rules::codes::{self, List};
use crate::rules::model::{Bg, Bt, Group, Model, Syntax, attribute, number, raw, text};
use crate::rules::path::{any, named, nodes, number_at, text_at};
use crate::rules::totals::{cents, sum};
use crate::rules::{Check::*, Hits, Rule, rule};

pub(in crate::rules) fn is_extension_id(named: &str) -> bool {
    named.strip_prefix(super::CIUS) == Some("#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0")
}

pub(in crate::rules) fn is_vehicles_id(named: &str) -> bool {
    named.strip_prefix(super::CIUS) == Some("#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9")
}

pub(in crate::rules) fn is_extension(model: &Model<'_, '_>) -> bool {
    model.all(Bg::Document).flat_map(|it| it.nodes(Bt(24))).any(|it| is_extension_id(&raw(it)))
}

pub(in crate::rules) fn is_vehicles(model: &Model<'_, '_>) -> bool {
    model.all(Bg::Document).flat_map(|it| it.nodes(Bt(24))).any(|it| is_vehicles_id(&raw(it)))
}

pub(in crate::rules) const EXTENSION: &[Rule] = &[
    rule!(
        "BR-DEX-01",
        ["BT-125"],
        "an attached document shall be PDF, PNG, JPEG, CSV, XLSX, ODS or XML",
        Custom(|model, hits| {
            const KINDS: [&str; 7] = [
                "application/pdf",
                "application/vnd.oasis.opendocument.spreadsheet",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/xml",
                "image/jpeg",
                "image/png",
                "text/csv",
            ];
            elements(model, hits, &["EmbeddedDocumentBinaryObject", "AttachmentBinaryObject"], |it| {
                it.attribute("mimeCode").is_some_and(|it| KINDS.contains(&it))
            });
        })
    ),
    rule!(warning "BR-DEX-02", ["BT-131"], "the net amount of a line should be the sum of the lines below it", Custom(|model, hits| {
        elements(model, hits, &["InvoiceLine", "SubInvoiceLine"], |it| {
            let parts = nodes(it, "SubInvoiceLine");
            let amounts = parts.iter().flat_map(|it| nodes(*it, "LineExtensionAmount")).map(|it| number(&text(it)));
            parts.is_empty() || number_at(it, "LineExtensionAmount").is_some_and(|it| it.is_some() && it == sum(amounts))
        });
    })),
    rule!(
        "BR-DEX-03",
        ["BG-30"],
        "each line below a line shall have one VAT category",
        Custom(|model, hits| {
            elements(model, hits, &["SubInvoiceLine"], |it| {
                nodes(it, "Item").into_iter().all(|it| nodes(it, "ClassifiedTaxCategory").len() == 1)
            });
        })
    ),
    rule!(
        "BR-DEX-04",
        ["BT-29", "BT-46", "BT-60"],
        "the scheme of a party's identifier shall be of ISO 6523 or of DiGA",
        Custom(|model, hits| {
            match model.syntax {
                Syntax::Ubl => elements(model, hits, &["ID"], |it| {
                    let creditor = attribute(it, "schemeID") == "SEPA"
                        && (inside(it, "AccountingSupplierParty") || inside(it, "PayeeParty"));
                    !parent_is(it, "PartyIdentification") || creditor || schemed(it, List::Schemes)
                }),
                Syntax::Cii => elements(model, hits, &["GlobalID"], |it| {
                    inside(it, "SpecifiedTradeProduct") || inside(it, "ShipToTradeParty") || schemed(it, List::Schemes)
                }),
            }
        })
    ),
    rule!(
        "BR-DEX-05",
        ["BT-30", "BT-47", "BT-61"],
        "the scheme of a legal registration shall be of ISO 6523 or of DiGA",
        Custom(|model, hits| {
            match model.syntax {
                Syntax::Ubl => elements(model, hits, &["CompanyID"], |it| {
                    !parent_is(it, "PartyLegalEntity") || schemed(it, List::Schemes)
                }),
                Syntax::Cii => elements(model, hits, &["ID"], |it| {
                    inside(it, "SpecifiedTaxRegistration") || schemed(it, List::Schemes)
                }),
            }
        })
    ),
    rule!(
        "BR-DEX-06",
        ["BT-157"],
        "the scheme of an item's identifier shall be of ISO 6523 or of DiGA",
        Custom(|model, hits| {
            match model.syntax {
                Syntax::Ubl => elements(model, hits, &["ID"], |it| {
                    !parent_is(it, "StandardItemIdentification") || schemed(it, List::Schemes)
                }),
                Syntax::Cii => elements(model, hits, &["GlobalID"], |it| {
                    !parent_is(it, "SpecifiedTradeProduct") || schemed(it, List::Schemes)
                }),
            }
        })
    ),
    rule!(
        "BR-DEX-07",
        ["BT-34", "BT-49"],
        "the scheme of an electronic address shall be of the EAS list or of DiGA",
        Custom(|model, hits| {
            elements(model, hits, &["EndpointID", "URIID"], |it| {
                let addressed = model.syntax == Syntax::Ubl || parent_is(it, "URIUniversalCommunication");
                !addressed || schemed(it, List::Addresses)
            });
        })
    ),
    rule!(
        "BR-DEX-08",
        ["BT-71"],
        "the scheme of a place of delivery shall be of ISO 6523 or of DiGA",
        Custom(|model, hits| {
            elements(model, hits, &["ID", "GlobalID"], |it| {
                let place = match model.syntax {
                    Syntax::Ubl => parent_is(it, "DeliveryLocation"),
                    Syntax::Cii => it.tag_name().name() == "GlobalID" && parent_is(it, "ShipToTradeParty"),
                };
                !place || schemed(it, List::Schemes)
            });
        })
    ),
    rule!(
        "BR-DEX-09",
        ["BT-115", "BT-112", "BT-113", "BT-114", "BT-DEX-002"],
        "the amount due shall be the total with VAT less what is paid plus the rounding plus what third parties are paid",
        Each(Bg::Totals, |model, it| model.syntax == Syntax::Cii || due_with_third_parties(model, it))
    ),
    rule!(
        "BR-DEX-10",
        ["BT-DEX-001"],
        "a payment to a third party shall have a type",
        Custom(|model, hits| third_parties(model, hits, |it| !text_at(it, "ID").is_empty()))
    ),
    rule!(
        "BR-DEX-11",
        ["BT-DEX-002"],
        "a payment to a third party shall have an amount",
        Custom(|model, hits| third_parties(model, hits, |it| !text_at(it, "PaidAmount").is_empty()))
    ),
    rule!(
        "BR-DEX-12",
        ["BT-DEX-003"],
        "a payment to a third party shall have a description",
        Custom(|model, hits| third_parties(model, hits, |it| !text_at(it, "InstructionID").is_empty()))
    ),
    rule!(
        "BR-DEX-13",
        ["BT-DEX-002"],
        "the amount of a payment to a third party may have two decimals",
        Custom(|model, hits| third_parties(model, hits, |it| {
            text_at(it, "PaidAmount").split_once('.').is_none_or(|(_, part)| part.len() <= 2)
        }))
    ),
    rule!(
        "BR-DEX-14",
        ["BT-DEX-002", "BT-5"],
        "a payment to a third party shall be in the currency of the invoice",
        Custom(|model, hits| {
            let currency = model.text(Bg::Document, Bt(5)).into_owned();
            third_parties(model, hits, |it| {
                nodes(it, "PaidAmount").into_iter().any(|it| it.attribute("currencyID") == Some(currency.as_str()))
            });
        })
    ),
    rule!(warning "BR-DEX-15", ["BG-25"], "in CII, lines below lines should not stand in XRechnung", Custom(|model, hits| {
        elements(model, hits, &["ParentLineID"], |_| model.syntax == Syntax::Ubl);
    })),
];

pub(in crate::rules) const VEHICLES: &[Rule] = &[
    rule!(
        "BR-DE-CVD-01",
        ["BT-12"],
        "an invoice for vehicles shall have a contract reference",
        Filled(Bg::Document, &[Bt(12)])
    ),
    rule!(
        "BR-DE-CVD-02",
        ["BT-17"],
        "an invoice for vehicles shall name the tender or lot",
        Document(|model| {
            let Some(document) = model.one(Bg::Document) else { return true };
            match model.syntax {
                Syntax::Ubl => document.filled(Bt(17)),
                Syntax::Cii => {
                    model.all(Bg::Support).any(|it| text_at(it.node, "TypeCode") == "50" && it.filled(Bt(122)))
                }
            }
        })
    ),
    rule!(
        "BR-DE-CVD-03",
        ["BT-158", "BT-160"],
        "a line at least shall have a vehicle's category (CVD) and its kind (cva)",
        Document(|model| model.all(Bg::Line).any(|it| is_vehicle(it) && !kinds(model, it).is_empty()))
    ),
    rule!(
        "BR-DE-CVD-04",
        ["BT-158"],
        "a vehicle's category shall be M1, M2, M3, N1, N2 or N3",
        Each(Bg::Line, |_, it| {
            it.nodes(Bt(158)).all(|it| {
                attribute(it, "listID") != "CVD" || matches!(text(it).as_ref(), "M1" | "M2" | "M3" | "N1" | "N2" | "N3")
            })
        })
    ),
    rule!(
        "BR-DE-CVD-05",
        ["BT-161"],
        "a vehicle's kind (cva) shall be clean, zero-emission or other",
        Each(Bg::Line, |model, it| {
            kinds(model, it)
                .into_iter()
                .all(|it| matches!(it.text(Bt(161)).as_ref(), "clean" | "zero-emission" | "other"))
        })
    ),
    rule!(
        "BR-DE-CVD-06-a",
        ["BT-158", "BT-160"],
        "a line with a vehicle's category shall have one kind (cva)",
        Each(Bg::Line, |model, it| !is_vehicle(it) || kinds(model, it).len() == 1)
    ),
    rule!(
        "BR-DE-CVD-06-b",
        ["BT-158", "BT-160"],
        "a line with a vehicle's kind (cva) shall have one category (CVD)",
        Each(Bg::Line, |model, it| {
            let categories = it.nodes(Bt(158)).filter(|it| attribute(*it, "listID") == "CVD").count();
            kinds(model, it).is_empty() || categories == 1
        })
    ),
    rule!(
        "BR-TMP-CVD-01",
        ["BT-158"],
        "the scheme of a classification shall be of UNTDID 7143, or CVD",
        Each(Bg::Line, |_, it| {
            it.nodes(Bt(158))
                .map(|it| attribute(it, "listID"))
                .all(|it| it == "CVD" || codes::lists(List::Classifications, it))
        })
    ),
];

fn is_vehicle(line: &Group<'_, '_>) -> bool {
    line.nodes(Bt(158)).any(|it| attribute(it, "listID") == "CVD")
}

/// The attributes of the item that are named `cva`.
fn kinds<'m, 'a, 'input>(model: &'m Model<'a, 'input>, line: &Group<'a, 'input>) -> Vec<&'m Group<'a, 'input>> {
    model.inside(line, Bg::Attribute).filter(|it| it.text(Bt(160)) == "cva").collect()
}

fn elements<'a, 'input>(
    model: &Model<'a, 'input>,
    hits: &mut Hits<'a, 'input>,
    names: &'static [&'static str],
    holds: impl Fn(Node<'a, 'input>) -> bool,
) {
    for node in model.one(Bg::Document).into_iter().flat_map(|it| named(it.node, names)).filter(|it| !holds(*it)) {
        hits.at(node);
    }
}

fn parent_is(node: Node<'_, '_>, name: &str) -> bool {
    node.parent().is_some_and(|it| it.tag_name().name() == name)
}

fn inside(node: Node<'_, '_>, name: &str) -> bool {
    node.ancestors().skip(1).any(|it| it.tag_name().name() == name)
}

/// Without a scheme there is nothing to ask. XR01 to XR03 are the German registers of digital health applications.
fn schemed(node: Node<'_, '_>, list: List) -> bool {
    let given = node.attribute("schemeID").map(str::trim);
    given.is_none_or(|it| matches!(it, "XR01" | "XR02" | "XR03") || codes::lists(list, it))
}

/// Payments to third parties (BG-DEX-09), which UBL invoices alone can have.
fn third_parties<'a, 'input>(
    model: &Model<'a, 'input>,
    hits: &mut Hits<'a, 'input>,
    holds: impl Fn(Node<'a, 'input>) -> bool,
) {
    for root in model.all(Bg::Document).map(|it| it.node).filter(|it| it.tag_name().name() == "Invoice") {
        for payment in nodes(root, "PrepaidPayment").into_iter().filter(|it| !holds(*it)) {
            hits.at(payment);
        }
    }
}

fn due_with_third_parties(model: &Model<'_, '_>, totals: &Group<'_, '_>) -> bool {
    let paid = model.one(Bg::Document).map(|it| nodes(it.node, "PrepaidPayment/PaidAmount")).unwrap_or_default();
    let third = sum(paid.into_iter().map(text).filter(|it| !it.is_empty()).map(|it| number(&it)));
    let optional = |term| totals.number(term).unwrap_or(Some(Decimal::ZERO));
    let less = |from: Option<Decimal>, by: Option<Decimal>| from.zip(by).and_then(|(from, by)| from.checked_sub(by));
    let due = less(totals.amount(Bt(115)), optional(Bt(114))).map(cents);
    let left = less(totals.amount(Bt(112)), optional(Bt(113)));
    let left = left.zip(third).and_then(|(left, third)| left.checked_add(third)).map(cents);
    due.is_some() && due == left && any(totals.node, "PayableAmount")
}
