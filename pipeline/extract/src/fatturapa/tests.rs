#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use case::{Evidence, Extraction, FieldName, Format, Kind, LineField, VatField};

/// A professional's invoice: two lines, one discounted, one exempt; pension fund, withholding and stamp duty.
fn ordinary(kind: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><p:FatturaElettronica versione='FPR12' \
         xmlns:p='http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2'><FatturaElettronicaHeader>\
         <CedentePrestatore><DatiAnagrafici><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>01234567890</IdCodice></IdFiscaleIVA>\
         <CodiceFiscale>RSSMRA70A01H501S</CodiceFiscale><Anagrafica><Nome>Maria</Nome><Cognome>Rossi</Cognome></Anagrafica>\
         </DatiAnagrafici><Sede><Nazione>IT</Nazione></Sede></CedentePrestatore>\
         <CessionarioCommittente><DatiAnagrafici><CodiceFiscale>09876543210</CodiceFiscale><Anagrafica>\
         <Denominazione>Porto  Hafen S.p.A.</Denominazione></Anagrafica></DatiAnagrafici></CessionarioCommittente>\
         </FatturaElettronicaHeader><FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento>\
         <TipoDocumento>{kind}</TipoDocumento><Divisa>EUR</Divisa><Data>2026-03-04</Data><Numero>12/A</Numero>\
         <DatiRitenuta><TipoRitenuta>RT01</TipoRitenuta><ImportoRitenuta>38.00</ImportoRitenuta></DatiRitenuta>\
         <DatiBollo><BolloVirtuale>SI</BolloVirtuale><ImportoBollo>2.00</ImportoBollo></DatiBollo>\
         <DatiCassaPrevidenziale><ImportoContributoCassa>8.00</ImportoContributoCassa></DatiCassaPrevidenziale>\
         <ImportoTotaleDocumento>253.56</ImportoTotaleDocumento></DatiGeneraliDocumento>\
         <DatiOrdineAcquisto><RiferimentoNumeroLinea>1</RiferimentoNumeroLinea><IdDocumento>PO-7</IdDocumento><NumItem>10</NumItem>\
         </DatiOrdineAcquisto><DatiFattureCollegate><IdDocumento>9/A</IdDocumento></DatiFattureCollegate></DatiGenerali>\
         <DatiBeniServizi><DettaglioLinee><NumeroLinea>1</NumeroLinea><Descrizione>Consulenza</Descrizione>\
         <Quantita>2.00</Quantita><UnitaMisura>ore</UnitaMisura><PrezzoUnitario>100.00</PrezzoUnitario>\
         <ScontoMaggiorazione><Tipo>SC</Tipo><Percentuale>10.00</Percentuale></ScontoMaggiorazione>\
         <ScontoMaggiorazione><Tipo>MG</Tipo><Importo>5.00</Importo></ScontoMaggiorazione>\
         <PrezzoTotale>190.00</PrezzoTotale><AliquotaIVA>22.00</AliquotaIVA></DettaglioLinee>\
         <DettaglioLinee><NumeroLinea>2</NumeroLinea><Descrizione>Spese</Descrizione><PrezzoUnitario>10.00</PrezzoUnitario>\
         <PrezzoTotale>10.00</PrezzoTotale><AliquotaIVA>0.00</AliquotaIVA><Natura>N1</Natura></DettaglioLinee>\
         <DatiRiepilogo><AliquotaIVA>22.00</AliquotaIVA><ImponibileImporto>198.00</ImponibileImporto><Imposta>43.56</Imposta></DatiRiepilogo>\
         <DatiRiepilogo><AliquotaIVA>0.00</AliquotaIVA><Natura>N1</Natura><ImponibileImporto>10.00</ImponibileImporto><Imposta>0.00</Imposta></DatiRiepilogo>\
         </DatiBeniServizi><DatiPagamento><CondizioniPagamento>TP01</CondizioniPagamento>\
         <DettaglioPagamento><DataScadenzaPagamento>2026-04-04</DataScadenzaPagamento><ImportoPagamento>100.00</ImportoPagamento>\
         <IBAN>IT60 X054 2811 1010 0000 0123 456</IBAN></DettaglioPagamento>\
         <DettaglioPagamento><ImportoPagamento>115.56</ImportoPagamento></DettaglioPagamento></DatiPagamento>\
         </FatturaElettronicaBody></p:FatturaElettronica>"
    )
}

#[track_caller]
fn read(document: &[u8]) -> Extraction {
    let answer = crate::read(document).unwrap().extraction;
    Extraction::from_untrusted(&serde_json::to_vec(&answer).unwrap()).unwrap()
}

#[track_caller]
fn has(answer: &Extraction, fields: &[(FieldName, &str)]) {
    for (name, value) in fields {
        assert_eq!(answer.text(*name), Some(*value), "{name:?}");
    }
}

#[test]
fn an_italian_invoice_is_read_with_the_place_of_each_value() {
    use FieldName::*;
    let answer = read(ordinary("TD01").as_bytes());
    assert_eq!((answer.format, answer.kind), (Format::FatturaPa, Kind::Invoice));
    has(
        &answer,
        &[
            (Number, "12/A"),
            (TypeCode, "TD01"),
            (IssueDate, "2026-03-04"),
            (DueDate, "2026-04-04"),
            (Currency, "EUR"),
            (SellerName, "Maria Rossi"),
            (SellerVatId, "IT01234567890"),
            (SellerTaxId, "RSSMRA70A01H501S"),
            (SellerCountry, "IT"),
            (BuyerName, "Porto Hafen S.p.A."),
            (BuyerTaxId, "09876543210"),
            (OrderRef, "PO-7"),
            (PrecedingInvoice, "9/A"),
            (NetTotal, "208.00"),
            (TaxTotal, "43.56"),
            (ChargeTotal, "8.00"),
            (StampDuty, "2.00"),
            (GrossTotal, "253.56"),
            (Withholding, "38.00"),
            (Payable, "215.56"),
            (Iban, "IT60X0542811101000000123456"),
        ],
    );
    assert_eq!(answer.text(BuyerVatId), None);
    let Evidence::Element { path, .. } = &answer.field(SellerVatId).unwrap().evidence else { panic!() };
    assert_eq!(path, "/FatturaElettronica/FatturaElettronicaHeader/CedentePrestatore/DatiAnagrafici/IdFiscaleIVA");
    assert_eq!(answer.fields.vat_breakdown[1][&VatField::Category].value, "N1");
    let line = |idx: usize, name: LineField| answer.lines[idx].get(&name).map(|it| it.value.as_str());
    assert_eq!(line(0, LineField::Allowance), Some("10.00"));
    assert_eq!((line(0, LineField::OrderRef), line(0, LineField::OrderLine)), (Some("PO-7"), Some("10")));
    assert_eq!((line(1, LineField::OrderRef), line(1, LineField::VatCategory)), (None, Some("N1")));
    assert_eq!(answer.notes, []);
}

#[test]
fn the_credit_notes_of_italy_are_credit_notes() {
    assert_eq!(read(ordinary("TD04").as_bytes()).kind, Kind::CreditNote);
    assert_eq!(read(ordinary("TD05").as_bytes()).kind, Kind::Invoice);
}

#[test]
fn of_a_batch_the_first_invoice_is_read_and_the_rest_counts_as_unread() {
    let one = ordinary("TD01");
    let body = one.split_once("<FatturaElettronicaBody>").unwrap().1.split_once("</FatturaElettronicaBody>").unwrap().0;
    let closing = "</p:FatturaElettronica>";
    let batch = one.replace(closing, &format!("<FatturaElettronicaBody>{body}</FatturaElettronicaBody>{closing}"));
    let answer = read(batch.as_bytes());
    assert_eq!((answer.coverage.pages, answer.coverage.read), (2, 1));
    assert_eq!(answer.notes[0].code, "several_invoices");
}

#[test]
fn the_vat_that_a_public_buyer_keeps_back_is_withheld() {
    let split = ordinary("TD01")
        .replace("<Imposta>43.56</Imposta>", "<Imposta>43.56</Imposta><EsigibilitaIVA>S</EsigibilitaIVA>");
    has(&read(split.as_bytes()), &[(FieldName::Withholding, "81.56")]);
}

#[test]
fn a_simplified_invoice_says_what_it_says_and_no_more() {
    use FieldName::*;
    let text = "<f:FatturaElettronicaSemplificata xmlns:f='http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.0' versione='FSM10'>\
        <FatturaElettronicaHeader><CedentePrestatore><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>01234567890</IdCodice></IdFiscaleIVA>\
        <Denominazione>Bar Centrale</Denominazione><Sede><Nazione>IT</Nazione></Sede></CedentePrestatore>\
        <CessionarioCommittente><IdentificativiFiscali><CodiceFiscale>09876543210</CodiceFiscale></IdentificativiFiscali>\
        </CessionarioCommittente></FatturaElettronicaHeader><FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento>\
        <TipoDocumento>TD08</TipoDocumento><Divisa>EUR</Divisa><Data>2026-03-04</Data><Numero>3</Numero></DatiGeneraliDocumento>\
        </DatiGenerali><DatiBeniServizi><Descrizione>Pranzo</Descrizione><Importo>22.00</Importo><DatiIVA><Imposta>2.00</Imposta>\
        </DatiIVA></DatiBeniServizi></FatturaElettronicaBody></f:FatturaElettronicaSemplificata>";
    let answer = read(text.as_bytes());
    assert_eq!(answer.kind, Kind::CreditNote);
    has(
        &answer,
        &[
            (SellerName, "Bar Centrale"),
            (SellerCountry, "IT"),
            (BuyerTaxId, "09876543210"),
            (GrossTotal, "22.00"),
            (TaxTotal, "2.00"),
        ],
    );
    assert_eq!(answer.text(NetTotal), None);
    assert_eq!(answer.lines[0][&LineField::Tax].value, "2.00");
}

#[test]
fn an_invoice_in_a_signed_envelope_is_read_and_the_signature_noted() {
    let xml = ordinary("TD01");
    // SignedData with lengths left open: only what stands before the document.
    let head = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x01\x00\xa0\x80\x24\x80";
    let chunks: Vec<u8> = xml.as_bytes().chunks(100).flat_map(|it| [&[4, it.len() as u8], it].concat()).collect();
    let envelope = [&head[..], &chunks, &[0; 12]].concat();
    let answer = read(&envelope);
    has(&answer, &[(FieldName::Number, "12/A")]);
    assert_eq!(answer.notes[0].code, "signed");
    assert_eq!(read(xml.as_bytes()).fields, answer.fields);
    let wrapped = (0..6).fold(envelope, |inner, _| {
        let length = u32::try_from(inner.len()).unwrap().to_be_bytes();
        [&head[..head.len() - 2], &[4, 0x84], &length, &inner, &[0; 10]].concat()
    });
    let err = crate::read(&wrapped).unwrap_err().to_string();
    assert_eq!(err, "the document has 5 signed envelopes around it, more than the 4 allowed");
}

#[test]
fn what_is_to_pay_is_the_sum_of_all_payments_but_for_ways_to_choose_from() {
    let payment = |terms: &str, amounts: &[&str]| {
        let details: String = amounts
            .iter()
            .map(|it| format!("<DettaglioPagamento><ImportoPagamento>{it}</ImportoPagamento></DettaglioPagamento>"))
            .collect();
        format!("<DatiPagamento><CondizioniPagamento>{terms}</CondizioniPagamento>{details}</DatiPagamento>")
    };
    let document = ordinary("TD01");
    let (before, rest) = document.split_once("<DatiPagamento>").unwrap();
    let (_, after) = rest.split_once("</DatiPagamento>").unwrap();
    for (payments, payable) in [
        (payment("TP01", &["100.00", "115.56"]), Some("215.56")),
        (payment("TP01", &["100.00"]) + &payment("TP01", &["115.56"]), Some("215.56")),
        (payment("TP02", &["253.56", "253.56"]), Some("253.56")),
        (payment("TP02", &["215.56"]) + &payment("TP02", &["215.56"]), Some("215.56")),
        (payment("TP02", &["107.78", "107.78"]), Some("215.56")),
        (payment("TP02", &["115.56"]) + &payment("TP01", &["100.00"]), Some("215.56")),
        (payment("TP03", &["40.00"]), None),
        (String::new(), None),
    ] {
        let found = read(format!("{before}{payments}{after}").as_bytes());
        assert_eq!(found.text(FieldName::Payable), payable, "{payments}");
    }
}

#[test]
fn discounts_and_rounding_of_the_whole_document_are_read() {
    let with = |more: &str| {
        let whole = ordinary("TD01").replace("<ImportoTotaleDocumento>", &format!("{more}<ImportoTotaleDocumento>"));
        read(
            whole
                .replace("<ImponibileImporto>198", "<Arrotondamento>0.01</Arrotondamento><ImponibileImporto>198")
                .as_bytes(),
        )
    };
    let more = "<ScontoMaggiorazione><Tipo>SC</Tipo><Importo>12.00</Importo></ScontoMaggiorazione>\
                <Arrotondamento>-0.40</Arrotondamento>";
    use FieldName::*;
    has(&with(more), &[(AllowanceTotal, "12.00"), (Rounding, "-0.40"), (ChargeTotal, "8.01")]);
    let unclear = with("<ScontoMaggiorazione><Tipo>SC</Tipo></ScontoMaggiorazione>");
    assert_eq!((unclear.text(AllowanceTotal), unclear.notes[0].code.as_str()), (None, "value_unreadable"));
}
