//! Was all of it read, are the values there that an invoice cannot do without, and how sure is the reader of them?

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Check, Examined, at_most, compare};
use crate::comparison::{Comparison, Place, Test};
use crate::{Code, Extraction, FieldName, Finding};

/// INVARIANT (fail closed): what was not fully read cannot pass without a person.
pub(super) fn reading(extraction: &Extraction) -> Examined {
    let mut examined = Examined::default();
    let coverage = extraction.coverage;
    let comparison = Comparison::new(Code::Coverage, "read.coverage", at_most("pages", "read"))
        .with("pages", coverage.pages)
        .with("read", coverage.read);
    compare(&mut examined, comparison, None, || format!("{} of {} pages were read", coverage.read, coverage.pages));
    let comparison = Comparison::new(Code::HiddenText, "read.hidden", at_most("pieces", "allowed"))
        .with("pieces", coverage.hidden_text)
        .with("allowed", 0);
    compare(&mut examined, comparison, None, || {
        format!("{} pieces of text are invisible on the page; they were not read", coverage.hidden_text)
    });
    for note in &extraction.notes {
        let code = match note.code.as_str() {
            "needs_ocr" => Code::NeedsOcr,
            "hybrid_diff" => Code::HybridDiff,
            "tracked_changes" => Code::TrackedChanges,
            "value_unreadable"
            | "several_currencies"
            | "cell_unreadable"
            | "cell_error"
            | "formula_without_value"
            | "encoding_guessed" => Code::Unreadable,
            "several_values" | "remembered_otherwise" | "kind_guessed" => Code::LowConfidence,
            "changed_after_signing" => Code::Altered,
            "cut"
            | "notes_cut"
            | "page_unreadable"
            | "too_many_pages"
            | "second_table"
            | "several_invoices"
            | "sheet_not_read"
            | "page_without_picture" => Code::Coverage,
            // Already said by the coverage.
            "hidden_text" | "hidden_cells" if 0 < coverage.hidden_text => continue,
            _ => Code::ReaderNote,
        };
        examined.findings.push(Finding::new(code, format!("read.{}", note.code), note.message.clone()));
    }
    examined
}

/// Values an invoice cannot do without, with the published rule that says so.
const REQUIRED: [(FieldName, Code); 9] = [
    (FieldName::Number, Code::Br02),
    (FieldName::IssueDate, Code::Br03),
    (FieldName::Currency, Code::Br05),
    (FieldName::SellerName, Code::Br06),
    (FieldName::BuyerName, Code::Br07),
    (FieldName::LineTotal, Code::Br12),
    (FieldName::NetTotal, Code::Br13),
    (FieldName::GrossTotal, Code::Br14),
    (FieldName::Payable, Code::Br15),
];

impl Check<'_> {
    pub(super) fn required(&self, findings: &mut Examined) {
        for (name, rule) in REQUIRED {
            if self.extraction.field(name).is_some() {
                continue;
            }
            // A page shows one grand total, which is then the amount due as well, and seldom a sum of lines. Where that was
            // rounded, the ledger cannot be told how much the bill is.
            let rounded = self.invoice.totals.rounding.is_some_and(|it| !it.is_zero());
            let printed_elsewhere = match name {
                FieldName::LineTotal => true,
                FieldName::GrossTotal => !rounded && self.extraction.field(FieldName::Payable).is_some(),
                FieldName::Payable => self.extraction.field(FieldName::GrossTotal).is_some(),
                _ => false,
            };
            let there = Test::There { value: name.name().into() };
            let at = Some((name.name(), None));
            if self.structured() && !(self.older() && printed_elsewhere) {
                compare(findings, Comparison::new(rule, rule.name(), there), at, || rule.title().to_owned());
            } else if !printed_elsewhere {
                compare(findings, Comparison::new(Code::Missing, rule.name(), there), at, || {
                    format!("`{}` was not found: {}", name.name(), lower_first(rule.title()))
                });
            }
        }
        if self.structured() {
            let comparison = Comparison::new(Code::Br16, "BR-16", at_most("least", "lines"));
            let comparison = comparison.with("least", 1).with("lines", self.invoice.lines.len());
            compare(findings, comparison, Some(("lines", None)), || Code::Br16.title().to_owned());
        }
    }

    /// Of what passes, the least sure value is remembered: the first one that a tighter limit would hold.
    pub(super) fn confidence(&self, examined: &mut Examined) {
        let max = self.policy.reading.error_rate_max;
        let risk_of = |name: FieldName| self.extraction.field(name).map(|field| (name, field, 1.0 - field.confidence));
        let mut passed: Option<(f64, Comparison)> = None;
        for (name, _) in REQUIRED {
            // A party is known by its id as well; the surer of the two counts.
            let id = match name {
                FieldName::SellerName => risk_of(FieldName::SellerVatId),
                FieldName::BuyerName => risk_of(FieldName::BuyerVatId),
                _ => None,
            };
            let Some(read) = risk_of(name) else { continue };
            let (name, field, risk) = id.filter(|(_, _, risk)| *risk < read.2).unwrap_or(read);
            let comparison = Comparison::new(Code::LowConfidence, "read.confidence", at_most("error_rate", "limit"))
                .from("error_rate", thousandths(risk), Some(Place::Document(field.evidence.clone())))
                .from("limit", max, Some(Place::Policy("checkpoints.toml, reading.error_rate_max".into())));
            if comparison.code().is_none() {
                if passed.as_ref().map_or(0.0, |(least_sure, _)| *least_sure) < risk {
                    passed = Some((risk, comparison));
                }
                continue;
            }
            compare(examined, comparison, Some((name.name(), Some(&field.evidence))), || {
                format!(
                    "`{}` is wrong with a probability of {risk:.2}; {max:.2} is allowed where nobody looks",
                    name.name()
                )
            });
        }
        examined.passed.extend(passed.map(|(_, comparison)| comparison));
    }
}

/// A probability, upwards to thousandths: what is over the limit is not rounded to it.
fn thousandths(risk: f64) -> String {
    // What a float is off by is no risk.
    let risk = Decimal::try_from(risk).map(|it| it.round_dp(9));
    let shown = risk.map(|it| format!("{:.3}", it.round_dp_with_strategy(3, RoundingStrategy::AwayFromZero)));
    shown.unwrap_or_default()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
