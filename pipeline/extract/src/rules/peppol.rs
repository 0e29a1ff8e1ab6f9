//! Peppol BIS Billing 3.0 (OpenPeppol), with its self-billing: PEPPOL-EN16931-R. XRechnung takes over most of these;
//! what is asked of single elements (codes, dates, identifiers) is Peppol's alone and in [`elements`].

pub(super) mod elements;
pub(super) mod national;
mod registers;

#[cfg(test)]
pub(super) mod tests;

use roxmltree::Node;
use rust_decimal::Decimal;

use super::model::{Bg, Bt, Group, Model, Syntax, text};
use super::path::{any, first, named, nodes, number_at, text_at};
use super::totals::{cents, sum};
use super::{Check::*, Hits, Rule, rule, xrechnung};

const BILLING: &str = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
const SELF_BILLING: &str = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0";

/// Told by BT-24. An excerpt that does not say what it follows is checked too.
pub(super) fn applies(model: &Model<'_, '_>) -> bool {
    let named = model.text(Bg::Document, Bt(24)).to_ascii_lowercase();
    ["peppol.eu:2017:poacc:billing", "peppol.eu:2017:poacc:selfbilling"].iter().any(|it| named.contains(it))
        || is_excerpt(model)
}

/// Names no specification, and is no invoice that only forgot its number or its lines: of those parties and totals stand there.
fn is_excerpt(model: &Model<'_, '_>) -> bool {
    let (number, line) = (model.has(Bg::Document, Bt(1)), model.any(Bg::Line));
    let parties = model.any(Bg::Seller) && model.any(Bg::Buyer) && model.any(Bg::Totals);
    let whole = (number && line) || (parties && (number || line || model.has(Bg::Document, Bt(2))));
    !(whole || model.has(Bg::Document, Bt(24)))
}

/// What Peppol and XRechnung ask alike.
pub(super) fn shared(model: &Model<'_, '_>) -> bool {
    applies(model) || xrechnung::applies(model)
}

pub(super) const SHARED: &[Rule] = &[
    rule!(
        "PEPPOL-EN16931-R001",
        ["BT-23"],
        "an invoice shall name its business process",
        Custom(|model, hits| {
            for it in contexts(model, "ExchangedDocumentContext") {
                let path = if model.syntax == Syntax::Ubl {
                    "ProfileID"
                } else {
                    "BusinessProcessSpecifiedDocumentContextParameter/ID"
                };
                if !any(it, path) {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R005",
        ["BT-6"],
        "the currency of VAT accounting shall be another than that of the invoice",
        Custom(|model, hits| {
            let own = model.text(Bg::Document, Bt(5));
            for code in model.all(Bg::Document).flat_map(|it| it.nodes(Bt(6))).collect::<Vec<_>>() {
                if text(code) == own {
                    hits.at(code);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R008",
        [],
        "an invoice shall have no empty element",
        Custom(|model, hits| {
            if model.syntax == Syntax::Cii && !xrechnung::applies(model) {
                return;
            }
            for node in model.one(Bg::Document).into_iter().flat_map(|it| it.node.descendants()) {
                // CII cannot do without the element of delivery.
                let spared = model.syntax == Syntax::Cii && is(node, "ApplicableHeaderTradeDelivery");
                let empty = node.is_element() && !node.children().any(|it| it.is_element()) && text(node).is_empty();
                if empty && !spared {
                    hits.at(node);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R010",
        ["BT-49"],
        "the buyer shall have an electronic address",
        Each(Bg::Buyer, |model, it| has_address(model, it, Bt(49)))
    ),
    rule!(
        "PEPPOL-EN16931-R020",
        ["BT-34"],
        "the seller shall have an electronic address",
        Each(Bg::Seller, |model, it| has_address(model, it, Bt(34)))
    ),
    rule!(
        "PEPPOL-EN16931-R040",
        ["BT-92", "BT-93", "BT-94"],
        "an allowance or charge shall be its base times its percentage",
        Custom(|model, hits| allowances(model, hits, |it| {
            let [base, percent, amount] = parts(model, it);
            let (Some(base), Some(percent)) = (base, percent) else { return true };
            let product = base
                .zip(percent)
                .and_then(|(base, percent)| base.checked_mul(percent))
                .map(|it| it / Decimal::ONE_HUNDRED);
            near(amount.unwrap_or(Some(Decimal::ZERO)), product, slack(model))
        }))
    ),
    rule!(
        "PEPPOL-EN16931-R041",
        ["BT-93", "BT-94"],
        "an allowance or charge with a percentage shall have a base amount",
        Custom(|model, hits| allowances(model, hits, |it| {
            let [base, percent, _] = parts(model, it);
            percent.is_none() || base.is_some()
        }))
    ),
    rule!(
        "PEPPOL-EN16931-R042",
        ["BT-93", "BT-94"],
        "an allowance or charge with a base amount shall have a percentage",
        Custom(|model, hits| allowances(model, hits, |it| {
            let [base, percent, _] = parts(model, it);
            base.is_none() || percent.is_some()
        }))
    ),
    rule!(
        "PEPPOL-EN16931-R044",
        ["BT-147"],
        "a price shall have no charge",
        Custom(|model, hits| {
            for it in discounts(model).filter(|it| text_at(*it, "ChargeIndicator") != "false").collect::<Vec<_>>() {
                hits.at(it);
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R046",
        ["BT-146", "BT-147", "BT-148"],
        "the net price shall be the gross price less the discount",
        Custom(|model, hits| {
            for it in discounts(model) {
                let Some(gross) = number_at(it, "BaseAmount") else { continue };
                let net = it.parent().and_then(|it| number_at(it, "PriceAmount")).flatten();
                let off = number_at(it, "Amount").flatten();
                let left = gross.zip(off).and_then(|(gross, off)| gross.checked_sub(off));
                if net.is_none() || net != left {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R053",
        ["BT-110", "BG-23"],
        "there shall be one total of VAT with a breakdown",
        Custom(|model, hits| {
            for it in contexts(model, SETTLEMENT) {
                let holds = match model.syntax {
                    Syntax::Ubl => nodes(it, "TaxTotal").into_iter().filter(|it| any(*it, "TaxSubtotal")).count() == 1,
                    Syntax::Cii => {
                        let own = text_at(it, "InvoiceCurrencyCode");
                        let totals = nodes(it, TAX_TOTAL)
                            .into_iter()
                            .filter(|it| it.attribute("currencyID") == Some(&own))
                            .count();
                        totals == 1 || (totals == 0 && xrechnung::applies(model))
                    }
                };
                if !holds {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R054",
        ["BT-6", "BT-111"],
        "there shall be one total of VAT without a breakdown where VAT is accounted in another currency, and else none",
        Custom(|model, hits| {
            for it in contexts(model, SETTLEMENT) {
                let others = match model.syntax {
                    Syntax::Ubl => nodes(it, "TaxTotal").into_iter().filter(|it| !any(*it, "TaxSubtotal")).count(),
                    Syntax::Cii => {
                        let own = first(it, "InvoiceCurrencyCode").map(text);
                        let other = |code: &str| own.as_ref().is_some_and(|own| code != own);
                        nodes(it, TAX_TOTAL)
                            .into_iter()
                            .filter(|it| it.attribute("currencyID").is_some_and(other))
                            .count()
                    }
                };
                if others != usize::from(any(it, "TaxCurrencyCode")) {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R055",
        ["BT-110", "BT-111"],
        "both totals of VAT shall have the same sign",
        Custom(|model, hits| {
            for it in contexts(model, SETTLEMENT) {
                let path = if model.syntax == Syntax::Ubl { "TaxTotal/TaxAmount" } else { TAX_TOTAL };
                let own = if model.syntax == Syntax::Ubl { "DocumentCurrencyCode" } else { "InvoiceCurrencyCode" };
                let amounts = |code: &str| -> Vec<Decimal> {
                    let of_code = nodes(it, path).into_iter().filter(|it| it.attribute("currencyID") == Some(code));
                    of_code.filter_map(|it| super::model::number(&text(it))).collect()
                };
                let (theirs, ours) = (amounts(&text_at(it, "TaxCurrencyCode")), amounts(&text_at(it, own)));
                // UBL lets 0 stand with both signs, CII with the positive.
                let below = |it: &Decimal| *it < Decimal::ZERO || (model.syntax == Syntax::Ubl && it.is_zero());
                let above = |it: &Decimal| Decimal::ZERO <= *it;
                let same = (theirs.iter().any(below) && ours.iter().any(below))
                    || (theirs.iter().any(above) && ours.iter().any(above));
                let spared = model.syntax == Syntax::Cii && xrechnung::applies(model) && ours.is_empty();
                if any(it, "TaxCurrencyCode") && !same && !spared {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R061",
        ["BT-89"],
        "a direct debit (49, 59) shall name the mandate",
        Each(Bg::Payment, |model, it| {
            let debit = matches!(it.text(Bt(81)).as_ref(), "49" | "59");
            !debit
                || match model.syntax {
                    Syntax::Ubl => any(it.node, "PaymentMandate/ID"),
                    Syntax::Cii => {
                        it.node.parent().is_some_and(|it| any(it, "SpecifiedTradePaymentTerms/DirectDebitMandateID"))
                    }
                }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R101",
        ["BT-128"],
        "a document that a line refers to shall be an invoiced object (130)",
        Each(Bg::Line, |model, it| {
            let documents = referred(model, it);
            documents.is_empty() || documents.into_iter().any(|it| object_type(it) == "130")
        })
    ),
    rule!(
        "PEPPOL-EN16931-R110",
        ["BT-134", "BT-73"],
        "the period of a line shall not start before that of the invoice",
        Custom(|model, hits| within_period(model, hits, Bt(73), Bt(134), |line, whole| whole <= line))
    ),
    rule!(
        "PEPPOL-EN16931-R111",
        ["BT-135", "BT-74"],
        "the period of a line shall not end after that of the invoice",
        Custom(|model, hits| within_period(model, hits, Bt(74), Bt(135), |line, whole| line <= whole))
    ),
    rule!(
        "PEPPOL-EN16931-R121",
        ["BT-149"],
        "the base quantity of a price shall be above 0",
        Custom(|model, hits| {
            const PRICES: &[&str] = &["Price", "NetPriceProductTradePrice", "GrossPriceProductTradePrice"];
            let path = if model.syntax == Syntax::Ubl { "BaseQuantity" } else { "BasisQuantity" };
            for price in model.one(Bg::Document).into_iter().flat_map(|it| named(it.node, PRICES)) {
                if number_at(price, path).is_some_and(|it| it.is_none_or(|it| it <= Decimal::ZERO)) {
                    hits.at(price);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R130",
        ["BT-150", "BT-130"],
        "the base quantity of a price shall be in the unit of the line's quantity",
        Custom(|model, hits| {
            for line in model.all(Bg::Line) {
                let unit = line.nodes(Bt(130)).find_map(|it| it.attribute("unitCode"));
                let bases = match model.syntax {
                    Syntax::Ubl => nodes(line.node, "Price/BaseQuantity"),
                    Syntax::Cii => ["NetPriceProductTradePrice", "GrossPriceProductTradePrice"]
                        .iter()
                        .flat_map(|it| {
                            nodes(line.node, "SpecifiedLineTradeAgreement").into_iter().flat_map(|at| nodes(at, it))
                        })
                        .flat_map(|it| nodes(it, "BasisQuantity"))
                        .collect(),
                };
                let spared = model.syntax == Syntax::Ubl && !line.has(Bt(129));
                for base in bases.into_iter().filter(|it| it.attribute("unitCode").is_some_and(|it| Some(it) != unit)) {
                    if !spared {
                        hits.at(base);
                    }
                }
            }
        })
    ),
];

pub(super) const RULES: &[Rule] = &[
    rule!(
        "PEPPOL-EN16931-R002",
        ["BG-1"],
        "an invoice shall have one note at most, unless it is between Germans",
        Custom(|model, hits| {
            for it in contexts(model, "ExchangedDocument") {
                let notes = nodes(it, if model.syntax == Syntax::Ubl { "Note" } else { "IncludedNote" });
                let holds = match model.syntax {
                    Syntax::Ubl => notes.len() <= 1 || between(model, "DE"),
                    Syntax::Cii => notes.len() <= 1 && !notes.iter().any(|it| any(*it, "SubjectCode")),
                };
                if !holds {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R003",
        ["BT-10", "BT-13"],
        "an invoice shall have a buyer reference or a purchase order",
        Custom(|model, hits| {
            let order = if model.syntax == Syntax::Ubl {
                "OrderReference/ID"
            } else {
                "BuyerOrderReferencedDocument/IssuerAssignedID"
            };
            for it in
                contexts(model, AGREEMENT).into_iter().filter(|it| !any(*it, "BuyerReference") && !any(*it, order))
            {
                hits.at(it);
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R004",
        ["BT-24"],
        "the specification identifier shall be that of Peppol BIS Billing 3.0",
        Custom(|model, hits| {
            let named = model.text(Bg::Document, Bt(24));
            let own = (named.starts_with(BILLING) || named.starts_with(SELF_BILLING)) && !named.contains("::");
            for it in contexts(model, "ExchangedDocumentContext").into_iter().filter(|_| !own) {
                hits.at(it);
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R006",
        ["BT-18"],
        "one invoiced object (130) may be named",
        Custom(|model, hits| {
            if model.syntax == Syntax::Cii {
                at_most_one(model, hits, "130");
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R007",
        ["BT-23"],
        "the business process shall be one of Peppol's",
        Custom(|model, hits| {
            for it in contexts(model, "ExchangedDocumentContext") {
                if process(model).is_none() {
                    hits.at(it);
                }
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R043",
        ["BG-20", "BG-21", "BG-27", "BG-28"],
        "the indicator of an allowance or charge shall be true or false",
        Custom(|model, hits| {
            indicators(model, hits);
            price_indicators(model, hits);
        })
    ),
    rule!(
        "PEPPOL-EN16931-R080",
        ["BT-11"],
        "one project reference (50) may be given",
        Custom(|model, hits| {
            let root = model.one(Bg::Document).map(|it| it.node.tag_name().name());
            if root != Some("Invoice") {
                at_most_one(model, hits, "50");
            }
        })
    ),
    rule!(
        "PEPPOL-EN16931-R100",
        ["BT-128"],
        "a line may refer to one invoiced object",
        Each(Bg::Line, |model, it| {
            let documents = referred(model, it);
            documents.iter().filter(|it| model.syntax == Syntax::Ubl || object_type(**it) == "130").count() <= 1
        })
    ),
    rule!(
        "PEPPOL-EN16931-R120",
        ["BT-131", "BT-129", "BT-146", "BT-149"],
        "the net amount of a line shall be its quantity times its price, with its charges, less its allowances",
        Custom(line_amounts)
    ),
];

const SETTLEMENT: &str = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement";
const AGREEMENT: &str = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement";
const TAX_TOTAL: &str = "SpecifiedTradeSettlementHeaderMonetarySummation/TaxTotalAmount";

/// What a rule of the document speaks of: the document in UBL, the elements at the path in CII.
fn contexts<'a, 'input>(model: &Model<'a, 'input>, path: &str) -> Vec<Node<'a, 'input>> {
    let Some(document) = model.one(Bg::Document) else { return Vec::new() };
    match model.syntax {
        Syntax::Ubl => vec![document.node],
        Syntax::Cii => nodes(document.node, path),
    }
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

fn has_address(model: &Model<'_, '_>, party: &Group<'_, '_>, term: Bt) -> bool {
    match model.syntax {
        Syntax::Ubl => party.has(term),
        Syntax::Cii => any(party.node, "URIUniversalCommunication/URIID"),
    }
}

/// Are seller and buyer of the country?
fn between(model: &Model<'_, '_>, country: &str) -> bool {
    [(Bg::SellerAddress, Bt(40)), (Bg::BuyerAddress, Bt(55))]
        .iter()
        .all(|(kind, term)| model.text(*kind, *term).eq_ignore_ascii_case(country))
}

/// The two digits of the process in BT-23.
pub(super) fn process<'m>(model: &Model<'m, '_>) -> Option<[u8; 2]> {
    let named = model.text(Bg::Document, Bt(23));
    let billing = ["urn:fdc:peppol.eu:2017:poacc:billing:", "urn:fdc:peppol.eu:2017:poacc:selfbilling:"];
    let rest = billing.iter().find_map(|it| named.split_once(it)).map(|(_, rest)| rest)?;
    let (number, version) = rest.split_once(':')?;
    let number: [u8; 2] = number.as_bytes().try_into().ok()?;
    (number.iter().all(u8::is_ascii_digit) && version.starts_with("1.0")).then_some(number)
}

/// The elements of allowances and charges of the document and of lines, whatever their indicator says.
fn allowances<'a, 'input>(
    model: &Model<'a, 'input>,
    hits: &mut Hits<'a, 'input>,
    holds: impl Fn(Node<'a, 'input>) -> bool,
) {
    let Some(document) = model.one(Bg::Document) else { return };
    for it in named(document.node, &["AllowanceCharge", "SpecifiedTradeAllowanceCharge"]) {
        let around = it.parent().is_some_and(|it| {
            matches!(it.tag_name().name(), "Invoice" | "CreditNote" | "InvoiceLine" | "CreditNoteLine")
        });
        if (around || model.syntax == Syntax::Cii) && !holds(it) {
            hits.at(it);
        }
    }
}

/// Base amount, percentage and amount of an allowance or charge, as [`number_at`] gives them.
fn parts(model: &Model<'_, '_>, allowance: Node<'_, '_>) -> [Option<Option<Decimal>>; 3] {
    let names = match model.syntax {
        Syntax::Ubl => ["BaseAmount", "MultiplierFactorNumeric", "Amount"],
        Syntax::Cii => ["BasisAmount", "CalculationPercent", "ActualAmount"],
    };
    names.map(|it| number_at(allowance, it))
}

pub(super) fn indicators<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    allowances(model, hits, |it| {
        let [base, percent, _] = parts(model, it);
        // With one of the two missing, that rule speaks.
        base.is_some() != percent.is_some() || told(model, it)
    });
}

/// The indicators of allowances on prices, in CII.
pub(super) fn price_indicators<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    let Some(document) = model.one(Bg::Document) else { return };
    for it in named(document.node, &["AppliedTradeAllowanceCharge"]).filter(|it| !told(model, *it)) {
        hits.at(it);
    }
}

fn told(model: &Model<'_, '_>, allowance: Node<'_, '_>) -> bool {
    let path = if model.syntax == Syntax::Ubl { "ChargeIndicator" } else { "ChargeIndicator/Indicator" };
    matches!(text_at(allowance, path).as_str(), "true" | "false")
}

/// The discounts on prices, in UBL.
fn discounts<'m, 'a, 'input>(
    model: &'m Model<'a, 'input>,
) -> impl Iterator<Item = Node<'a, 'input>> + use<'m, 'a, 'input> {
    let prices = model.one(Bg::Document).into_iter().flat_map(|it| named(it.node, &["Price"]));
    prices.flat_map(|it| nodes(it, "AllowanceCharge"))
}

/// The forint has no smaller unit in practice, which XRechnung allows for.
fn slack(model: &Model<'_, '_>) -> Decimal {
    match xrechnung::applies(model) && model.text(Bg::Document, Bt(5)) == "HUF" {
        true => Decimal::new(5, 1),
        false => Decimal::new(2, 2),
    }
}

fn near(found: Option<Decimal>, expected: Option<Decimal>, slack: Decimal) -> bool {
    let off = found.zip(expected).and_then(|(found, expected)| found.checked_sub(expected));
    off.is_some_and(|it| it.abs() <= slack)
}

pub(super) fn line_amounts<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    hits.each(model, Bg::Line, |line| {
        let zero = Some(Decimal::ZERO);
        let quantity = line.number(Bt(129)).unwrap_or(Some(Decimal::ONE));
        let price = line.number(Bt(146)).unwrap_or(zero);
        let Some(base) = base_quantity(model, line) else { return false };
        let all = |kind, term| sum(model.inside(line, kind).filter_map(|it| it.number(term))).map(cents);
        let goods = quantity.zip(price).and_then(|(quantity, price)| quantity.checked_mul(price.checked_div(base)?));
        let plus = goods.zip(all(Bg::LineCharge, Bt(141))).and_then(|(goods, plus)| goods.checked_add(plus));
        let net = plus.zip(all(Bg::LineAllowance, Bt(136))).and_then(|(sum, less)| sum.checked_sub(less));
        near(line.number(Bt(131)).unwrap_or(zero), net, slack(model))
    });
}

/// The quantity that the price is for; 1 where none or 0 is given. Absent where it is no number.
fn base_quantity(model: &Model<'_, '_>, line: &Group<'_, '_>) -> Option<Decimal> {
    let net = line.number(Bt(149)).unwrap_or(Some(Decimal::ZERO))?;
    let gross = match model.syntax == Syntax::Cii && xrechnung::applies(model) {
        true => {
            let agreement = first(line.node, "SpecifiedLineTradeAgreement");
            let gross = agreement.and_then(|it| number_at(it, "GrossPriceProductTradePrice/BasisQuantity"));
            gross.unwrap_or(Some(Decimal::ZERO))?
        }
        false => Decimal::ZERO,
    };
    Some([net, gross].into_iter().find(|it| !it.is_zero()).unwrap_or(Decimal::ONE))
}

/// Documents that a line refers to.
fn referred<'a, 'input>(model: &Model<'a, 'input>, line: &Group<'a, 'input>) -> Vec<Node<'a, 'input>> {
    match model.syntax {
        Syntax::Ubl => nodes(line.node, "DocumentReference"),
        Syntax::Cii => nodes(line.node, "SpecifiedLineTradeSettlement/AdditionalReferencedDocument"),
    }
}

/// What kind of document a reference is for (UNTDID 1001).
fn object_type(reference: Node<'_, '_>) -> String {
    let code = text_at(reference, "DocumentTypeCode");
    if code.is_empty() { text_at(reference, "TypeCode") } else { code }
}

fn at_most_one<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>, kind: &str) {
    let name = if model.syntax == Syntax::Ubl { "AdditionalDocumentReference" } else { "AdditionalReferencedDocument" };
    for it in contexts(model, AGREEMENT) {
        if 1 < nodes(it, name).into_iter().filter(|it| object_type(*it) == kind).count() {
            hits.at(it);
        }
    }
}

/// Dates of a form sort as texts.
fn within_period<'a, 'input>(
    model: &Model<'a, 'input>,
    hits: &mut Hits<'a, 'input>,
    whole: Bt,
    line: Bt,
    holds: fn(&str, &str) -> bool,
) {
    let Some(limit) = model.all(Bg::Period).find_map(|it| it.node(whole)).map(text) else { return };
    for date in model.all(Bg::LinePeriod).flat_map(|it| it.nodes(line)).collect::<Vec<_>>() {
        if !holds(&text(date), &limit) {
            hits.at(date);
        }
    }
}
