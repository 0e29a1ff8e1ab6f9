//! What the rows above a scenario's first `=>` set up: a document, the policy, and what goes without saying.

use std::collections::BTreeMap;

use case::{CaseId, Decimal, PayeeMatch, Vendor};
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Brought, DATED, Deed, IBAN, Row, TODAY, VAT_ID, Word, cents, number};

#[path = "facts.rs"]
mod facts;

pub(super) struct Setting {
    pub(super) policy: [String; 3],
    pub(super) today: Date,
    kind: &'static str,
    format: &'static str,
    vendor: Option<Vendor>,
    /// The vendor's accounts; without any said, its own is approved.
    accounts: Vec<Brought>,
    payee_check: Option<PayeeMatch>,
    facts: Vec<Brought>,
    /// Read so far: what is brought in without a name is told apart by it.
    rows: usize,
    pub(super) money: Option<Deed>,
    pub(super) twice: bool,
    twin: Option<CaseId>,
    lines: Vec<Value>,
    /// As set by `field` and its like; they go before what follows from the lines.
    fields: BTreeMap<String, Option<String>>,
    /// The groups of VAT; none said: what follows from the lines.
    vat: Option<Vec<Value>>,
    clauses: Vec<Value>,
    notes: Vec<Value>,
    coverage: (u32, u32, u32),
    net: Decimal,
}

impl Setting {
    pub(super) fn new(policies: [&str; 3]) -> Setting {
        let vendor = Vendor {
            vendor_id: "V1".into(),
            name: "Nordwind GmbH".into(),
            vat_id: Some(VAT_ID.into()),
            tax_id: None,
            country: Some("DE".into()),
            iban: Some("DE89 3704 0044 0532 0130 00".into()),
            bic: None,
            group: None,
            valid_from: None,
        };
        Setting {
            policy: policies.map(str::to_owned),
            today: TODAY.parse().unwrap(),
            kind: "invoice",
            format: "ubl",
            vendor: Some(vendor),
            accounts: Vec::new(),
            payee_check: None,
            facts: Vec::new(),
            rows: 0,
            money: None,
            twice: false,
            twin: None,
            lines: Vec::new(),
            fields: BTreeMap::new(),
            vat: None,
            clauses: Vec::new(),
            notes: Vec::new(),
            coverage: (1, 1, 0),
            net: Decimal::ZERO,
        }
    }

    pub(super) fn row(&mut self, text: &str) {
        if let Some(fact) = self.fact(text) {
            return self.facts.push(fact);
        }
        let row = Row::of(text);
        match row.word(0) {
            "lenient" => self.policy[1] = self.policy[1].replace(r#""strict""#, r#""lenient""#),
            "policy" => self.policy_row(&row),
            "today" => self.today = row.word(1).parse().unwrap(),
            "page" => self.format = "pdf-text",
            "credit" => self.kind = "credit_note",
            "contract" if row.word(1).is_empty() => (self.kind, self.format) = ("contract", "docx"),
            "payments" => self.money = Some(Deed::Settle),
            "outstanding" => self.money = Some(Deed::Outstanding),
            "same" => self.twice = true,
            "twin" => self.twin = Some(CaseId(Uuid::from_u128(7))),
            "vendor" => {
                let vendor = self.vendor.as_mut().unwrap();
                vendor.vendor_id = row.word(1).into();
                vendor.country = row.text("in").or(vendor.country.take());
                vendor.group = row.text("group");
                vendor.valid_from = row.date("since");
                vendor.iban = row.text("account").or(vendor.iban.take()).filter(|_| !row.has("without"));
            }
            "payee" => self.payee_check = PayeeMatch::named(row.word(2)),
            "account" => {
                let account = self.account(&row);
                self.accounts.push(account);
            }
            "history" => self.history(&row),
            "line" | "freight" => self.line(&row),
            "header" => self.net = number(row.word(2)),
            "field" => drop(self.fields.insert(row.word(1).into(), Some(row.0[2..].join(" ")).filter(|it| it != "-"))),
            "tax" => drop(self.fields.insert("tax_total".into(), Some(row.word(1).into()))),
            "number" => drop(self.fields.insert("number".into(), Some(row.0[1..].join(" ")))),
            "dated" => drop(self.fields.insert("issue_date".into(), Some(row.word(1).into()))),
            "due" => drop(self.fields.insert("due_date".into(), Some(row.word(1).into()))),
            "centre" => drop(self.fields.insert("buyer_ref".into(), Some(row.word(1).into()))),
            "credits" => drop(self.fields.insert("preceding_invoice".into(), Some(row.word(1).into()))),
            "under" => {
                self.fields.insert("contract_ref".into(), Some(row.word(2).into()));
                self.fields.entry("order_ref".into()).or_insert(None);
            }
            "served" => {
                self.fields.insert("period_from".into(), Some(row.word(1).into()));
                self.fields.insert("period_to".into(), Some(row.word(3).into()));
            }
            "vat" => self.vat.get_or_insert_default().push(vat_group(row.word(1), row.word(2), row.word(3))),
            "no" => self.vat = Some(Vec::new()),
            "coverage" => {
                (self.coverage.1, self.coverage.0) = (row.word(1).parse().unwrap(), row.word(3).parse().unwrap());
            }
            "hidden" => self.coverage.2 = row.word(1).parse().unwrap(),
            "note" => self.notes.push(json!({"code": row.word(1), "message": row.0[2..].join(" ")})),
            "clause" => {
                let value = row.0[2..].join(" ");
                let evidence = json!({"start": 0, "end": 9, "text": value});
                self.clauses
                    .push(json!({"category": row.word(1), "value": value, "confidence": 0.9, "evidence": evidence}));
            }
            word => panic!("`{word}` is not a word of these pages"),
        }
    }

    pub(super) fn then(&mut self, text: &str) -> Vec<Deed> {
        if text == "judged again" {
            return vec![Deed::JudgeAgain];
        }
        let row = Row::of(text);
        match (row.word(0), row.word(1)) {
            ("today", date) => return vec![Deed::Today(date.parse().unwrap())],
            ("account", _) => return vec![Deed::Bring(Box::new(self.account(&row)))],
            ("settled", "again") => return vec![Deed::Settle],
            ("booked", _) => return vec![Deed::Book],
            _ => {}
        }
        if let Some(fact) = self.fact(text) {
            return vec![Deed::Bring(Box::new(fact))];
        }
        let word = match row.word(1) {
            "approves" => Word::Approve,
            "rejects" => Word::Reject,
            "corrects" => Word::Correct(vec![(row.word(2).into(), row.word(4).into())]),
            "confirms" => Word::Confirm(row.word(2).into()),
            word => panic!("`{word}` is nothing that a person does here"),
        };
        let reason = if text.ends_with("without a reason") { "" } else { "looked at" };
        vec![Deed::Decide { who: row.word(0).into(), word, reason: reason.into() }]
    }

    fn line(&mut self, row: &Row<'_>) {
        let freight = row.word(0) == "freight";
        let (count, price) = if freight { ("1", Some(row.word(1))) } else { (row.word(1), row.after("at")) };
        let unit = Some(row.word(2)).filter(|it| !["", "at", "of"].contains(it) && !freight).unwrap_or("EA");
        let computed = price.map(|price| cents(number(count) * number(price)));
        let net = row.after("=").map(number).or(computed);
        self.net += net.unwrap_or_default();
        let values = [
            ("quantity", Some(count.to_owned())),
            ("unit", Some(unit.to_owned())),
            ("unit_price", price.map(str::to_owned)),
            ("net_amount", net.map(|net| net.to_string())),
            ("vat_rate", row.text("taxed")),
            ("order_ref", row.text("of")),
            ("order_line", row.text("for")),
            ("item", row.text("item")),
            ("name", row.text("called").or(freight.then(|| "Freight".to_owned()))),
        ];
        let values = values.into_iter().filter_map(|(name, value)| Some((name, field(&value?))));
        self.lines.push(json!(values.collect::<BTreeMap<_, _>>()));
    }

    /// `policy KIND name=value …` puts a row in the place of those of this kind, or beside them where it is for somebody;
    /// `policy dates name=value` a value of a section.
    fn policy_row(&mut self, row: &Row<'_>) {
        let pairs = row.0[2..].iter().filter_map(|pair| pair.split_once('='));
        let header = format!("[{}]\n", row.word(1));
        let file = usize::from(!self.policy[0].contains(&header));
        let text = &mut self.policy[file];
        if row.word(1).starts_with(|ch: char| ch.is_lowercase()) {
            for (name, value) in pairs {
                let at = text.find(&header).unwrap() + header.len();
                let end = text[at..].find("\n[").map_or(text.len(), |end| at + end);
                let kept = text[at..end].lines().filter(|line| !line.starts_with(&format!("{name} ")));
                let value = if value.parse::<u32>().is_ok() { value.to_owned() } else { format!("{value:?}") };
                let section = kept.chain([format!("{name} = {value}").as_str()]).collect::<Vec<_>>().join("\n");
                text.replace_range(at..end, &section);
            }
            return;
        }
        let kind = format!("kind = \"{}\"\n", row.word(1));
        let body: String = pairs
            .map(
                |(name, value)| {
                    if name == "match" { format!("match = {value}\n") } else { format!("{name} = {value:?}\n") }
                },
            )
            .collect();
        let narrow =
            ["vendor", "group", "commodity", "match", "entity"].iter().any(|name| body.contains(&format!("{name} = ")));
        let mut parts: Vec<String> = text.split("[[tolerance]]\n").map(str::to_owned).collect();
        parts.retain(|part| narrow || !part.contains(&kind) || !part.starts_with("id"));
        parts.push(format!("id = \"as-said-{}\"\n{kind}{body}\n", parts.len()));
        *text = parts.join("[[tolerance]]\n");
    }

    /// The reader's answer.
    pub(super) fn answer(&self) -> Vec<u8> {
        let set = |name: &str| self.fields.get(name).cloned().flatten();
        let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut fields = if self.kind == "contract" {
            values.insert("governing_law".into(), Some("Germany".into()));
            json!({"parties": [field("Nordwind GmbH"), field("Hafenkontor AG")]})
        } else {
            let tax = set("tax_total").map_or_else(|| cents(self.net * Decimal::new(19, 2)), |tax| number(&tax));
            let (net, gross) = (self.net.to_string(), (self.net + tax).to_string());
            for (name, value) in [
                ("number", "INV-1001"),
                ("issue_date", DATED),
                ("currency", "EUR"),
                ("order_ref", "PO-1"),
                ("seller_name", "Nordwind GmbH"),
                ("seller_vat_id", VAT_ID),
                ("buyer_name", "Hafenkontor AG"),
                ("iban", IBAN),
                ("line_total", &net),
                ("net_total", &net),
                ("tax_total", &tax.to_string()),
                ("gross_total", &gross),
                ("payable", set("gross_total").as_deref().unwrap_or(&gross)),
            ] {
                values.insert(name.into(), Some(value.into()));
            }
            let vat = self.vat.clone().unwrap_or_else(|| vec![vat_group("19", &net, &tax.to_string())]);
            json!({"vat_breakdown": vat})
        };
        values.extend(self.fields.clone());
        let single = values.iter().filter_map(|(name, value)| Some((name.clone(), field(value.as_ref()?))));
        fields.as_object_mut().unwrap().extend(single);
        let (pages, read, hidden_text) = self.coverage;
        let answer = json!({
            "kind": self.kind, "format": self.format,
            "coverage": {"pages": pages, "read": read, "hidden_text": hidden_text},
            "fields": fields, "lines": self.lines, "clauses": self.clauses, "notes": self.notes,
        });
        answer.to_string().into_bytes()
    }
}

fn field(value: &str) -> Value {
    json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}})
}

/// `-` is what the group does not say.
fn vat_group(rate: &str, taxable: &str, tax: &str) -> Value {
    let said = [("category", "S"), ("rate", rate), ("taxable", taxable), ("tax", tax)];
    let said = said.into_iter().filter(|(_, value)| *value != "-");
    json!(said.map(|(name, value)| (name, field(value))).collect::<BTreeMap<_, _>>())
}
