//! What is kept about a person who asks: found, and handed out with its digests and an entry that says so.

use std::path::Path;

use audit::Act;
use case::{Actor, CaseId, Deed, Digest, Subject, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::cases::case_id;
use crate::db::Arg;
use crate::evidence::folder::Folder;
use crate::log::{Draft, signed};
use crate::originals::Original;
use crate::{Error, Store};

/// What was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandedOut {
    pub cases: Vec<CaseId>,
    pub files: u64,
    /// SHA-256 of `manifest.json`, which has that of every other file; the log's entry names it.
    pub manifest: Digest,
}

const ROWS_AT_ONCE: i64 = 500;
/// Cases that are handed out at once.
const CASES_MAX: usize = 10_000;

impl Store {
    /// The cases that are about a person, in the order of their arrival. Every case is opened for it.
    pub async fn cases_about(&self, subject: &Subject, by: &Actor, now: Timestamp) -> Result<Vec<CaseId>, Error> {
        self.authorize(by, Deed::AnswerSubject, now).await?;
        let (mut found, mut last) = (Vec::new(), String::new());
        let sql = "SELECT case_id FROM cases WHERE $1 < case_id ORDER BY case_id LIMIT $2";
        loop {
            let rows = self.db.rows(sql, &[Arg::Text(&last), Arg::Int(ROWS_AT_ONCE)]).await?;
            for row in &rows {
                let id = case_id(row, 0)?;
                if subject.is_in(&self.case(id).await?) {
                    found.push(id);
                }
                if CASES_MAX < found.len() {
                    let what = format!("more than {CASES_MAX} cases are about this person; name them more closely");
                    return Err(Error::Unacceptable { what });
                }
            }
            match rows.last() {
                Some(row) => row.text(0)?.clone_into(&mut last),
                None => return Ok(found),
            }
        }
    }

    /// Writes those cases into a new or empty folder: of each what is known about it and its document as it came.
    /// The folder is readable: it holds what the person may have, and perhaps what is about others.
    pub async fn hand_out(
        &self,
        dir: &Path,
        subject: &Subject,
        reason: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<HandedOut, Error> {
        let cases = self.cases_about(subject, by, now).await?;
        let mut folder = Folder::new(dir)?;
        for id in &cases {
            let case = self.view(*id, by, now).await?;
            let original = self.download(*id, by, now).await?;
            folder.add(&format!("{id}/case.json"), &text_of(&json!(case)))?;
            let path = format!("{id}/document");
            folder.add(&path, &[])?;
            let mut offset = 0;
            loop {
                let piece: Vec<u8> = Original::piece(&original, offset).await?;
                if piece.is_empty() {
                    break;
                }
                offset += piece.len() as u64;
                folder.add(&path, &piece)?;
            }
        }
        let manifest = text_of(&json!({ "cases": cases, "sha256": folder.digests() }));
        let files = folder.digests().len() as u64;
        folder.add("manifest.json", &manifest)?;
        let handed = HandedOut { cases, files, manifest: Digest::of(&manifest) };
        let mut entry = Draft::new(Act::PrivacyAnswer, by);
        entry.count("cases", signed(handed.cases.len() as u64)?);
        entry.count("files", signed(files)?);
        entry.tell("manifest", handed.manifest.to_string());
        entry.hide("reason", reason.to_owned());
        self.enter(entry, now).await?;
        Ok(handed)
    }
}

fn text_of(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
