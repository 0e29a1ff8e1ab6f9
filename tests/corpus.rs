//! Do we read what we say we read? Real documents that nobody here wrote, with answer keys, where `COUNTERSIGN_SAMPLES`
//! names their folder. Each test prints its table and holds the figure that the README claims.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use rust_decimal::Decimal;
use serde_json::Value;

/// Documents to one run of the program.
const BATCH: usize = 100;

#[test]
fn electronic_invoices_break_the_published_rules_that_their_key_says() {
    let Some(samples) = samples("einvoice") else { return };
    let published: fn(&str) -> bool = |rule| {
        let national = ["BR-DE", "BR-TMP", "BR-FX", "BR-FR", "BR-HYBRID"];
        rule.starts_with("BR-") && !national.iter().any(|it| rule.starts_with(it))
    };
    println!("{:<44} {:>9} {:>8} {:>9} {:>9}", "rules", "documents", "exact", "precision", "recall");
    for (key, name) in [("rules.jsonl", "EN 16931, real documents"), ("mutants.jsonl", "EN 16931, one edit each")] {
        let rows: Vec<Value> = rows(&samples.join(key)).into_iter().filter(|row| row.get("fatal").is_some()).collect();
        let wanted = |row: &Value| names(row, &["fatal", "warning"]);
        at_least(0.99, rule_sets(&samples, name, &rows, published, wanted));
    }
    for (set, name, begins) in
        [("xr", "XRechnung, where it applies", "BR-DE"), ("peppol", "Peppol BIS, where it applies", "PEPPOL-")]
    {
        let applies = |row: &Value| row[set]["applicable"] == true;
        let rows: Vec<Value> = rows(&samples.join("rules.jsonl")).into_iter().filter(applies).collect();
        let exact = match begins {
            "BR-DE" => rule_sets(
                &samples,
                name,
                &rows,
                |rule| rule.starts_with("BR-DE"),
                |row| names(&row[set], &["fatal", "warning"]),
            ),
            _ => rule_sets(
                &samples,
                name,
                &rows,
                |rule| rule.starts_with("PEPPOL-"),
                |row| names(&row[set], &["fatal", "warning"]),
            ),
        };
        at_least(0.99, exact);
    }
}

#[test]
fn every_official_unit_assertion_of_a_rule_is_agreed_with() {
    let Some(samples) = samples("einvoice") else { return };
    for ruleset in ["en", "peppol"] {
        let rows: Vec<Value> =
            rows(&samples.join("units.jsonl")).into_iter().filter(|row| row["ruleset"] == ruleset).collect();
        let answers = answers("validate", &samples, rows.iter().map(file));
        let disagreed: Vec<&str> = rows
            .iter()
            .filter(|row| {
                let found =
                    answers.get(file(row)).is_some_and(|answer| rules(answer).contains(row["rule"].as_str().unwrap()));
                found != (row["assert"] != "success")
            })
            .map(|row| row["id"].as_str().unwrap())
            .collect();
        println!("official unit assertions ({ruleset}): {} of {} agreed", rows.len() - disagreed.len(), rows.len());
        assert!(disagreed.is_empty(), "{disagreed:?}");
    }
}

#[test]
fn the_fields_of_electronic_invoices_are_those_of_their_key() {
    let Some(samples) = samples("einvoice") else { return };
    let rows: Vec<Value> = rows(&samples.join("fields.jsonl")).into_iter().filter(|row| row["valid"] == true).collect();
    let answers = answers("extract", &samples, rows.iter().map(file));
    let (mut right, mut wrong) = (0, Vec::new());
    for row in &rows {
        let key = row["fields"].as_object().unwrap();
        let found = answers.get(file(row)).map(flat).unwrap_or_default();
        for (name, wanted) in key.iter().filter(|(name, _)| STRUCTURED.contains(&name.as_str())) {
            if plain(wanted) == found.get(name).map(plain).unwrap_or_default() {
                right += 1;
            } else {
                wrong.push(format!("{} {name}", file(row)));
            }
        }
    }
    let share = f64::from(right) / (f64::from(right) + wrong.len() as f64);
    println!("fields of {} valid electronic invoices: {right} equal, {} not: {share:.4}", rows.len(), wrong.len());
    wrong.iter().take(10).for_each(|it| println!("  {it}"));
    at_least(0.999, share);
}

/// Header fields of the key of electronic invoices that the product gives.
const STRUCTURED: [&str; 25] = [
    "kind",
    "number",
    "type_code",
    "issue_date",
    "due_date",
    "currency",
    "order_ref",
    "contract_ref",
    "buyer_ref",
    "seller_name",
    "seller_vat_id",
    "seller_tax_id",
    "seller_country",
    "buyer_name",
    "buyer_vat_id",
    "iban",
    "line_total",
    "allowance_total",
    "charge_total",
    "net_total",
    "tax_total",
    "gross_total",
    "prepaid",
    "rounding",
    "payable",
];

#[test]
fn printed_invoices_are_read_and_their_confidence_is_honest() {
    let Some(samples) = samples("invoices-pdf") else { return };
    let rows: Vec<Value> = rows(&samples.join("truth.jsonl"));
    let answers = answers("extract", &samples, rows.iter().map(file));
    let mut judged = Vec::new();
    for layout in ["designed", "stylesheet"] {
        let mut score = Score::default();
        for row in rows.iter().filter(|row| row["_layout"] == layout) {
            let nothing = Value::Null;
            score.document(row, answers.get(file(row)).unwrap_or(&nothing));
        }
        println!("printed invoices, {layout} layouts:");
        score.print();
        if layout == "designed" {
            at_least(0.95, score.micro());
            ["number", "issue_date", "gross_total"].iter().for_each(|name| at_least(0.97, score.fields[*name].f1()));
            at_least(0.90, score.lines.f1());
        }
        judged.extend(score.judged);
    }
    let error = reliability(&mut judged);
    assert!(error <= 0.03, "calibration error {error:.3}, 0.03 allowed");
}

#[test]
fn chinese_invoices_are_read_from_their_data_and_from_print() {
    let Some(samples) = samples("fapiao") else { return };
    let rows: Vec<Value> = rows(&samples.join("truth.jsonl"));
    let files = || rows.iter().flat_map(|row| row["files"].as_array().unwrap()).map(|it| it.as_str().unwrap());
    let (read, checked) = (answers("extract", &samples, files()), answers("validate", &samples, files()));
    println!("{:<6} {:>6} {:>15} {:>9} {:>9}", "fapiao", "files", "fields equal", "not", "findings");
    for form in ["xml", "ofd", "pdf"] {
        let (mut n_files, mut right, mut wrong, mut exact) = (0, 0, 0, 0);
        for row in &rows {
            let of_form = |it: &&Value| it.as_str().unwrap().starts_with(form);
            for file in row["files"].as_array().unwrap().iter().filter(of_form).map(|it| it.as_str().unwrap()) {
                n_files += 1;
                for (key, name) in FAPIAO {
                    let wanted = row[key].as_str().unwrap_or_default();
                    let found = read.get(file).map_or(&Value::Null, |it| &it["fields"][name]["value"]);
                    let equal = wanted == found.as_str().unwrap_or_default()
                        || amount(wanted).is_some_and(|it| Some(it) == found.as_str().and_then(amount));
                    right += u32::from(equal);
                    wrong += u32::from(!equal);
                }
                let found: BTreeSet<String> = checked.get(file).map(rules).unwrap_or_default();
                // What only a form has: print lacks the signed original, and may differ from the data it was made to differ from.
                let found: BTreeSet<String> =
                    found.into_iter().filter(|it| it.starts_with("FP") && it != "FP00_NO_ORIGINAL").collect();
                exact += u32::from(found == names(row, &["expected_findings"]));
            }
        }
        println!("{form:<6} {n_files:>6} {right:>15} {wrong:>9} {exact:>9}");
        at_least(0.98, f64::from(right) / f64::from(right + wrong));
        at_least(0.89, f64::from(exact) / f64::from(n_files));
    }
}

/// Of the key, and what the product calls it.
const FAPIAO: [(&str, &str); 9] = [
    ("number", "number"),
    ("date", "issue_date"),
    ("buyer", "buyer_name"),
    ("buyer_id", "buyer_tax_id"),
    ("seller", "seller_name"),
    ("seller_id", "seller_tax_id"),
    ("net", "net_total"),
    ("tax", "tax_total"),
    ("gross", "gross_total"),
];

#[test]
fn photographed_receipts_give_seller_date_and_total() {
    let Some(samples) = samples("receipts-img") else { return };
    let Some(_) = std::env::var_os("COUNTERSIGN_OCR_MODELS") else {
        return println!("no models: COUNTERSIGN_OCR_MODELS names no folder, and no picture is read");
    };
    let rows: Vec<Value> = rows(&samples.join("truth.jsonl"));
    let answers = answers("extract", &samples, rows.iter().map(file));
    let mut score = Score::default();
    for row in &rows {
        score.document(row, answers.get(file(row)).unwrap_or(&Value::Null));
    }
    println!("photographed receipts:");
    score.print();
    ["seller_name", "issue_date", "gross_total"].iter().for_each(|name| at_least(0.95, score.fields[*name].f1()));
}

#[test]
fn no_hostile_pdf_is_read_in_part_without_a_word() {
    let Some(samples) = samples("hostile-pdf") else { return };
    let files: Vec<String> = std::fs::read_dir(&samples)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|it| it.ends_with(".pdf"))
        .collect();
    let answers = answers("extract", &samples, files.iter().map(String::as_str));
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &files {
        let answer = answers.get(file.as_str()).unwrap_or_else(|| panic!("no answer for {file}"));
        let coverage = &answer["coverage"];
        let outcome = match answer.get("error") {
            Some(why) => {
                assert!(!why.as_str().unwrap().is_empty(), "{file}");
                "refused"
            }
            None if coverage["read"] == coverage["pages"] => "read",
            None => {
                assert!(
                    !answer["notes"].as_array().unwrap().is_empty(),
                    "{file} was read in part, and nothing says why"
                );
                "read in part, and said so"
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{} hostile PDFs: {outcomes:?}", files.len());
}

// --- Counting --------------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Count {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Count {
    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }

    fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
    }
}

/// How printed invoices were read: a wrong value counts against precision and recall, as in the field's literature.
#[derive(Default)]
struct Score {
    fields: BTreeMap<String, Count>,
    lines: Count,
    /// Confidence of a value, and whether it is right.
    judged: Vec<(f64, bool)>,
}

const PRINTED: [&str; 12] = [
    "number",
    "issue_date",
    "due_date",
    "currency",
    "order_ref",
    "iban",
    "seller_name",
    "seller_vat_id",
    "buyer_name",
    "net_total",
    "tax_total",
    "gross_total",
];

impl Score {
    fn document(&mut self, key: &Value, answer: &Value) {
        for name in PRINTED {
            let Some(wanted) = key.get(name).and_then(Value::as_str).filter(|it| !it.is_empty()) else { continue };
            let field = &answer["fields"][name];
            let count = self.fields.entry(name.to_owned()).or_default();
            match field["value"].as_str() {
                None => count.missed += 1,
                Some(found) => {
                    let right = same(name, wanted, found);
                    count.right += u32::from(right);
                    count.wrong += u32::from(!right);
                    count.missed += u32::from(!right);
                    self.judged.push((field["confidence"].as_f64().unwrap(), right));
                }
            }
        }
        let amounts = |lines: &Value, of: fn(&Value) -> Option<&str>| -> Vec<Decimal> {
            lines.as_array().into_iter().flatten().filter_map(of).filter_map(amount).collect()
        };
        let wanted = amounts(&key["lines"], |line| line["net_amount"].as_str());
        let mut left = amounts(&answer["lines"], |line| line["net_amount"]["value"].as_str());
        let before = left.len();
        for amount in &wanted {
            if let Some(idx) = left.iter().position(|it| it == amount) {
                left.swap_remove(idx);
            }
        }
        let right = (before - left.len()) as u32;
        self.lines.right += right;
        self.lines.missed += wanted.len() as u32 - right;
        if key["lines_complete"] != false {
            self.lines.wrong += left.len() as u32;
        }
    }

    fn micro(&self) -> f64 {
        let mut all = Count::default();
        for count in self.fields.values() {
            all.right += count.right;
            all.wrong += count.wrong;
            all.missed += count.missed;
        }
        all.f1()
    }

    fn print(&self) {
        let row = |name: &str, count: &Count| {
            println!(
                "  {name:<14} {:>5} right {:>4} wrong {:>4} missed   F1 {:.3}",
                count.right,
                count.wrong,
                count.missed - count.wrong.min(count.missed),
                count.f1()
            );
        };
        self.fields.iter().for_each(|(name, count)| row(name, count));
        row("line items", &self.lines);
        println!("  header fields together: F1 {:.3}", self.micro());
    }
}

/// Prints how often values of each confidence are right; gives the expected calibration error over ten bands.
fn reliability(judged: &mut [(f64, bool)]) -> f64 {
    println!("confidence of header fields: given, and how often right");
    let total = judged.len() as f64;
    let mut error = 0.0;
    for band in 0..10 {
        let (from, to) = (f64::from(band) / 10.0, f64::from(band + 1) / 10.0);
        let inside: Vec<&(f64, bool)> =
            judged.iter().filter(|(it, _)| from <= *it && (*it < to || (band == 9 && *it <= to))).collect();
        if inside.is_empty() {
            continue;
        }
        let count = inside.len() as f64;
        let given = inside.iter().map(|(it, _)| it).sum::<f64>() / count;
        let right = inside.iter().filter(|(_, right)| *right).count() as f64 / count;
        println!("  {from:.1}–{to:.1}  {count:>5} values  given {given:.3}  right {right:.3}");
        error += (given - right).abs() * count / total;
    }
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut wrong, mut accepted) = (0.0, (0, 0.0));
    for (idx, (_, right)) in judged.iter().enumerate() {
        wrong += f64::from(u8::from(!right));
        // Values of one confidence are accepted together or not at all.
        let last = judged.get(idx + 1).is_none_or(|next| next.0 < judged[idx].0);
        if last && wrong / (idx as f64 + 1.0) <= 0.01 {
            accepted = (idx + 1, wrong);
        }
    }
    let (n, k) = (accepted.0 as f64, accepted.1);
    println!(
        "  calibration error {error:.3}; {:.1} % can be accepted at 1 % error ({k} of {n} wrong, at most {:.2} % with 95 % certainty)",
        100.0 * n / total,
        100.0 * upper_bound(k, n)
    );
    error
}

/// Wilson's upper bound of a share, one-sided, 95 % (E. B. Wilson, 1927).
fn upper_bound(k: f64, n: f64) -> f64 {
    const Z: f64 = 1.645;
    if n == 0.0 {
        return 1.0;
    }
    let share = k / n;
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    (middle + spread) / (1.0 + Z * Z / n)
}

/// Prints how the rules found compare with the rules of the key; gives the share of documents where they are the same.
fn rule_sets(
    samples: &Path,
    name: &str,
    rows: &[Value],
    of: fn(&str) -> bool,
    wanted: impl Fn(&Value) -> BTreeSet<String>,
) -> f64 {
    let answers = answers("validate", samples, rows.iter().map(file));
    let mut count = Count::default();
    let mut differ = Vec::new();
    for row in rows {
        let wanted: BTreeSet<String> = wanted(row).into_iter().filter(|it| of(it)).collect();
        let found = answers.get(file(row)).map(rules).unwrap_or_default();
        let found: BTreeSet<String> = found.into_iter().filter(|it| of(it)).collect();
        count.right += wanted.intersection(&found).count() as u32;
        count.wrong += found.difference(&wanted).count() as u32;
        count.missed += wanted.difference(&found).count() as u32;
        if wanted != found {
            differ.push(format!("{}: {:?}", file(row), wanted.symmetric_difference(&found)));
        }
    }
    let exact = 1.0 - differ.len() as f64 / rows.len() as f64;
    println!("{name:<44} {:>9} {exact:>8.4} {:>9.4} {:>9.4}", rows.len(), count.precision(), count.recall());
    differ.iter().take(5).for_each(|it| println!("  {it}"));
    exact
}

#[track_caller]
fn at_least(aim: f64, found: f64) {
    assert!(aim <= found, "{found:.4}, and {aim} is promised");
}

// --- Comparing -------------------------------------------------------------------------------------------------------

fn same(name: &str, wanted: &str, found: &str) -> bool {
    let without_spaces = |text: &str| text.split_whitespace().collect::<String>().to_uppercase();
    match name {
        "net_total" | "tax_total" | "gross_total" => amount(wanted).is_some() && amount(wanted) == amount(found),
        "seller_name" | "buyer_name" => [letters(wanted), letters(wanted).replace(' ', "")]
            .iter()
            .zip([letters(found), letters(found).replace(' ', "")])
            .any(|(wanted, found)| 0.9 <= strsim::normalized_levenshtein(wanted, &found)),
        _ => without_spaces(wanted) == without_spaces(found),
    }
}

fn amount(text: &str) -> Option<Decimal> {
    Some(text.trim().parse::<Decimal>().ok()?.round_dp(2).normalize())
}

fn letters(text: &str) -> String {
    let words: Vec<String> =
        text.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).map(str::to_lowercase).collect();
    words.join(" ")
}

/// A value as one text, whatever its trailing zeros and spaces.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.parse::<Decimal>() {
        Ok(number) => number.normalize().to_string(),
        Err(_) => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// The header fields of an answer by name, and its kind.
fn flat(answer: &Value) -> BTreeMap<String, Value> {
    let fields = answer["fields"].as_object().into_iter().flatten();
    let mut flat: BTreeMap<String, Value> =
        fields.filter_map(|(name, field)| Some((name.clone(), field.get("value")?.clone()))).collect();
    flat.insert("kind".to_owned(), answer["kind"].clone());
    flat
}

fn rules(answer: &Value) -> BTreeSet<String> {
    let findings = answer["findings"].as_array().into_iter().flatten();
    findings.filter_map(|it| Some(it["rule"].as_str()?.to_owned())).collect()
}

fn names(row: &Value, lists: &[&str]) -> BTreeSet<String> {
    let all = lists.iter().flat_map(|list| row[*list].as_array().unwrap());
    all.map(|it| it.as_str().unwrap().to_owned()).collect()
}

// --- Samples and answers ---------------------------------------------------------------------------------------------

/// The folder of one kind of samples. Without samples nothing is measured, and that is said.
fn samples(kind: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("COUNTERSIGN_SAMPLES") else {
        println!("no samples: COUNTERSIGN_SAMPLES names no folder");
        return None;
    };
    let dir = PathBuf::from(root).join(kind);
    assert!(dir.is_dir(), "`{}` is not there", dir.display());
    Some(dir)
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn file(row: &Value) -> &str {
    row["file"].as_str().unwrap()
}

/// What the program says about each file.
fn answers<'a>(verb: &str, root: &Path, files: impl Iterator<Item = &'a str>) -> BTreeMap<String, Value> {
    let files: BTreeSet<&str> = files.collect();
    let files: Vec<&str> = files.into_iter().collect();
    let mut answers = BTreeMap::new();
    for batch in files.chunks(BATCH) {
        let paths = batch.iter().map(|it| root.join(it));
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        // Scans among the others need not be read to be measured: without them they are held, and say so.
        if !root.ends_with("receipts-img") {
            command.env_remove("COUNTERSIGN_OCR_MODELS").env_remove("COUNTERSIGN_TESSERACT");
        }
        let output = command.args([verb, "--json"]).args(paths).output().unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let answer: Value = serde_json::from_str(line).unwrap();
            let path = PathBuf::from(answer["file"].as_str().unwrap());
            answers.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), answer);
        }
    }
    answers
}
