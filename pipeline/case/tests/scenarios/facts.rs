//! Rows that bring in facts, and the facts that go without saying.

use case::{
    Account, Bill, CallBack, CaseId, Claim, ContractRate, Conversion, Decimal, Employee, Extraction, Fact, Invoice,
    OrderLine, PayeeCheck, PayeeMatch, Payment, Receipt, Vendor,
};
use jiff::ToSpan;
use jiff::civil::Date;
use uuid::Uuid;

use super::super::{Brought, DATED, IBAN, IMPORTER, Row, VAT_ID, cents, number};
use super::Setting;

impl Setting {
    /// A fact that is brought in; none where the row sets up something else.
    pub(super) fn fact(&mut self, text: &str) -> Option<Brought> {
        self.rows += 1;
        let row = Row::of(text);
        let fact = match row.word(0) {
            "order" => Fact::OrderLine(order_line(&row)),
            "received" => Fact::Receipt(Receipt {
                receipt_id: format!("GR-{}", self.rows),
                order_id: row.text("of").unwrap_or("PO-1".into()),
                line: row.text("line").unwrap_or("1".into()),
                quantity: number(row.word(1)),
                unit: row.text("in"),
                accepted: row.number("accepted"),
                returned: row.number("returned"),
                date: row.date("on").unwrap_or("2026-06-01".parse().unwrap()),
            }),
            "earlier" => Fact::Bill(Box::new(self.earlier(number(row.word(1))))),
            "billed" => Fact::Bill(Box::new(self.billed(&row))),
            "also" => Fact::Vendor(Vendor {
                vendor_id: row.word(2).into(),
                name: row.text("called").unwrap_or("Nordwind GmbH".into()),
                vat_id: row.text("vat"),
                tax_id: None,
                country: Some("DE".into()),
                iban: row.text("account"),
                bic: None,
                group: row.text("group"),
                valid_from: None,
            }),
            "unit" => Fact::Unit(Conversion {
                from_unit: row.word(1).into(),
                factor: number(row.word(3)),
                to_unit: row.word(4).into(),
                item: row.text("item"),
            }),
            "contract" if !row.word(1).is_empty() => Fact::Contract(contract(&row)),
            "employee" => Fact::Employee(Employee {
                employee_id: row.word(1).into(),
                name: row.text("called").unwrap_or("Kim Lee".into()),
                iban: row.text("account"),
            }),
            "paid" => Fact::Payment(Payment {
                payment_id: row.text("as").unwrap_or(format!("P-{}", self.rows)),
                date: row.date("on").unwrap_or("2026-06-12".parse().unwrap()),
                amount: -number(row.word(1)),
                currency: "EUR".into(),
                iban: row.text("to"),
                text: row.text("saying").unwrap_or_default(),
            }),
            _ => return None,
        };
        let case = (row.word(0) == "billed" && row.has("here")).then(|| CaseId(Uuid::from_u128(8)));
        Some(Brought { fact, case, by: row.after("by").unwrap_or(IMPORTER).into() })
    }

    pub(super) fn account(&self, row: &Row<'_>) -> Brought {
        let checker = row.text("checked");
        let call = row.date("called").map(|on| CallBack {
            number: "+49 30 1234567".into(),
            spoke_with: "Ms Sommer, bookkeeping".into(),
            answer: "the account is ours".into(),
            on,
        });
        let account = Account {
            vendor_id: row.text("of").unwrap_or("V1".into()),
            iban: row.word(1).into(),
            bic: None,
            approved_from: row.date("approved"),
            approved_to: row.date("until"),
            proposed_on: None,
            maker: row.after("by").unwrap_or(IMPORTER).into(),
            checker,
            call,
            payee_check: row.after("check").and_then(PayeeMatch::named).map(|result| PayeeCheck {
                result,
                on: self.today,
                by: "bank".into(),
            }),
        };
        let by = account.maker.clone();
        Brought { fact: Fact::Account(account), case: None, by }
    }

    /// What was billed of the order before, in pieces of its first line; negative where it was credited.
    fn earlier(&self, quantity: Decimal) -> Bill {
        let price = self.facts.iter().find_map(|it| match &it.fact {
            Fact::OrderLine(line) => Some(line.unit_price / line.price_unit),
            _ => None,
        });
        let amount = cents(quantity * price.unwrap_or_default());
        let claim = Claim { order_id: "PO-1".into(), line: "1".into(), item: None, quantity, amount, freight: false };
        Bill {
            credit: quantity.is_sign_negative(),
            vendor_id: Some("V1".into()),
            cluster: VAT_ID.into(),
            number: Some(format!("E-{}", self.rows)),
            date: Some("2026-05-04".parse().unwrap()),
            currency: Some("EUR".into()),
            net: Some(amount.abs()),
            gross: Some(with_vat(amount.abs())),
            claims: vec![claim],
            ..Bill::default()
        }
    }

    fn billed(&self, row: &Row<'_>) -> Bill {
        let gross = row.number("gross").or(row.number("net").map(with_vat));
        let net = row.number("net").or(gross.map(|gross| cents(gross / Decimal::new(119, 2))));
        let credit = row.has("credit");
        let amount = row.number("amount").or(net).unwrap_or_default();
        let sign = if credit { -Decimal::ONE } else { Decimal::ONE };
        let claim = row.text("order").or(row.text("contract")).map(|order_id| Claim {
            order_id,
            line: row.text("line").unwrap_or(if row.has("order") && !row.has("whole") { "1" } else { "" }.into()),
            item: row.text("item"),
            quantity: sign * row.number("quantity").unwrap_or_default(),
            amount: sign * amount,
            freight: row.has("freight"),
        });
        Bill {
            credit,
            vendor_id: row.text("vendor").or(Some("V1".into())),
            cluster: row.text("from").unwrap_or(VAT_ID.into()),
            number: Some(row.word(1).replace('_', " ")),
            date: Some(row.date("on").unwrap_or("2026-05-04".parse().unwrap())),
            served_from: row.date("served"),
            served_to: row.date("to"),
            currency: Some("EUR".into()),
            net,
            gross,
            iban: row.text("account").or(Some(IBAN.into())),
            cost_centre: row.text("centre"),
            preceding: row.text("of"),
            fingerprint: row.has("lines").then(|| "as here".to_owned()),
            claims: claim.into_iter().collect(),
            above: row.number("above").unwrap_or_default(),
            paid_on: row.date("paid"),
            ..Bill::default()
        }
    }

    /// So many earlier bills of one amount, 13 days from one another.
    pub(super) fn history(&mut self, row: &Row<'_>) {
        let start: Date = DATED.parse().unwrap();
        for n in 1..=row.word(1).parse::<i64>().unwrap() {
            let mut bill = self.billed(row);
            bill.number = Some(format!("H-{}-{n}", self.rows));
            let days = 13 * n + row.number("shifted").map_or(0, |days| i64::try_from(days).unwrap());
            bill.date = Some(start.checked_sub(days.days()).unwrap());
            self.facts.push(Brought { fact: Fact::Bill(Box::new(bill)), case: None, by: IMPORTER.into() });
        }
    }

    /// What was said, and what goes without saying: the vendor with its approved account, and that it is no new one.
    pub(in super::super) fn all_facts(&self, answer: &[u8]) -> Vec<Brought> {
        let brought = |fact| Brought { fact, case: None, by: IMPORTER.into() };
        let extraction = Extraction::from_untrusted(answer).unwrap();
        let invoice = Invoice::of(&extraction).0;
        let mut facts = self.facts.clone();
        for it in &mut facts {
            if let Fact::Bill(bill) = &mut it.fact
                && bill.fingerprint.is_some()
            {
                bill.fingerprint = invoice.fingerprint();
            }
        }
        let Some(vendor) = &self.vendor else { return facts };
        facts.push(brought(Fact::Vendor(vendor.clone())));
        facts.extend(self.accounts.clone());
        if self.accounts.is_empty()
            && let Some(mut account) = vendor.account(true, IMPORTER, case::Timestamp(0))
        {
            account.approved_from = Some("2025-01-01".parse().unwrap());
            account.payee_check =
                self.payee_check.map(|result| PayeeCheck { result, on: self.today, by: "bank".into() });
            facts.push(brought(Fact::Account(account)));
        }
        if let Some(case) = self.twin {
            let twin = Bill {
                vendor_id: Some(vendor.vendor_id.clone()),
                cluster: VAT_ID.into(),
                number: invoice.number.clone(),
                date: invoice.issue_date,
                currency: invoice.currency.clone(),
                net: Some(self.net),
                gross: invoice.gross(),
                iban: Some(IBAN.into()),
                ..Bill::default()
            };
            facts.push(Brought { case: Some(case), ..brought(Fact::Bill(Box::new(twin))) });
        }
        facts
    }
}

fn order_line(row: &Row<'_>) -> OrderLine {
    OrderLine {
        order_id: row.text("as").unwrap_or("PO-1".into()),
        vendor_id: row.text("with").unwrap_or("V1".into()),
        currency: row.text("currency").unwrap_or("EUR".into()),
        line: row.text("line").unwrap_or("1".into()),
        quantity: number(row.word(1)),
        unit: Some(row.word(2)).filter(|unit| *unit != "at").unwrap_or("EA").into(),
        unit_price: row.number("at").unwrap(),
        price_unit: row.number("per").unwrap_or(Decimal::ONE),
        item: row.text("item"),
        description: row.text("called").or(Some("Bolts".into())),
        tax_rate: Some(row.number("tax").unwrap_or(19.into())),
        commodity: row.text("commodity"),
        match_level: row.after("match").unwrap_or("3").parse().unwrap(),
        blanket: row.has("blanket"),
        value_limit: row.number("limit"),
        valid_from: row.date("from"),
        valid_to: row.date("until"),
        contract_id: row.text("contract"),
        freight_planned: row.number("freight"),
    }
}

fn contract(row: &Row<'_>) -> ContractRate {
    ContractRate {
        contract_id: row.word(1).into(),
        vendor_id: row.text("with").unwrap_or("V1".into()),
        valid_from: row.date("from").unwrap_or("2026-01-01".parse().unwrap()),
        valid_to: row.date("until"),
        currency: Some("EUR".into()),
        item: row.text("item"),
        rate: row.number("rate"),
        index_cap_percent: row.number("cap"),
        tier_from: row.number("above"),
        not_to_exceed: row.number("limit"),
        payment_days: row.after("days").map(|days| days.parse().unwrap()),
        renewal: row.text("renews"),
    }
}

fn with_vat(net: Decimal) -> Decimal {
    net + cents(net * Decimal::new(19, 2))
}
