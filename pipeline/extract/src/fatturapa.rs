//! The Italian invoice, ordinary (FPR12, FPA12) and simplified (FSM10): specifications of the Agenzia delle Entrate for the
//! FatturaPA format, version 1.2 and after. One file may carry a batch (lotto) of invoices of one seller to one buyer.

use std::collections::BTreeMap;

use case::{Decimal, Evidence, Extraction, Field, FieldName, Format, LineField, VatField};
use roxmltree::Node;

use crate::harvest::{Account, Harvest, Value};
use crate::values::{decimal, identifier, machine_date, words};
use crate::xml::{CONFIDENCE, Tree, all, first, text};
use crate::{field, fit, note};

/// Credit notes, ordinary and simplified (TipoDocumento).
const CREDIT_NOTES: [&str; 2] = ["TD04", "TD08"];
/// Discounts on one price.
const DISCOUNTS_MAX: usize = 20;

pub(crate) fn is_root(root: Node<'_, '_>) -> bool {
    root.tag_name().name().starts_with("FatturaElettronica")
        && crate::xml::is_root(root)
        && !all(root, "FatturaElettronicaBody").is_empty()
}

/// Reads the first invoice below a root for which [`is_root`] holds; the others count as not read.
pub(crate) fn read(tree: &Tree, root: Node<'_, '_>) -> Extraction {
    let mut it = Harvest::new(tree, Format::FatturaPa);
    it.answer.language = Some("it".to_owned());
    if let Some(header) = it.part(root, "FatturaElettronicaHeader") {
        parties(&mut it, header);
    }
    let bodies = all(root, "FatturaElettronicaBody");
    if 1 < bodies.len() {
        it.answer.coverage.pages = u32::try_from(bodies.len()).unwrap_or(u32::MAX);
        let message = format!("{} invoices in one file; the first was read", bodies.len());
        it.answer.notes.push(note("several_invoices", message));
    }
    if root.children().any(|it| it.tag_name().name() == "Signature") {
        it.answer.notes.push(note("signed", "the document carries a signature, which was not verified"));
    }
    let simplified = root.tag_name().name() == "FatturaElettronicaSemplificata";
    for body in bodies.into_iter().take(1) {
        general(&mut it, body);
        if simplified {
            simple_goods(&mut it, body);
        } else {
            goods(&mut it, body);
            payment(&mut it, body);
        }
        let n_attached = all(body, "Allegati").len();
        if 0 < n_attached {
            let message = format!("{n_attached} files attached, which were not read");
            it.answer.notes.push(note("attachments_not_read", message));
        }
    }
    let credit = it.answer.text(FieldName::TypeCode).is_some_and(|it| CREDIT_NOTES.contains(&it));
    it.finish(credit)
}

fn parties(it: &mut Harvest<'_>, header: Node<'_, '_>) {
    use FieldName::*;
    for (party, [name, vat_id, tax_id, country]) in [
        ("CedentePrestatore", [SellerName, SellerVatId, SellerTaxId, SellerCountry]),
        ("CessionarioCommittente", [BuyerName, BuyerVatId, BuyerTaxId, BuyerCountry]),
    ] {
        let Some(party) = it.part(header, party) else { continue };
        // Where the ordinary and the simplified invoice put the same things.
        for at in ["", "DatiAnagrafici", "IdentificativiFiscali", "AltriDatiIdentificativi"] {
            let part = if at.is_empty() { Some(party) } else { all(party, at).into_iter().next() };
            let Some(part) = part else { continue };
            it.take(tax_id, part, "CodiceFiscale", identifier);
            if let Some(id) = all(part, "IdFiscaleIVA").into_iter().next() {
                let field = in_one(it, id, &["IdPaese", "IdCodice"], "");
                it.answer.fields.single.extend(field.map(|it| (vat_id, it)));
            }
            for person in [Some(part), all(part, "Anagrafica").into_iter().next()].into_iter().flatten() {
                let field = in_one(it, person, &["Nome", "Cognome"], " ");
                it.answer.fields.single.extend(field.map(|it| (name, it)));
                it.take(name, person, "Denominazione", words);
            }
            it.take(country, part, "Sede/Nazione", words);
        }
    }
}

/// A value in two elements, at the place of the one around them. None where one is missing.
fn in_one(it: &mut Harvest<'_>, node: Node<'_, '_>, parts: &[&str], between: &str) -> Option<Field> {
    let parts: Option<Vec<String>> = parts.iter().map(|part| words(&text(it.single(node, part)?))).collect();
    let value = parts?.join(between);
    let evidence = Evidence::Element { path: it.tree.path(node), text: value.clone() };
    Some(field(value, CONFIDENCE, evidence))
}

fn general(it: &mut Harvest<'_>, body: Node<'_, '_>) {
    use FieldName::{
        ContractRef, Currency, GrossTotal, IssueDate, Number, OrderRef, PrecedingInvoice, StampDuty, TypeCode,
    };
    let Some(general) = it.part(body, "DatiGenerali") else { return };
    let document = "DatiGeneraliDocumento";
    let path = |name: &str| format!("{document}/{name}");
    let fields: [(FieldName, &str, Value); 5] = [
        (TypeCode, "TipoDocumento", words),
        (Currency, "Divisa", words),
        (IssueDate, "Data", machine_date),
        (Number, "Numero", words),
        (GrossTotal, "ImportoTotaleDocumento", decimal),
    ];
    for (name, element, value) in fields {
        it.take(name, general, &path(element), value);
    }
    it.take(StampDuty, general, &path("DatiBollo/ImportoBollo"), decimal);
    it.take(OrderRef, general, "DatiOrdineAcquisto/IdDocumento", words);
    it.take(ContractRef, general, "DatiContratto/IdDocumento", words);
    it.take(PrecedingInvoice, general, "DatiFattureCollegate/IdDocumento", words);
    it.take(PrecedingInvoice, general, "DatiFatturaRettificata/NumeroFR", words);
}

fn goods(it: &mut Harvest<'_>, body: Node<'_, '_>) {
    use FieldName::*;
    let groups = all(body, "DatiBeniServizi/DatiRiepilogo");
    let n_read = fit::groups(&mut it.answer, groups.len());
    for group in groups.iter().take(n_read) {
        let fields = it.pick(
            *group,
            &[
                (VatField::Category, "Natura", words),
                (VatField::Rate, "AliquotaIVA", decimal),
                (VatField::Taxable, "ImponibileImporto", decimal),
                (VatField::Tax, "Imposta", decimal),
            ],
        );
        it.answer.fields.vat_breakdown.push(fields);
    }
    let general = "DatiGenerali/DatiGeneraliDocumento";
    let from_groups = |path: &str| groups.iter().filter_map(|it| first(*it, path)).collect::<Vec<_>>();
    let fund = all(body, &format!("{general}/DatiCassaPrevidenziale/ImportoContributoCassa"));
    // What a group was rounded by is in its base, as the costs beside the lines are.
    let costs = from_groups("SpeseAccessorie").into_iter().chain(from_groups("Arrotondamento"));
    let charges = fund.into_iter().chain(costs).collect();
    // Of a public buyer the State takes the VAT itself (scissione dei pagamenti).
    let split = groups.iter().filter(|it| first(**it, "EsigibilitaIVA").is_some_and(|it| text(it).trim() == "S"));
    let withheld = all(body, &format!("{general}/DatiRitenuta/ImportoRitenuta"));
    let withheld = withheld.into_iter().chain(split.filter_map(|it| first(*it, "Imposta"))).collect();
    for (name, nodes) in [
        (NetTotal, from_groups("ImponibileImporto")),
        (TaxTotal, from_groups("Imposta")),
        (ChargeTotal, charges),
        (Withholding, withheld),
    ] {
        let field = it.sum(&nodes);
        it.answer.fields.single.extend(field.map(|it| (name, it)));
    }
    it.take(Rounding, body, &format!("{general}/Arrotondamento"), decimal);
    document_discount(it, &all(body, &format!("{general}/ScontoMaggiorazione")));
    let lines = all(body, "DatiBeniServizi/DettaglioLinee");
    let n_read = fit::lines(&mut it.answer, lines.len());
    let orders = orders(body);
    for node in lines.into_iter().take(n_read) {
        let fields = line(it, node, &orders);
        it.answer.lines.push(fields);
    }
}

/// The order that each line names, by the line's number.
fn orders<'a, 'input>(body: Node<'a, 'input>) -> BTreeMap<String, Node<'a, 'input>> {
    let orders = all(body, "DatiGenerali/DatiOrdineAcquisto").into_iter();
    let named = orders.flat_map(|order| {
        all(order, "RiferimentoNumeroLinea").into_iter().map(move |line| (text(line).trim().to_owned(), order))
    });
    named.collect()
}

fn line(
    it: &mut Harvest<'_>,
    line: Node<'_, '_>,
    orders: &BTreeMap<String, Node<'_, '_>>,
) -> BTreeMap<LineField, Field> {
    use LineField::*;
    let paths: [(LineField, &str, Value); 9] = [
        (Id, "NumeroLinea", words),
        (Name, "Descrizione", words),
        (Item, "CodiceArticolo/CodiceValore", words),
        (Quantity, "Quantita", decimal),
        (Unit, "UnitaMisura", words),
        (UnitPrice, "PrezzoUnitario", decimal),
        (NetAmount, "PrezzoTotale", decimal),
        (VatRate, "AliquotaIVA", decimal),
        (VatCategory, "Natura", words),
    ];
    let mut fields = it.pick(line, &paths);
    if let Some(order) = fields.get(&Id).and_then(|id| orders.get(&id.value)) {
        fields.extend(it.pick(*order, &[(OrderRef, "IdDocumento", words as Value), (OrderLine, "NumItem", words)]));
    }
    let discounts = all(line, "ScontoMaggiorazione");
    if let (Some(first), Some(off)) = (discounts.first(), discount(&fields, &discounts)) {
        let name = if off < Decimal::ZERO { Charge } else { Allowance };
        let evidence =
            Evidence::Element { path: it.tree.path(*first), text: words(&texts(*first)).unwrap_or_default() };
        fields.insert(name, field(off.abs().to_string(), CONFIDENCE, evidence));
    }
    fields
}

/// What discounts (SC) and surcharges (MG) take off the whole document; percentages are of its net and VAT.
fn document_discount(it: &mut Harvest<'_>, discounts: &[Node<'_, '_>]) {
    let Some(first) = discounts.first() else { return };
    let of = |name: FieldName| it.answer.text(name).and_then(number).unwrap_or_default();
    let full = of(FieldName::NetTotal).checked_add(of(FieldName::TaxTotal));
    let left = full.and_then(|full| discounted(full, discounts));
    match full.zip(left).and_then(|(full, left)| full.checked_sub(left)) {
        Some(off) => {
            let shown = words(&texts(*first)).unwrap_or_default();
            let evidence = Evidence::Element { path: it.tree.path(*first), text: shown };
            let off = field(off.round_dp(2).to_string(), CONFIDENCE, evidence);
            it.answer.fields.single.insert(FieldName::AllowanceTotal, off);
        }
        None => {
            let message = format!("what `{}` takes off cannot be computed", it.tree.path(*first));
            it.answer.notes.push(note("value_unreadable", message));
        }
    }
}

/// What discounts (SC) and surcharges (MG), each on the price that the one before left, take off the line.
fn discount(fields: &BTreeMap<LineField, Field>, discounts: &[Node<'_, '_>]) -> Option<Decimal> {
    let number = |name: LineField| fields.get(&name).and_then(|it| it.value.parse::<Decimal>().ok());
    let full = number(LineField::UnitPrice)?;
    let price = discounted(full, discounts)?;
    let off = full.checked_sub(price)?.checked_mul(number(LineField::Quantity).unwrap_or(Decimal::ONE))?;
    Some(off.round_dp(2)).filter(|off| !off.is_zero())
}

/// What discounts and surcharges leave, each of what the one before left.
fn discounted(full: Decimal, discounts: &[Node<'_, '_>]) -> Option<Decimal> {
    let mut price = full;
    for discount in discounts.iter().take(DISCOUNTS_MAX) {
        let amount = |name: &str| first(*discount, name).and_then(|it| decimal(&text(it))?.parse::<Decimal>().ok());
        let off = match (amount("Importo"), amount("Percentuale")) {
            (Some(amount), _) => amount,
            (None, Some(percent)) => price.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?,
            (None, None) => return None,
        };
        let more = first(*discount, "Tipo").is_some_and(|it| text(it).trim() == "MG");
        price = if more { price.checked_add(off)? } else { price.checked_sub(off)? };
    }
    Some(price)
}

fn texts(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|it| it.text()).collect::<Vec<_>>().join(" ")
}

fn payment(it: &mut Harvest<'_>, body: Node<'_, '_>) {
    const AMOUNT: &str = "DettaglioPagamento/ImportoPagamento";
    const PLACES: Account = Account { code: "ModalitaPagamento", account: &["IBAN"], bank: "BIC", value: identifier };
    let payments = all(body, "DatiPagamento");
    let details = all(body, "DatiPagamento/DettaglioPagamento");
    it.take(FieldName::DueDate, body, "DatiPagamento/DettaglioPagamento/DataScadenzaPagamento", machine_date);
    it.account(&details, &PLACES);
    let terms = |payment: &Node<'_, '_>, code: &str| {
        first(*payment, "CondizioniPagamento").is_some_and(|it| text(it).trim() == code)
    };
    // An advance (TP03) says what was paid before, not what is left to pay.
    if payments.iter().any(|it| terms(it, "TP03")) {
        return;
    }
    let (at_once, instalments): (Vec<_>, Vec<_>) = payments.into_iter().partition(|it| terms(it, "TP02"));
    let mut amounts: Vec<_> = at_once.into_iter().flat_map(|it| all(it, AMOUNT)).collect();
    let instalments = instalments.into_iter().flat_map(|it| all(it, AMOUNT));
    // Paid at once (TP02), several details that each are the whole are ways to choose from; others are its parts.
    let wholes = wholes(it);
    let whole = |node: &Node<'_, '_>| number(&text(*node)).is_some_and(|it| wholes.contains(&it));
    if amounts.iter().all(whole) {
        amounts.truncate(1);
    }
    amounts.extend(instalments);
    let field = it.sum(&amounts);
    it.answer.fields.single.extend(field.map(|it| (FieldName::Payable, it)));
}

/// What may be the whole to pay: the total, as stated or of the groups, with and without what is withheld.
fn wholes(it: &Harvest<'_>) -> Vec<Decimal> {
    let of = |name: FieldName| it.answer.text(name).and_then(number);
    let computed = of(FieldName::NetTotal).map(|net| net.checked_add(of(FieldName::TaxTotal).unwrap_or_default()));
    let full = of(FieldName::GrossTotal).or(computed.flatten());
    let kept = of(FieldName::Withholding).unwrap_or_default();
    full.into_iter().flat_map(|full| [Some(full), full.checked_sub(kept)]).flatten().collect()
}

fn number(text: &str) -> Option<Decimal> {
    decimal(text)?.parse().ok()
}

/// A simplified invoice gives amounts with their VAT, and the VAT or its rate: a total without it is not stated.
fn simple_goods(it: &mut Harvest<'_>, body: Node<'_, '_>) {
    let goods = all(body, "DatiBeniServizi");
    let amounts: Vec<Node<'_, '_>> = goods.iter().filter_map(|it| first(*it, "Importo")).collect();
    let taxes: Vec<Node<'_, '_>> = goods.iter().filter_map(|it| first(*it, "DatiIVA/Imposta")).collect();
    let gross = it.sum(&amounts);
    it.answer.fields.single.extend(gross.map(|it| (FieldName::GrossTotal, it)));
    if taxes.len() == goods.len() {
        let tax = it.sum(&taxes);
        it.answer.fields.single.extend(tax.map(|it| (FieldName::TaxTotal, it)));
    }
    let n_read = fit::lines(&mut it.answer, goods.len());
    for node in goods.into_iter().take(n_read) {
        let paths: [(LineField, &str, Value); 4] = [
            (LineField::Name, "Descrizione", words),
            (LineField::Tax, "DatiIVA/Imposta", decimal),
            (LineField::VatRate, "DatiIVA/Aliquota", decimal),
            (LineField::VatCategory, "Natura", words),
        ];
        let fields = it.pick(node, &paths);
        it.answer.lines.push(fields);
    }
}

#[cfg(test)]
mod tests;
