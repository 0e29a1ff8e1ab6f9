//! `extract` and `validate`: one file at a time, in the confined reader, without a workspace.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use case::{Code, Digest, Evidence, Extraction, Finding, Policy, Severity};
use serde_json::json;
use work::{Reader, now};

use super::workspace::{POLICIES, reader};
use super::{Answer, Output, given};

/// One model; those that are known have 5 and 11 million.
const MODEL_BYTES_MAX: u64 = 128 << 20;

pub(crate) async fn extract(files: &[PathBuf], output: Output) -> anyhow::Result<Answer> {
    let reader = reader()?;
    let mut answer = Answer::Good;
    for file in files {
        let started = Instant::now();
        let (digest, read) = read(&reader, file).await?;
        let elapsed_ms = started.elapsed().as_millis() as u64;
        match (read, output) {
            (Ok(extraction), Output::Json) => {
                let mut line = json!(extraction);
                super::put(&mut line, "file", json!(file));
                super::put(&mut line, "sha256", json!(digest));
                super::put(&mut line, "elapsed_ms", json!(elapsed_ms));
                say!("{line}");
            }
            (Ok(extraction), Output::Words) => print_extraction(file, &extraction),
            (Err(why), Output::Json) => {
                say!("{}", json!({"file": file, "sha256": digest, "error": why, "elapsed_ms": elapsed_ms}));
                answer = Answer::Bad;
            }
            (Err(why), Output::Words) => {
                say!("{}: {why}", file.display());
                answer = Answer::Bad;
            }
        }
    }
    Ok(answer)
}

pub(crate) async fn validate(files: &[PathBuf], output: Output) -> anyhow::Result<Answer> {
    let reader = reader()?;
    let policy = Policy::parse(POLICIES.map(|(_, text)| text)).context("the policy of this program")?;
    let mut answer = Answer::Good;
    for file in files {
        let (_, read) = read(&reader, file).await?;
        let extraction = match read {
            Ok(extraction) => extraction,
            Err(why) => {
                answer = Answer::Bad;
                match output {
                    Output::Json => say!("{}", json!({"file": file, "error": why, "findings": []})),
                    Output::Words => say!("{}: {why}", file.display()),
                }
                continue;
            }
        };
        let findings = case::validate(&extraction, &policy, now().date());
        if findings.iter().any(|finding| Severity::Info < finding.severity) {
            answer = Answer::Bad;
        }
        match output {
            Output::Json => {
                let findings = findings.iter().map(|finding| {
                    json!({"rule": finding.rule, "severity": weight(finding), "message": finding.message,
                           "fields": finding.fields, "evidence": finding.evidence})
                });
                let findings: Vec<_> = findings.collect();
                say!(
                    "{}",
                    json!({"file": file, "kind": extraction.kind, "profile": extraction.profile, "findings": findings})
                );
            }
            Output::Words => {
                let n = findings.len();
                let s = if n == 1 { "" } else { "s" };
                say!("{}: {}, {n} finding{s}", file.display(), extraction.kind.name());
                for finding in &findings {
                    say!("  {:<7} {:<10} {}", weight(finding), finding.rule, finding.message);
                }
            }
        }
    }
    Ok(answer)
}

/// Published rules have the weight they are published with.
fn weight(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Info if finding.code == Code::StandardHint => "warning",
        Severity::Stop | Severity::Hold => "fatal",
        Severity::Review => "warning",
        Severity::Info => "info",
    }
}

/// The models for character recognition, from the folder that holds them under the names of their makers.
pub(crate) fn models(folder: &Path) -> anyhow::Result<extract::Models> {
    let read = |name: &str| {
        let path = folder.join(name);
        let size = std::fs::metadata(&path).with_context(|| format!("cannot read `{}`", path.display()))?.len();
        ensure!(
            size <= MODEL_BYTES_MAX,
            "`{}` has {size} bytes, more than the {MODEL_BYTES_MAX} allowed",
            path.display()
        );
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let [detection, recognition] = extract::Models::FILES;
    Ok(extract::Models { detection: read(detection)?, recognition: read(recognition)? })
}

/// The digest, and the reading or the reason why there is none.
async fn read(reader: &Reader, file: &Path) -> anyhow::Result<(Digest, Result<Extraction, String>)> {
    let mut bytes = Vec::new();
    given(file)?.read_to_end(&mut bytes).with_context(|| format!("cannot read `{}`", file.display()))?;
    let digest = Digest::of(&bytes);
    let outcome = match reader.read(bytes).await {
        Ok(reading) => reading.outcome.map_err(|unreadable| unreadable.message),
        Err(fault) => Err(format!("{:#}", anyhow::Error::from(fault))),
    };
    Ok((digest, outcome))
}

fn print_extraction(file: &Path, extraction: &Extraction) {
    say!("{}: {} ({})", file.display(), extraction.kind.name(), json!(extraction.format).as_str().unwrap_or_default());
    let show = |name: &str, field: &case::Field| say!("  {name:<18} {:<36} {}", field.value, place(&field.evidence));
    for (name, field) in &extraction.fields.single {
        show(name.name(), field);
    }
    for party in &extraction.fields.parties {
        show("party", party);
    }
    for (idx, line) in extraction.lines.iter().enumerate() {
        for (name, field) in line {
            show(&format!("line {} {}", idx + 1, name.name()), field);
        }
    }
    for clause in &extraction.clauses {
        say!("  clause {:<22} {}", clause.category, place(&clause.evidence));
    }
    for note in &extraction.notes {
        say!("  note   {}", note.message);
    }
}

/// Where a value stands, in words.
pub(crate) fn place(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Page { page, area: [left, top, ..], .. } => format!("page {page} at {left:.0}, {top:.0}"),
        Evidence::Element { path, .. } => path.clone(),
        Evidence::Cell { sheet, cell, .. } => format!("{sheet}!{cell}"),
        Evidence::Span { start, end, .. } => format!("characters {start} to {end}"),
        Evidence::Person { person, .. } => format!("corrected by {person}"),
    }
}
