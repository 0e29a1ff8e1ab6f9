//! What reviewers taught about the documents of a vendor, sealed and found by keyed digests.

use std::collections::BTreeSet;

use case::{Case, FieldName, Lesson, State, confirms, vendor_of};

use crate::db::{Arg, Tx};
use crate::{Error, Store, boxed};

/// Keys of one vendor that are asked for or taught; nobody has more ids than these.
const KEYS_MAX: usize = 4;

/// By whose pages, and about which field: what is known from now on, or none in the place of what was.
pub(crate) type Taught = Vec<([u8; 32], FieldName, Option<Lesson>)>;

impl Store {
    /// The lessons about documents of the vendor with any of these keys ([`vendor_of`]).
    #[boxed]
    pub async fn lessons(&self, vendor: &[String]) -> Result<Vec<Lesson>, Error> {
        let mut lessons: Vec<Lesson> = Vec::new();
        for key in self.vendor_keys(vendor) {
            for lesson in self.lessons_by(&key).await? {
                if lessons.iter().all(|it| it.field != lesson.field) {
                    lessons.push(lesson);
                }
            }
        }
        Ok(lessons)
    }

    /// What it teaches that a person approved the case: not what one person changed alone, but what a second one let through.
    pub(crate) async fn taught(&self, approved: &Case) -> Result<Taught, Error> {
        let Some(extraction) = approved.extraction.as_ref().filter(|_| approved.state == State::Approved) else {
            return Ok(Taught::new());
        };
        // Its next of kin will be read as this one was, so it teaches under that name too.
        let seen = vendor_of(extraction);
        let keys: BTreeSet<[u8; 32]> =
            [&seen, &approved.vendor_read].into_iter().flat_map(|it| self.vendor_keys(it)).collect();
        let learned = if approved.corrected { case::lessons(extraction) } else { Vec::new() };
        let mut taught = Taught::new();
        for key in keys {
            for lesson in self.lessons_by(&key).await? {
                if !lesson.confirmed && confirms(extraction, &lesson) {
                    taught.push((key, lesson.field, Some(Lesson { confirmed: true, ..lesson })));
                }
            }
            taught.extend(learned.iter().map(|(field, lesson)| (key, *field, lesson.clone())));
        }
        Ok(taught)
    }

    /// Writes what was taught, in the transaction of the approval.
    pub(crate) async fn learn(&self, tx: &mut Tx, taught: &Taught) -> Result<(), Error> {
        for (key, field, lesson) in taught {
            let sql = "DELETE FROM lessons WHERE vendor_key = $1 AND field = $2";
            tx.execute(sql, &[Arg::Bytes(key), Arg::Text(field.name())]).await?;
            if let Some(lesson) = lesson {
                let body = self.seal_json(&context("lessons", &[key, field.name().as_bytes()]), lesson)?;
                let sql = "INSERT INTO lessons (vendor_key, field, body) VALUES ($1, $2, $3)";
                tx.execute(sql, &[Arg::Bytes(key), Arg::Text(field.name()), Arg::Bytes(&body)]).await?;
            }
        }
        Ok(())
    }

    fn vendor_keys(&self, vendor: &[String]) -> Vec<[u8; 32]> {
        vendor.iter().take(KEYS_MAX).map(|key| self.keys.blind("lesson", key)).collect()
    }

    async fn lessons_by(&self, key: &[u8; 32]) -> Result<Vec<Lesson>, Error> {
        let sql = "SELECT field, body FROM lessons WHERE vendor_key = $1";
        let rows = self.db.rows(sql, &[Arg::Bytes(key)]).await?;
        let lessons =
            rows.iter().map(|row| self.open_json(&context("lessons", &[key, row.text(0)?.as_bytes()]), row.bytes(1)?));
        lessons.collect()
    }
}

/// Says where a sealed row belongs, so that it cannot be put in the place of another.
fn context(table: &str, keys: &[&[u8]]) -> String {
    let mut context = table.to_owned();
    for key in keys {
        context.push('/');
        context.extend(key.iter().map(|byte| format!("{byte:02x}")));
    }
    context
}
