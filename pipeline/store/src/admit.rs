//! Files that come in: sealed first, then entered as a case, or as a duplicate of one.

use std::fs::File;
use std::io::{self, Read, Seek};

use audit::Act;
use case::{Action, Actor, Case, CaseId, Digest, Document, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::cases::{case_id, context, write_work};
use crate::db::{Arg, Tx};
use crate::log::{Draft, signed};
use crate::records::NewRecord;
use crate::vault::{RecordKey, VaultError};
use crate::{Error, Store, boxed, sealed_json, uuid_v7};

const NAME_CHARS_MAX: usize = 255;

/// A file that came in.
#[derive(Debug)]
pub struct Arrival {
    /// The caller's name for this arrival: admitted twice under the same name, it was admitted once.
    pub id: Uuid,
    pub content: Content,
    /// As the sender named it.
    pub file_name: String,
    /// The sub-folder of the inbox, or `inbox`, or `api`.
    pub channel: String,
}

/// What is in a file that came in. One that is open is read twice, to tell it and to seal it, and is never whole in memory.
#[derive(Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    Open(File),
}

impl Content {
    /// Digest and size.
    fn told(&mut self) -> io::Result<(Digest, u64)> {
        match self {
            Content::Bytes(bytes) => Ok((Digest::of(bytes), bytes.len() as u64)),
            Content::Open(file) => {
                file.rewind()?;
                let mut read = Hashing { inner: file, hash: Sha256::new() };
                let size = io::copy(&mut read, &mut io::sink())?;
                Ok((Digest(read.hash.finalize().into()), size))
            }
        }
    }
}

/// Digests what is read through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hash.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// INVARIANT (nothing is lost): every file that was seen is one of these, with its row and its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    New(CaseId),
    /// The same bytes are here already, as this case.
    Duplicate(CaseId),
}

impl Store {
    /// Seals the bytes, then enters case, work and audit entry in one transaction. On return the file may be removed
    /// from where it came from; on error it MUST be left there.
    #[boxed]
    pub async fn admit(&self, arrival: Arrival, by: &Actor, now: Timestamp) -> Result<Admission, Error> {
        self.admit_from(arrival, None, by, now).await
    }

    /// As [`Store::admit`], for the document that came with a mail as its `part` (from 1). The same part of the same mail
    /// is admitted once, however often this is called; its channel is the mail's, and its entry names the mail.
    #[boxed]
    pub async fn admit_part(
        &self,
        mail: &Case,
        part: u32,
        file_name: String,
        bytes: Vec<u8>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Admission, Error> {
        let named = Digest::of(format!("part {part} of {}", mail.id).as_bytes());
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = named.0;
        let arrival = Arrival {
            id: uuid::Builder::from_custom_bytes(id).into_uuid(),
            content: Content::Bytes(bytes),
            file_name,
            channel: mail.document.channel.clone(),
        };
        self.admit_from(arrival, Some((mail.id, part)), by, now).await
    }

    async fn admit_from(
        &self,
        mut arrival: Arrival,
        origin: Option<(CaseId, u32)>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Admission, Error> {
        let before = "SELECT case_id, duplicate FROM arrivals WHERE arrival_id = $1";
        if let Some(row) = self.db.row(before, &[Arg::Text(&arrival.id.to_string())]).await? {
            let id = case_id(&row, 0)?;
            return Ok(if row.int(1)? == 1 { Admission::Duplicate(id) } else { Admission::New(id) });
        }
        let (digest, size_bytes);
        (arrival, digest, size_bytes) = self
            .blocking(move |_| arrival.content.told().map(|(digest, size)| (arrival, digest, size)).map_err(unread))
            .await??;
        let digest_key = self.keys.blind("document", &digest.to_string());
        let twin_sql = "SELECT case_id FROM cases WHERE digest_key = $1";
        if self.db.row(twin_sql, &[Arg::Bytes(&digest_key)]).await?.is_some() {
            return self.admit_duplicate(&arrival, origin, digest, &digest_key, by, now).await;
        }
        let document = Document {
            digest,
            size_bytes,
            file_name: arrival.file_name.chars().take(NAME_CHARS_MAX).collect(),
            channel: arrival.channel.chars().take(NAME_CHARS_MAX).collect(),
            received_at: now,
        };
        let mut case = Case::new(CaseId(uuid_v7()), document, uuid_v7(), by);
        case.mail = origin.map(|(mail, _)| mail);
        let (id, original) = (case.id.to_string(), case.original);
        let record = self.new_record(&id).await?;
        arrival = self.seal_content(arrival, original, &record.key, digest).await?;
        let mut entry = Draft::new(Act::CaseAdmit, by).about("case", &id);
        entry.rev = Some(case.revision);
        entry.to = Some(case.state.name());
        entry.hide("channel", case.document.channel.clone());
        entry.count("size_bytes", signed(case.document.size_bytes)?);
        entry.hide("digest", digest.to_string());
        entry.hide("source", case.document.file_name.clone());
        tell_origin(&mut entry, origin);

        let entered = self.enter_case(&case, &record, entry, &arrival, &digest_key, now).await;
        if !matches!(entered, Ok(Some(_))) {
            // Its twin came in between, or it could not be entered: the sealed copy of what is no case goes.
            self.blocking(move |store| store.vault.remove(original)).await??;
        }
        match entered? {
            Some(tx) => tx.commit().await?,
            None => return self.admit_duplicate(&arrival, origin, digest, &digest_key, by, now).await,
        }
        self.bell.notify_one();
        Ok(Admission::New(case.id))
    }

    /// Seals what came in as file `id`, if it still is what it was when it was digested.
    async fn seal_content(
        &self,
        mut arrival: Arrival,
        id: Uuid,
        key: &RecordKey,
        digest: Digest,
    ) -> Result<Arrival, Error> {
        let key = key.clone();
        let sealed = self.blocking(move |store| {
            match &mut arrival.content {
                Content::Bytes(bytes) => store.vault.put(id, &key, bytes.len() as u64, &mut bytes.as_slice())?,
                Content::Open(file) => {
                    let size = file.metadata().map_err(unread)?.len();
                    file.rewind().map_err(unread)?;
                    let mut read = Hashing { inner: file, hash: Sha256::new() };
                    store.vault.put(id, &key, size, &mut read)?;
                    if Digest(read.hash.finalize().into()) != digest {
                        store.vault.remove(id)?;
                        return Err(VaultError::Changed { size }.into());
                    }
                }
            }
            Ok(arrival)
        });
        sealed.await?
    }

    /// Everything that an admission writes, ready to be committed; `None` when the same bytes are a case already.
    async fn enter_case(
        &self,
        case: &Case,
        record: &NewRecord,
        entry: Draft,
        arrival: &Arrival,
        digest_key: &[u8],
        now: Timestamp,
    ) -> Result<Option<Tx>, Error> {
        let id = case.id.to_string();
        let body = sealed_json(&record.key, &context(&id), case)?;
        let (entry, entered) = self.entry(entry, &record.key, now)?;
        let mut tx = self.db.begin().await?;
        self.write_ready_entry(&mut tx, entry).await?;
        let new = tx
            .execute(
                "INSERT INTO cases (case_id, revision, state, kind, channel, received_at, changed_at, due_at, n_holds, proposed, digest_key, last_entry, body)
                 VALUES ($1, $2, $3, $4, $5, $6, $6, NULL, 0, 0, $7, $8, $9) ON CONFLICT (digest_key) DO NOTHING",
                &[
                    Arg::Text(&id),
                    Arg::Int(signed(case.revision)?),
                    Arg::Text(case.state.name()),
                    Arg::Text(case.kind().name()),
                    Arg::Text(&case.document.channel),
                    Arg::Int(now.0),
                    Arg::Bytes(digest_key),
                    Arg::Bytes(&entered.0),
                    Arg::Bytes(&body),
                ],
            )
            .await?;
        if new == 0 {
            return Ok(None);
        }
        self.write_record(&mut tx, &id, record).await?;
        write_arrival(&mut tx, arrival, false, case.mail, &id, now).await?;
        write_work(&mut tx, case, Some(Action::Extract), 0, now.0).await?;
        Ok(Some(tx))
    }

    async fn admit_duplicate(
        &self,
        arrival: &Arrival,
        origin: Option<(CaseId, u32)>,
        digest: Digest,
        digest_key: &[u8],
        by: &Actor,
        now: Timestamp,
    ) -> Result<Admission, Error> {
        let mut tx = self.db.begin().await?;
        // INVARIANT (an erased case stays erased): whoever erases the twin waits until this is entered, and takes it along; or
        // was first, and then there is no twin.
        let sql = "UPDATE cases SET revision = revision WHERE digest_key = $1 RETURNING case_id";
        let row = tx.row(sql, &[Arg::Bytes(digest_key)]).await?;
        let what = "the case of the same bytes is being erased: bring them again, and they are a new case";
        let row = row.ok_or_else(|| Error::Unacceptable { what: what.to_owned() })?;
        let twin: CaseId = case_id(&row, 0)?;
        let mut entry = Draft::new(Act::CaseDuplicate, by).about("case", twin);
        entry.hide("channel", arrival.channel.chars().take(NAME_CHARS_MAX).collect::<String>());
        entry.tell("twin", twin.to_string());
        entry.hide("digest", digest.to_string());
        entry.hide("source", arrival.file_name.chars().take(NAME_CHARS_MAX).collect::<String>());
        tell_origin(&mut entry, origin);
        self.write_entry(&mut tx, entry, now).await?;
        write_arrival(&mut tx, arrival, true, origin.map(|(mail, _)| mail), &twin.to_string(), now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(Admission::Duplicate(twin))
    }
}

fn unread(source: io::Error) -> Error {
    VaultError::Sealing { source }.into()
}

async fn write_arrival(
    tx: &mut Tx,
    arrival: &Arrival,
    twin: bool,
    mail: Option<CaseId>,
    case: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let (id, mail) = (arrival.id.to_string(), mail.map(|mail| mail.to_string()));
    let channel: String = arrival.channel.chars().take(NAME_CHARS_MAX).collect();
    tx.execute(
        "INSERT INTO arrivals (arrival_id, channel, duplicate, case_id, mail, arrived_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            Arg::Text(&id),
            Arg::Text(&channel),
            Arg::Int(twin.into()),
            Arg::Text(case),
            Arg::MaybeText(mail.as_deref()),
            Arg::Int(now.0),
        ],
    )
    .await?;
    Ok(())
}

/// Which part of which mail a document was.
fn tell_origin(entry: &mut Draft, origin: Option<(CaseId, u32)>) {
    if let Some((mail, part)) = origin {
        entry.tell("mail", mail.to_string());
        entry.count("part", part.into());
    }
}
