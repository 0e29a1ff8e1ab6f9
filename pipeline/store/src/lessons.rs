//! What reviewers taught about the documents of a vendor, sealed and found by keyed digests.

use std::collections::BTreeSet;

use case::{Case, Decision, Event, FieldName, Lesson, Verdict, vendor_of};

use crate::db::{Arg, Tx};
use crate::facts::context;
use crate::{Error, Store};

/// Keys of one vendor that are asked for or taught; nobody has more ids than these.
const KEYS_MAX: usize = 4;

/// What a correction teaches: a lesson for each corrected field, or none in the place of an earlier one.
#[derive(Default)]
pub(crate) struct Taught {
    /// As the document was read: its next of kin will be read so too.
    vendor: Vec<String>,
    lessons: Vec<(FieldName, Option<Lesson>)>,
}

pub(crate) fn taught(case: &Case, event: &Event) -> Taught {
    match (event, &case.extraction) {
        (Event::Decided(Decision { verdict: Verdict::Correct(changes), .. }), Some(read)) => {
            Taught { vendor: vendor_of(read), lessons: case::lessons(read, changes) }
        }
        _ => Taught::default(),
    }
}

impl Store {
    /// The lessons about documents of the vendor with any of these keys ([`vendor_of`]).
    pub async fn lessons(&self, vendor: &[String]) -> Result<Vec<Lesson>, Error> {
        let mut lessons: Vec<Lesson> = Vec::new();
        for key in vendor.iter().take(KEYS_MAX).map(|key| self.keys.blind("lesson", key)) {
            for row in
                self.db.rows("SELECT field, body FROM lessons WHERE vendor_key = $1", &[Arg::Bytes(&key)]).await?
            {
                let lesson: Lesson =
                    self.open_json(&context("lessons", &[&key, row.text(0)?.as_bytes()]), row.bytes(1)?)?;
                if lessons.iter().all(|it| it.field != lesson.field) {
                    lessons.push(lesson);
                }
            }
        }
        Ok(lessons)
    }

    /// Writes what a correction taught, in its transaction. `corrected` names the vendor as a person has seen it.
    pub(crate) async fn learn(&self, tx: &mut Tx, corrected: &Case, taught: &Taught) -> Result<(), Error> {
        let seen = corrected.extraction.as_ref().map(vendor_of).unwrap_or_default();
        let vendor: BTreeSet<&String> = taught.vendor.iter().take(KEYS_MAX).chain(seen.iter().take(KEYS_MAX)).collect();
        for key in vendor.into_iter().map(|key| self.keys.blind("lesson", key)) {
            for (field, lesson) in &taught.lessons {
                let sql = "DELETE FROM lessons WHERE vendor_key = $1 AND field = $2";
                tx.execute(sql, &[Arg::Bytes(&key), Arg::Text(field.name())]).await?;
                if let Some(lesson) = lesson {
                    let body = self.seal_json(&context("lessons", &[&key, field.name().as_bytes()]), lesson)?;
                    let sql = "INSERT INTO lessons (vendor_key, field, body) VALUES ($1, $2, $3)";
                    tx.execute(sql, &[Arg::Bytes(&key), Arg::Text(field.name()), Arg::Bytes(&body)]).await?;
                }
            }
        }
        Ok(())
    }
}
