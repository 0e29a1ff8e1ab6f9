#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Each payment as `date amount currency account "text"`, account `-` where there is none.
#[track_caller]
fn check(file: &[u8], expected: &[&str]) -> BankStatement {
    let read = statement(file).unwrap();
    let lines = read.payments.iter().map(|it| {
        format!("{} {} {} {} {:?}", it.date, it.amount, it.currency, it.iban.as_deref().unwrap_or("-"), it.text)
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    let ids: BTreeSet<&str> = read.payments.iter().map(|it| it.payment_id.as_str()).collect();
    assert_eq!(ids.len(), read.payments.len(), "each line has its own id");
    read
}

#[track_caller]
fn refused(file: &[u8], reason: &str) {
    let err = statement(file).unwrap_err().to_string();
    assert!(err.contains(reason), "{err}");
}

fn camt(version: &str, statements: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}\">\
         <BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>{statements}</BkToCstmrStmt></Document>"
    )
}

fn stmt(balances: &str, entries: &str) -> String {
    format!("<Stmt><Id>S</Id><Acct><Id><IBAN>DE02 1203 0000 0000 2020 51</IBAN></Id></Acct>{balances}{entries}</Stmt>")
}

fn bal(kind: &str, amount: &str, side: &str, day: &str) -> String {
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>\
         <CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )
}

fn ntry(amount: &str, side: &str, rest: &str) -> String {
    format!(
        "<Ntry><NtryRef>1</NtryRef><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2026-06-15</Dt></BookgDt><ValDt><Dt>2026-06-16</Dt></ValDt>{rest}</Ntry>"
    )
}

const TO_VENDOR: &str = "<RltdPties><Dbtr><Nm>We</Nm></Dbtr><DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct>\
    <CdtrAcct><Id><IBAN>DE89 3704 0044 0532 0130 00</IBAN></Id></CdtrAcct></RltdPties>";

fn details(inner: &str) -> String {
    format!("<NtryDtls><TxDtls>{inner}</TxDtls></NtryDtls>")
}

#[test]
fn a_camt_statement_gives_its_booked_entries_with_the_other_side() {
    let paid = details(&format!(
        "<Refs><AcctSvcrRef>B1</AcctSvcrRef><EndToEndId>E2E</EndToEndId></Refs>{TO_VENDOR}\
         <RmtInf><Ustrd>RE 1001</Ustrd><Ustrd>RE 1002</Ustrd><Strd><RfrdDocInf><Nb>1003</Nb></RfrdDocInf></Strd></RmtInf>"
    ));
    let back = details(&format!("{TO_VENDOR}<RmtInf><Ustrd>RE 1001</Ustrd></RmtInf>"));
    let entries = [
        ntry("2380.00", "DBIT", &paid),
        // The reversal of a debit comes in, and its parties stay.
        ntry("500", "CRDT", &format!("<RvslInd>true</RvslInd>{back}")),
        ntry("4.90", "DBIT", "<AddtlNtryInf>Entgelt</AddtlNtryInf>"),
        ntry("9.00", "DBIT", "").replace("BOOK", "PDNG"),
    ];
    let balances = bal("OPBD", "1000.00", "CRDT", "2026-06-15") + &bal("CLBD", "884.9", "DBIT", "2026-06-15");
    for version in ["02", "08", "13"] {
        let file = camt(version, &stmt(&balances, &entries.concat()));
        let read = check(
            file.as_bytes(),
            &[
                "2026-06-15 -2380 EUR DE89370400440532013000 \"RE 1001 RE 1002 1003\"",
                "2026-06-15 500 EUR DE89370400440532013000 \"RE 1001\"",
                "2026-06-15 -4.9 EUR - \"Entgelt\"",
            ],
        );
        assert_eq!(read.form, BankForm::Camt053);
        assert_eq!(read.payments[0].payment_id, "DE02120300000000202051:2026-06-15:B1");
        assert_eq!(read.balances[0].closing, Decimal::new(-8849, 1));
    }
    // Version 2 has the status as text, and dates with a time.
    let old = ntry("1", "CRDT", "")
        .replace("<Cd>BOOK</Cd>", "BOOK")
        .replace("<Dt>2026-06-15</Dt>", "<DtTm>2026-06-15T01:00:00</DtTm>");
    check(camt("02", &stmt("", &old)).as_bytes(), &["2026-06-15 1 EUR - \"\""]);
}

#[test]
fn a_batch_is_as_many_payments_as_say_what_they_moved() {
    let part = |amount: &str, text: &str| {
        format!(
            "<TxDtls><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>{TO_VENDOR}<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"
        )
    };
    let batch = |parts: &str| {
        ntry(
            "300",
            "DBIT",
            &format!("<AcctSvcrRef>B7</AcctSvcrRef><NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>{parts}</NtryDtls>"),
        )
    };
    let two = batch(&(part("100.00", "1001") + &part("200", "1002")));
    let expected =
        ["2026-06-15 -100 EUR DE89370400440532013000 \"1001\"", "2026-06-15 -200 EUR DE89370400440532013000 \"1002\""];
    check(camt("08", &stmt("", &two)).as_bytes(), &expected);
    // Up to version 3 a payment's own amount lies deeper.
    let deeper = two.replace("<TxDtls><Amt Ccy='EUR'>", "<TxDtls><AmtDtls><TxAmt><Amt Ccy='EUR'>");
    let deeper = deeper.replace("</Amt><CdtDbtInd>DBIT</CdtDbtInd><RltdPties>", "</Amt></TxAmt></AmtDtls><RltdPties>");
    check(camt("02", &stmt("", &deeper)).as_bytes(), &expected);
    // Where they do not add up, or one says nothing, the batch is one line of no one account.
    for parts in [
        part("100", "1001") + &part("100", "1002"),
        part("300", "1001") + "<TxDtls><RmtInf><Ustrd>1002</Ustrd></RmtInf></TxDtls>",
    ] {
        check(camt("08", &stmt("", &batch(&parts))).as_bytes(), &["2026-06-15 -300 EUR - \"1001 1002\""]);
    }
}

#[test]
fn lines_that_do_not_lie_between_the_balances_are_refused_with_both_numbers() {
    let balances = bal("PRCD", "100", "CRDT", "2026-06-14") + &bal("CLBD", "90", "CRDT", "2026-06-15");
    let file = camt("08", &stmt(&balances, &ntry("20", "DBIT", "")));
    refused(
        file.as_bytes(),
        "statement 1: the opening balance 100 and the lines make 80, and the closing balance is 90",
    );
    // Of several days the first and the last count.
    let days = bal("CLBD", "95", "CRDT", "2026-06-14") + &balances + &bal("OPBD", "110", "CRDT", "2026-06-14");
    check(camt("08", &stmt(&days, &ntry("20", "DBIT", ""))).as_bytes(), &["2026-06-15 -20 EUR - \"\""]);
    refused(MT940.replace("EUR9310,00", "EUR9310,01").as_bytes(), "make 9310, and the closing balance is 9310.01");
}

#[test]
fn camt_that_says_too_little_or_is_another_message_is_refused() {
    let entry = |from: &str, to: &str| camt("08", &stmt("", &ntry("20", "DBIT", "").replace(from, to)));
    refused(entry("DBIT", "OUT").as_bytes(), "statement 1, entry 1: neither DBIT nor CRDT");
    refused(entry("20</Amt>", "1,20</Amt>").as_bytes(), "no amount in a currency");
    refused(entry(">20<", ">-20<").as_bytes(), "no amount in a currency");
    refused(entry(">20<", ">99999999999999<").as_bytes(), "no amount in a currency");
    refused(entry(" Ccy='EUR'", "").as_bytes(), "no amount in a currency");
    refused(entry("2026-06-1", "2026-06-9").as_bytes(), "no booking date");
    refused(camt("08", "").replace("camt.053", "camt.054").as_bytes(), "camt.054.001.08}Document");
    refused(b"<a><b></a>", "line 1, column");
    refused(b"<!DOCTYPE a [<!ENTITY l 'ha'>]><a>&l;</a>", "document type");
    refused(b" \n", "empty");
}

const MT940: &str = "{1:F01AAAABB99BSMK3513951576}{2:O9400934081223BBBBAA33XXXX03592332770812230934N}{4:\r\n:20:STARTUMSE\r\n\
:25:12030000/0000202051\r\n:28C:00000/001\r\n:60F:C251231EUR10000,00\r\n\
:61:2601020102DR1190,00N177NONREF//2601020001\r\n\
:86:177?00ONLINE-UEBERWEISUNG?109310?20EREF+NOTPROVIDED?21SVWZ+RE-2026-0011 vom 3.\r\n1.?22und 1002?30COBADEFFXXX?31DE8937040044053201\r\n3000?32Muster GmbH?34997\r\n\
:61:2512311231RD600,00NTRFNONREF\r\n:86:166?00RUECKBUCHUNG?31000000000\r\n\
:61:2512310101RC100,NMSCREF1\r\nsupplementary\r\n:86:free text\r\nin two lines\r\n\
:62F:C260102EUR9310,00\r\n:86:of the whole statement\r\n-}\r\n";

#[test]
fn an_mt940_statement_is_read_with_its_german_subfields_and_marks() {
    let expected = [
        "2026-01-02 -1190 EUR DE89370400440532013000 \"EREF+NOTPROVIDED SVWZ+RE-2026-0011 vom 3.1. und 1002\"",
        "2025-12-31 600 EUR - \"RUECKBUCHUNG\"",
        "2026-01-01 -100 EUR - \"free text in two lines\"",
    ];
    let read = check(MT940.as_bytes(), &expected);
    assert_eq!(read.form, BankForm::Mt940);
    assert_eq!(read.balances[0].account, "12030000/0000202051");
    assert_eq!(read.payments[0].payment_id, "12030000/0000202051:2026-01-02:2601020001");
    // Bare, as most banks give it out, with several statements in a file.
    let bare = ":20:A\n:25:NL02ABNA0123456789\n:60F:D260615EUR1,00\n:62F:D260615EUR1,\n-\n\
        :20:B\n:25:NL02ABNA0123456789\n:60M:D260615EUR1,00\n:61:260615    C1,5NTRFNONREF//NONREF\n\
        :86:/TRTP/SEPA/IBAN/NL91ABNA0417164300/BIC/X/NAME/A/REMI/1001\n\
        :61:260615C\n10,00NTRFNONREF\n:61:2602300301D7.00N805NONREF\n:62M:C260615EUR3.5\n:64:C260615EUR3,5\n";
    let read = check(
        bare.as_bytes(),
        &[
            "2026-06-15 1.5 EUR NL91ABNA0417164300 \"/TRTP/SEPA/IBAN/NL91ABNA0417164300/BIC/X/NAME/A/REMI/1001\"",
            "2026-06-15 10 EUR - \"\"",
            "2026-03-01 -7 EUR - \"\"",
        ],
    );
    assert_eq!(read.balances.len(), 2);
    // Umlauts in an old encoding.
    let latin = MT940.replace("free text", "f\u{fc}r Sie").chars().map(|it| it as u32 as u8).collect::<Vec<u8>>();
    assert_eq!(statement(&latin).unwrap().payments[2].text, "für Sie in two lines");
}

#[test]
fn an_mt940_that_is_cut_or_not_understood_is_refused() {
    let without = |line: &str| MT940.lines().filter(|it| !it.starts_with(line)).collect::<Vec<_>>().join("\n");
    refused(without(":62F:").as_bytes(), "without its opening or closing balance: the file may be cut");
    refused(without(":60F:").as_bytes(), "line 5: a statement line that is not between the balances");
    refused(MT940.replace("DR1190,00", "X1190,00").as_bytes(), "line 6: no statement line");
    refused(MT940.replace("RD600,00", "RD600").as_bytes(), "no statement line");
    refused(MT940.replace("2601020102DR", "2613020199DR").as_bytes(), "no statement line");
    refused(MT940.replace("C260102EUR9310,00", "C260102USD9310,00").as_bytes(), "in another currency");
    refused(MT940.replace("C251231EUR", "X251231EUR").as_bytes(), "line 5: no balance");
}

#[test]
fn a_table_has_columns_of_known_names_and_values_that_can_be_nothing_else() {
    let read = check(
        "\u{feff}Date;Amount;currency;IBAN;text;reference\n2026-06-15;-1190.00;EUR;DE89 3704 0044 0532 0130 00;\"RE; 1001\";B1\n\
         15.06.2026;3.5;eur;;;\n"
            .as_bytes(),
        &["2026-06-15 -1190 EUR DE89370400440532013000 \"RE; 1001\"", "2026-06-15 3.5 EUR - \"\""],
    );
    assert_eq!((read.form, read.payments[0].payment_id.as_str()), (BankForm::Table, ":2026-06-15:B1"));
    check(b"date,amount,currency\n2026-06-15,0.125,KWD\n", &["2026-06-15 0.125 KWD - \"\""]);
    let row = |row: &str| format!("date;amount;currency;text\n{row}\n");
    refused(row("2026-06-15;1.234;EUR;").as_bytes(), "line 2: `1.234` is no amount");
    for written in ["1.234,00", "5,50", "1 000.50"] {
        refused(row(&format!("2026-06-15;{written};EUR;")).as_bytes(), "is no amount such as -1190.00");
    }
    refused(row("06/15/2026;1;EUR;").as_bytes(), "`06/15/2026` is no day");
    refused(row("2026-06-15;1;XYZ;").as_bytes(), "`XYZ` is no currency");
    refused(row("2026-06-15;1;EUR").as_bytes(), "3 fields in 4 columns");
    refused(row("2026-06-15;1;EUR;\"open\n2026-06-15;1;EUR;x").as_bytes(), "a quote may not be closed");
    refused(
        b"date;amount;currency;balance\n",
        "column `balance` is not known; the columns are date, amount, currency, iban",
    );
    refused(b"date;amount\n", "there is no column `currency`");
    refused(b"date;amount;currency;amount\n", "`amount`, or there are two of them");
    refused(b"some words\nand more\n", "not a bank statement that this reader knows");
    refused(b"%PDF-1.7\n\x00\x01", "not a bank statement that this reader knows");
}

#[test]
fn files_that_overlap_give_a_line_the_same_id() {
    let day = |day: &str, rows: &[&str]| rows.iter().map(|row| format!("2026-06-{day};{row}\n")).collect::<String>();
    let head = "date;amount;currency;text;reference\n";
    // Two equal lines, a reference that is there twice, and one that is another day's too.
    let first = day("15", &["-5;EUR;fee;", "-5;EUR;fee;", "-7;EUR;a;R1", "-8;EUR;b;R1", "-9;EUR;c;R2"]);
    let second = day("16", &["-5;EUR;fee;", "-9;EUR;c;R2"]);
    let ids = |rows: &str| -> Vec<String> {
        statement(format!("{head}{rows}").as_bytes()).unwrap().payments.into_iter().map(|it| it.payment_id).collect()
    };
    let both = ids(&format!("{first}{second}"));
    assert_eq!(both.iter().collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(both, [ids(&first), ids(&second)].concat());
}

#[test]
fn a_statement_that_is_twice_in_a_file_is_refused() {
    refused(
        MT940.repeat(2).as_bytes(),
        "statement 2: an earlier statement in the file has the same balance and the same lines",
    );
    let one = stmt(&bal("OPBD", "5", "CRDT", "2026-06-15"), &ntry("20", "DBIT", ""));
    refused(camt("08", &one.repeat(2)).as_bytes(), "statement 2: an earlier statement");
    // The same line on two pages is two lines.
    let next = one.replace("'EUR'>5<", "'EUR'>15<");
    let twice = "2026-06-15 -20 EUR - \"\"";
    check(camt("08", &(one + &next)).as_bytes(), &[twice, twice]);
}

#[test]
fn limits_are_kept() {
    let rows = "2026-06-15;1;EUR\n".repeat(LINES_MAX + 1);
    refused(
        format!("date;amount;currency\n{rows}").as_bytes(),
        "100001 lines of a bank statement, more than the 100000",
    );
    refused(&vec![b'a'; TEXT_BYTES_MAX + 1], "16777217 bytes of text, more than the 16777216");
    let long = format!("date;amount;currency;text\n2026-06-15;1;EUR;{}\n", "ä".repeat(5_000));
    let text = statement(long.as_bytes()).unwrap().payments.remove(0).text;
    assert!(text.chars().count() == TEXT_CHARS_MAX + 1 && text.ends_with('…'));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = statement(&bytes);
        let _ = statement(&[b"<".as_slice(), &bytes].concat());
        let _ = statement(&[b":20:\n:25:\n:60F:C260615EUR1,\n:61:".as_slice(), &bytes].concat());
        let _ = statement(&[b"date;amount;currency;text\n".as_slice(), &bytes].concat());
    }

    /// Files that are nearly right: pieces cut out, doubled and overwritten.
    #[test]
    fn no_damage_makes_the_readers_panic(which in 0..3_usize, cuts in proptest::collection::vec((0..2_000_usize, 0..60_usize, "\\PC{0,6}"), 0..6)) {
        let entry = ntry("20", "DBIT", &details(TO_VENDOR));
        let camt = camt("08", &stmt(&(bal("OPBD", "0", "CRDT", "2026-06-15") + &bal("CLBD", "20", "DBIT", "2026-06-15")), &entry));
        let mut file = [camt, MT940.to_owned(), "date;amount;currency;text\n2026-06-15;-1;EUR;é \"x\"\n".repeat(4)][which].clone().into_bytes();
        for (at, length, with) in cuts {
            let from = at.min(file.len());
            let to = (from + length).min(file.len());
            file.splice(from..to, with.bytes());
        }
        if let Ok(read) = statement(&file) {
            let ids: BTreeSet<&str> = read.payments.iter().map(|it| it.payment_id.as_str()).collect();
            prop_assert_eq!(ids.len(), read.payments.len());
        }
    }

    #[test]
    fn a_statement_line_of_any_letters_is_read_or_refused(line in "[0-9]{0,12}[CDR]{0,2}[A-Z]?[0-9,.é]{0,18}[A-Z0-9/é]{0,24}", info in "[0-9]{0,4}\\??[0-9]{0,2}\\PC{0,40}") {
        let _ = statement(format!(":20:A\n:25:B\n:60F:C260615EUR1,\n:61:{line}\n:86:{info}\n:62F:C260615EUR1,\n").as_bytes());
    }
}
