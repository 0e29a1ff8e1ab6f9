//! What is kept about a person who asks: found, and handed out with its digests and an entry that says so.

use std::collections::BTreeMap;
use std::path::Path;

use audit::{Act, Outcome};
use case::{Actor, CaseId, Deed, Digest, FactKind, State, Subject, Timestamp, reasoned};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cases::case_id;
use crate::db::Arg;
use crate::evidence::Folder;
use crate::facts;
use crate::log::{Draft, signed};
use crate::originals::Original;
use crate::{Error, Fault, Store, boxed, causes};

/// What is about a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// In the order of their arrival.
    pub cases: Vec<CaseId>,
    /// Imported facts by their kind, every version of each, as they were brought in.
    pub imported: BTreeMap<&'static str, Vec<Value>>,
    /// What could not be opened, and so was not searched or not handed out.
    pub faults: Vec<Fault>,
}

/// What was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandedOut {
    pub cases: Vec<CaseId>,
    /// Rows of imported data.
    pub imported: u64,
    pub faults: Vec<Fault>,
    pub files: u64,
    /// SHA-256 of `manifest.json`, which has that of every other file; the log's entry names it. Absent where nothing was
    /// found: then no folder was made.
    pub manifest: Option<Digest>,
}

const ROWS_AT_ONCE: i64 = 500;
/// Cases and imported rows that are found at once.
const FOUND_MAX: usize = 10_000;

impl Found {
    pub fn n_imported(&self) -> u64 {
        self.imported.values().map(|rows| rows.len() as u64).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.cases.is_empty() && self.imported.is_empty()
    }

    /// What cannot be opened is told, and the rest is gone on with; when nothing works any more, it ends.
    fn fault(&mut self, about: String, err: Error) -> Result<(), Error> {
        match err {
            Error::Vault(_) | Error::Row { .. } | Error::Keys(_) => {
                self.faults.push(Fault { about, what: causes(&err) });
                Ok(())
            }
            other => Err(other),
        }
    }

    fn refuse_too_many(&self) -> Result<(), Error> {
        if self.cases.len() + (self.n_imported() as usize) <= FOUND_MAX {
            return Ok(());
        }
        let what = format!("more than {FOUND_MAX} cases and rows are about this person; name them more closely");
        Err(Error::Unacceptable { what })
    }
}

impl Store {
    /// Looks up what is about a person, and enters that somebody did. Every case, with what its entries stand for, and every
    /// imported row is opened for it.
    #[boxed]
    pub async fn look_up(&self, subject: &Subject, reason: &str, by: &Actor, now: Timestamp) -> Result<Found, Error> {
        let found = self.about(subject, reason, by, now).await?;
        self.enter(asked(Act::PrivacySearch, subject, reason, &found, by)?, now).await?;
        Ok(found)
    }

    /// As [`Store::look_up`], and writes it into a new or empty folder: of each case what is known about it, what its entries
    /// stand for and its document as it came, and what was brought in. The folder is readable: it holds what the person may
    /// have, and perhaps what is about others.
    #[boxed]
    pub async fn hand_out(
        &self,
        dir: &Path,
        subject: &Subject,
        reason: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<HandedOut, Error> {
        let mut found = self.about(subject, reason, by, now).await?;
        if found.is_empty() {
            self.enter(asked(Act::PrivacySearch, subject, reason, &found, by)?, now).await?;
            return Ok(HandedOut { cases: Vec::new(), imported: 0, faults: found.faults, files: 0, manifest: None });
        }
        let mut folder = Folder::new(dir)?;
        let written = self.write_answer(&mut folder, &mut found, by, now).await;
        let mut entry = asked(Act::PrivacyAnswer, subject, reason, &found, by)?;
        let (files, manifest) = match written {
            Ok(done) => done,
            // Some of it may lie there.
            Err(err) => {
                entry.res = Outcome::Error;
                self.enter(entry, now).await?;
                return Err(err);
            }
        };
        entry.count("files", signed(files)?);
        entry.tell("manifest", manifest.to_string());
        self.enter(entry, now).await?;
        let imported = found.n_imported();
        Ok(HandedOut { cases: found.cases, imported, faults: found.faults, files, manifest: Some(manifest) })
    }

    async fn about(&self, subject: &Subject, reason: &str, by: &Actor, now: Timestamp) -> Result<Found, Error> {
        self.authorize(by, Deed::AnswerSubject, now).await?;
        reasoned(reason).map_err(|refused| Error::Unacceptable { what: refused.to_string() })?;
        let (mut found, mut last) = (Found::default(), String::new());
        let sql = "SELECT case_id FROM cases WHERE $1 < case_id ORDER BY case_id LIMIT $2";
        loop {
            let rows = self.db.rows(sql, &[Arg::Text(&last), Arg::Int(ROWS_AT_ONCE)]).await?;
            let Some(row) = rows.last() else { break };
            row.text(0)?.clone_into(&mut last);
            for row in &rows {
                let id = case_id(row, 0)?;
                match self.case_is_about(id, subject).await {
                    Ok(true) => found.cases.push(id),
                    Ok(false) => {}
                    Err(err) => found.fault(format!("case {id}"), err)?,
                }
                found.refuse_too_many()?;
            }
        }
        let mut after = 0;
        loop {
            let rows = self.db.rows(facts::EVERY, &[Arg::Int(after), Arg::Int(ROWS_AT_ONCE)]).await?;
            let Some(last) = rows.last() else { break };
            after = last.int(1)?;
            // What a case bills is searched with the case.
            for row in rows.iter().filter(|row| matches!(row.maybe_text(4), Ok(None))) {
                let Some(kind) = FactKind::named(row.text(2)?) else { continue };
                match self.stated(row).map(|stated| json!(stated.fact)) {
                    Ok(fact) if subject.stands_in(&fact) => found.imported.entry(kind.name()).or_default().push(fact),
                    Ok(_) => {}
                    Err(err) => found.fault(format!("facts/{}", row.int(1)?), err)?,
                }
                found.refuse_too_many()?;
            }
        }
        Ok(found)
    }

    async fn case_is_about(&self, id: CaseId, subject: &Subject) -> Result<bool, Error> {
        let said = |said: &Value| said.get("value").is_some_and(|value| subject.stands_in(value));
        Ok(subject.is_in(&self.case(id).await?) || self.said_of(id).await?.iter().any(said))
    }

    /// What the commitments of a case's entries stand for: reasons, names of files that came again, matters.
    async fn said_of(&self, id: CaseId) -> Result<Vec<Value>, Error> {
        let id = id.to_string();
        let sql = "SELECT o.entry_id, o.body, k.body FROM log_openings o LEFT JOIN record_keys k ON k.owner = o.object
                   WHERE o.object = $1 ORDER BY o.entry_id";
        let mut said = Vec::new();
        for row in self.db.rows(sql, &[Arg::Text(&id)]).await? {
            let entry = row.text(0)?;
            for opening in self.open_openings(entry, row.bytes(1)?, &id, row.maybe_bytes(2)?)? {
                said.push(json!({ "entry": entry, "name": opening.path, "value": opening.value }));
            }
        }
        Ok(said)
    }

    /// Gives back how many files there are beside the manifest, and the manifest's digest.
    async fn write_answer(
        &self,
        folder: &mut Folder,
        found: &mut Found,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(u64, Digest), Error> {
        for id in found.cases.clone() {
            if let Err(err) = self.write_case_of(folder, id, by, now).await {
                found.fault(format!("case {id}"), err)?;
            }
        }
        for (table, rows) in &found.imported {
            folder.add(&format!("{table}.json"), &text_of(&json!(rows)))?;
        }
        let manifest =
            text_of(&json!({ "cases": found.cases, "not_opened": found.faults, "sha256": folder.digests() }));
        let files = folder.digests().len() as u64;
        folder.add("manifest.json", &manifest)?;
        Ok((files, Digest::of(&manifest)))
    }

    async fn write_case_of(&self, folder: &mut Folder, id: CaseId, by: &Actor, now: Timestamp) -> Result<(), Error> {
        let case = self.view(id, by, now).await?;
        folder.add(&format!("{id}/case.json"), &text_of(&json!(case)))?;
        let said = self.said_of(id).await?;
        if !said.is_empty() {
            folder.add(&format!("{id}/openings.json"), &text_of(&json!(said)))?;
        }
        if case.state == State::Erased {
            return Ok(());
        }
        let original = self.download(id, by, now).await?;
        let path = format!("{id}/document");
        folder.add(&path, &[])?;
        let mut offset = 0;
        loop {
            let piece: Vec<u8> = Original::piece(&original, offset).await?;
            if piece.is_empty() {
                return Ok(());
            }
            offset += piece.len() as u64;
            folder.add(&path, &piece)?;
        }
    }
}

fn asked(act: Act, subject: &Subject, reason: &str, found: &Found, by: &Actor) -> Result<Draft, Error> {
    let mut entry = Draft::new(act, by);
    entry.count("cases", signed(found.cases.len() as u64)?);
    entry.count("rows", signed(found.n_imported())?);
    entry.count("not_opened", signed(found.faults.len() as u64)?);
    entry.hide("subject", subject.texts.join("; "));
    entry.hide("reason", reason.to_owned());
    Ok(entry)
}

fn text_of(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
