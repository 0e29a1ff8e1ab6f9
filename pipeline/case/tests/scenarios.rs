//! The cases of `tests/scenarios.txt` against the shipped policies: from the reader's answer to where the document rests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::str::FromStr;

use case::{
    Actor, Case, CaseId, Claim, Digest, Document, Event, Extraction, Facts, Finding, Invoice, OrderFacts, OrderLine,
    Policy, Receipt, Timestamp, Vendor, reconcile, step, validate,
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

const SCENARIOS: &str = include_str!("../../../tests/scenarios.txt");
const POLICIES: [&str; 3] = [
    include_str!("../../../policies/checkpoints.toml"),
    include_str!("../../../policies/tolerances.toml"),
    include_str!("../../../policies/retention.toml"),
];
const TODAY: &str = "2026-06-15";

#[test]
fn the_shipped_policies_decide_every_scenario_as_it_is_written() {
    let mut failures = Vec::new();
    let mut count = 0;
    for block in SCENARIOS.split("\n\n").filter(|block| block.lines().any(|line| !line.starts_with('#'))) {
        let mut lines = block.lines().filter(|line| !line.starts_with('#'));
        let title = lines.next().unwrap();
        let rows: Vec<&str> = lines.map(str::trim).collect();
        let (set_up, expected): (Vec<&str>, Vec<&str>) = rows.iter().partition(|row| !row.starts_with("=>"));
        assert!(!expected.is_empty(), "{title}: nothing is expected");
        let outcome = Setting::read(&set_up).run();
        failures.extend(differences(&outcome, &expected).into_iter().map(|failure| format!("{title}\n  {failure}")));
        count += 1;
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert_eq!(count, SCENARIOS.lines().filter(|line| line.starts_with(|ch: char| ch.is_ascii_uppercase())).count());
}

struct Setting {
    lenient: bool,
    kind: &'static str,
    format: &'static str,
    vendor: Option<Vendor>,
    order: Option<OrderLine>,
    receipts: Vec<Receipt>,
    claims: Vec<Claim>,
    twin: Option<CaseId>,
    lines: Vec<Value>,
    /// As set by `field`, `tax` and `vat`; they go before what follows from the lines.
    fields: BTreeMap<String, Option<String>>,
    vat: Option<Value>,
    clauses: Vec<Value>,
    net: Decimal,
}

struct Outcome {
    findings: Vec<Finding>,
    case: Case,
    verdict: case::Match,
}

impl Setting {
    fn read(rows: &[&str]) -> Setting {
        let vendor = Vendor {
            vendor_id: "V1".into(),
            name: "Nordwind GmbH".into(),
            vat_id: Some("DE129273398".into()),
            tax_id: None,
            country: Some("DE".into()),
            iban: Some("DE89 3704 0044 0532 0130 00".into()),
            bic: None,
            group: None,
            valid_from: None,
        };
        let mut setting = Setting {
            lenient: false,
            kind: "invoice",
            format: "ubl",
            vendor: Some(vendor),
            order: None,
            receipts: Vec::new(),
            claims: Vec::new(),
            twin: None,
            lines: Vec::new(),
            fields: BTreeMap::new(),
            vat: None,
            clauses: Vec::new(),
            net: Decimal::ZERO,
        };
        rows.iter().for_each(|row| setting.row(row));
        setting
    }

    fn row(&mut self, row: &str) {
        let words: Vec<&str> = row.split_whitespace().collect();
        let after = |word: &str| words.iter().position(|it| *it == word).map(|at| words[at + 1]);
        let number = |text: &str| Decimal::from_str(text).unwrap();
        match words[0] {
            "lenient" => self.lenient = true,
            "page" => self.format = "pdf-text",
            "credit" => self.kind = "credit_note",
            "contract" => (self.kind, self.format) = ("contract", "docx"),
            "twin" => self.twin = Some(CaseId(Uuid::from_u128(7))),
            "vendor" => {
                let vendor = self.vendor.as_mut().unwrap();
                vendor.vendor_id = words[1].into();
                vendor.country = after("in").or(vendor.country.as_deref()).map(Into::into);
                vendor.iban = vendor.iban.take().filter(|_| after("without").is_none());
            }
            "order" => {
                self.order = Some(OrderLine {
                    order_id: "PO-1".into(),
                    vendor_id: "V1".into(),
                    currency: "EUR".into(),
                    line: "1".into(),
                    quantity: number(words[1]),
                    unit: Some(words[2]).filter(|unit| *unit != "at").unwrap_or("EA").into(),
                    unit_price: number(after("at").unwrap()),
                    price_unit: number(after("per").unwrap_or("1")),
                    item: None,
                    description: Some("Bolts".into()),
                    tax_rate: Some(number(after("tax").unwrap_or("19"))),
                    match_level: after("match").unwrap_or("3").parse().unwrap(),
                });
            }
            "received" => self.receipts.push(Receipt {
                unit: None,
                receipt_id: format!("GR-{}", self.receipts.len()),
                order_id: "PO-1".into(),
                line: "1".into(),
                quantity: number(words[1]),
                accepted: after("accepted").map(number),
                returned: after("returned").map(number),
                date: "2026-06-01".parse().unwrap(),
            }),
            "earlier" => {
                self.claims.push(Claim { order_id: "PO-1".into(), line: "1".into(), quantity: number(words[1]) })
            }
            "line" => {
                let quantity = number(words[1]);
                let price = after("at");
                let net = after("=").map(number).or(price.map(|price| (quantity * number(price)).round_dp(2)));
                self.net += net.unwrap_or_default();
                let values = [
                    ("quantity", Some(words[1].to_owned())),
                    ("unit", Some("EA".to_owned())),
                    ("unit_price", price.map(str::to_owned)),
                    ("net_amount", net.map(|net| net.to_string())),
                    ("order_ref", after("of").map(str::to_owned)),
                ];
                let values = values.into_iter().filter_map(|(name, value)| Some((name, field(&value?))));
                self.lines.push(json!(values.collect::<BTreeMap<_, _>>()));
            }
            "field" => {
                drop(self.fields.insert(words[1].into(), Some(words[2]).filter(|it| *it != "-").map(Into::into)))
            }
            "tax" => drop(self.fields.insert("tax_total".into(), Some(words[1].into()))),
            "vat" => self.vat = Some(vat_group(words[1], words[2], words[3])),
            "no" => self.vat = Some(Value::Null),
            "clause" => {
                let value = words[2..].join(" ");
                let evidence = json!({"start": 0, "end": 9, "text": value});
                self.clauses
                    .push(json!({"category": words[1], "value": value, "confidence": 0.9, "evidence": evidence}));
            }
            word => panic!("`{word}` is not a word of these pages"),
        }
    }

    /// The reader's answer, byte for byte as the confined process would give it.
    fn answer(&self) -> Vec<u8> {
        let set = |name: &str| self.fields.get(name).cloned().flatten();
        let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut fields = if self.kind == "contract" {
            values.insert("governing_law".into(), Some("Germany".into()));
            json!({"parties": [field("Nordwind GmbH"), field("Hafenkontor AG")]})
        } else {
            let tax = set("tax_total")
                .map_or_else(|| (self.net * Decimal::new(19, 2)).round_dp(2), |tax| tax.parse().unwrap());
            let (net, gross) = (self.net.to_string(), (self.net + tax).to_string());
            for (name, value) in [
                ("number", "INV-1001"),
                ("issue_date", "2026-06-10"),
                ("currency", "EUR"),
                ("order_ref", "PO-1"),
                ("seller_name", "Nordwind GmbH"),
                ("seller_vat_id", "DE129273398"),
                ("buyer_name", "Hafenkontor AG"),
                ("iban", "DE89370400440532013000"),
                ("line_total", &net),
                ("net_total", &net),
                ("tax_total", &tax.to_string()),
                ("gross_total", &gross),
                ("payable", set("gross_total").as_deref().unwrap_or(&gross)),
            ] {
                values.insert(name.into(), Some(value.into()));
            }
            let vat = self.vat.clone().unwrap_or_else(|| vat_group("19", &net, &tax.to_string()));
            json!({"vat_breakdown": if vat.is_null() { json!([]) } else { json!([vat]) }})
        };
        values.extend(self.fields.clone());
        let single = values.iter().filter_map(|(name, value)| Some((name.clone(), field(value.as_ref()?))));
        fields.as_object_mut().unwrap().extend(single);
        let answer = json!({
            "kind": self.kind, "format": self.format, "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
            "fields": fields, "lines": self.lines, "clauses": self.clauses,
        });
        answer.to_string().into_bytes()
    }

    fn run(&self) -> Outcome {
        let [checkpoints, tolerances, retention] = POLICIES;
        let lenient = tolerances.replace(r#""strict""#, r#""lenient""#);
        let policy = Policy::parse([checkpoints, if self.lenient { &lenient } else { tolerances }, retention]).unwrap();
        let order = self.order.iter().map(|line| OrderFacts {
            order_id: line.order_id.clone(),
            lines: vec![line.clone()],
            receipts: self.receipts.clone(),
            claims: self.claims.clone(),
        });
        let facts = Facts { vendor: self.vendor.clone(), orders: order.collect(), twin: self.twin };
        let today: Date = TODAY.parse().unwrap();
        let now = Timestamp(1_781_500_000_000_000);
        assert_eq!(now.date(), today);

        let bytes = self.answer();
        let extraction = Extraction::from_untrusted(&bytes).unwrap();
        let mut findings = validate(&extraction, &policy, today);
        let verdict = reconcile(&extraction, &facts, &policy, today);
        findings.extend(verdict.findings.clone());
        let (invoice, _) = Invoice::of(&extraction);
        let net = invoice.totals.net_total.filter(|_| invoice.currency.as_ref() == Some(&policy.currency));
        let checkpoints = policy.route(extraction.kind, net, &findings, now);

        let document = Document {
            digest: Digest::of(&bytes),
            size_bytes: 1,
            file_name: "a.xml".into(),
            channel: "inbox".into(),
            received_at: now,
        };
        let case = Case::new(CaseId(Uuid::from_u128(1)), document, Uuid::from_u128(2), &Actor::system("intake"));
        let unbooked = policy.retention(extraction.kind, "inbox", true);
        let events = [
            Event::Extracted { extraction: Box::new(extraction), pictures: Vec::new() },
            Event::Validated { findings: findings.clone(), policy: policy.digest },
            Event::Reconciled {
                findings: findings.clone(),
                matched: verdict.matched.clone(),
                claims: verdict.claims.clone(),
                checkpoints,
                policy: policy.digest,
                unbooked,
            },
        ];
        let case = events.into_iter().fold(case, |case, event| step(&case, event).unwrap().0);
        Outcome { findings, case, verdict }
    }
}

fn field(value: &str) -> Value {
    json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}})
}

fn vat_group(rate: &str, taxable: &str, tax: &str) -> Value {
    json!({"category": field("S"), "rate": field(rate), "taxable": field(taxable), "tax": field(tax)})
}

fn differences(outcome: &Outcome, expected: &[&str]) -> Vec<String> {
    let mut failures = Vec::new();
    let mut left: Vec<&Finding> = outcome.findings.iter().collect();
    for row in expected {
        let row = row.trim_start_matches("=>").trim();
        let (words, quoted) = row.split_once('"').map_or((row, None), |(words, text)| (words, text.strip_suffix('"')));
        let mut words = words.split_whitespace();
        let first = words.next().unwrap();
        let words: Vec<&str> = words.collect();
        match first {
            "INFO" | "REVIEW" | "HOLD" | "STOP" => {
                let fits = |finding: &&Finding| {
                    format!("{:?}", finding.severity).to_uppercase() == first
                        && finding.code.name() == words[0]
                        && quoted.is_none_or(|text| finding.message.contains(text))
                        && words[1..].iter().all(|pair| {
                            let (name, value) = pair.split_once('=').unwrap();
                            finding.operands.get(name).map(String::as_str) == Some(value)
                        })
                };
                match left.iter().position(fits) {
                    Some(at) => drop(left.remove(at)),
                    None => failures.push(format!("expected {row}")),
                }
            }
            "matched" => {
                let matched = &outcome.verdict.matched[0];
                let open = (matched.ordered - matched.billed_before - matched.billed_now).normalize().to_string();
                let variance = matched.variance.unwrap().to_string();
                for pair in words {
                    if pair != format!("variance={variance}") && pair != format!("open={open}") {
                        failures.push(format!("expected matched {pair}, found variance={variance} open={open}"));
                    }
                }
            }
            state => {
                let opened: Vec<&str> =
                    outcome.case.checkpoints.iter().map(|checkpoint| checkpoint.id.as_str()).collect();
                let (mut found, mut wanted) = (opened.clone(), words);
                found.sort_unstable();
                wanted.sort_unstable();
                if outcome.case.state.name() != state || found != wanted {
                    failures.push(format!("expected {row}, found {} {}", outcome.case.state.name(), opened.join(" ")));
                }
            }
        }
    }
    failures.extend(left.iter().map(|finding| {
        format!(
            "not expected: {:?} {} {:?} {}",
            finding.severity,
            finding.code.name(),
            finding.operands,
            finding.message
        )
    }));
    failures
}
