//! What people and machines are shown of a case: its values, its original, the pictures of its pages.

use std::borrow::Cow;
use std::sync::Arc;

use audit::Act;
use case::{Actor, Case, CaseId, Deed, Picture, Timestamp};

use crate::log::Draft;
use crate::vault::SealedFile;
use crate::{Error, Store, boxed, uuid_v7};

/// The bytes of a document as they arrived, sealed as they are, to be opened piece by piece.
#[derive(Clone)]
pub struct Original(Arc<SealedFile>);

impl Original {
    /// So many bytes are opened at once by [`Original::piece`] at most.
    pub const PIECE_BYTES_MAX: u64 = 4 << 20;

    pub fn size(&self) -> u64 {
        self.0.size()
    }

    /// All of it, for what is known to be small enough to be in memory: at most 256 MiB.
    #[boxed]
    pub async fn bytes(&self) -> Result<Vec<u8>, Error> {
        let file = self.0.clone();
        Ok(tokio::task::spawn_blocking(move || file.whole()).await??)
    }

    /// The next piece from `offset` on; empty at the end.
    #[boxed]
    pub async fn piece(&self, offset: u64) -> Result<Vec<u8>, Error> {
        let file = self.0.clone();
        let size = Original::PIECE_BYTES_MAX.min(self.size().saturating_sub(offset));
        Ok(tokio::task::spawn_blocking(move || file.range(offset, size)).await??)
    }
}

impl std::fmt::Debug for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Original({} bytes)", self.size())
    }
}

impl Store {
    /// Seals the pictures of a document's pages as one file, before the event that names them. Refused where the case has no
    /// key of its own: it was erased while its pages were painted.
    #[boxed]
    pub async fn keep_pictures(&self, case: CaseId, pictures: Vec<Vec<u8>>) -> Result<Vec<Picture>, Error> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let Cow::Owned(key) = self.record_key_of(&case.to_string()).await? else {
            return Err(Error::NoSuchCase { id: case.to_string() });
        };
        let kept = self.blocking(move |store| {
            let (file, mut offset) = (uuid_v7(), 0);
            let place = |picture: &Vec<u8>| {
                let size = picture.len() as u64;
                offset += size;
                Picture { file, offset: offset - size, size }
            };
            let places: Vec<Picture> = pictures.iter().map(place).collect();
            store.vault.put(file, &key, offset, &mut pictures.concat().as_slice()).map(|()| places)
        });
        Ok(kept.await??)
    }

    /// For machines, as [`Store::case`].
    #[boxed]
    pub async fn original(&self, case: &Case) -> Result<Original, Error> {
        let (key, file) = (self.record_key_of(&case.id.to_string()).await?.into_owned(), case.original);
        Ok(Original(Arc::new(self.blocking(move |store| store.vault.file(file, &key)).await??)))
    }

    /// As [`Store::original`], opened as a whole.
    #[boxed]
    pub async fn original_bytes(&self, case: &Case) -> Result<Vec<u8>, Error> {
        self.original(case).await?.bytes().await
    }

    /// A case, if this person may do this with it. That there is none is told to nobody who may see none.
    async fn case_for(&self, id: CaseId, deed: Deed, actor: &Actor, now: Timestamp) -> Result<Case, Error> {
        if case::permit(actor, deed).is_err() {
            self.authorize(actor, deed, now).await?;
        }
        let case = self.case(id).await?;
        self.authorize_case(actor, deed, &case, now).await?;
        Ok(case)
    }

    /// A case for a person to look at; the look is entered in the log.
    #[boxed]
    pub async fn view(&self, id: CaseId, actor: &Actor, now: Timestamp) -> Result<Case, Error> {
        let case = self.case_for(id, Deed::ViewCase, actor, now).await?;
        self.entered_look(id, "case", actor, now).await?;
        Ok(case)
    }

    /// The original bytes for a person; entered in the log.
    #[boxed]
    pub async fn download(&self, id: CaseId, actor: &Actor, now: Timestamp) -> Result<Original, Error> {
        let case = self.case_for(id, Deed::Download, actor, now).await?;
        self.entered_look(id, "original", actor, now).await?;
        self.original(&case).await
    }

    /// The picture of a page, counted from 1, as PNG; the look is entered in the log.
    #[boxed]
    pub async fn picture(&self, id: CaseId, page: usize, actor: &Actor, now: Timestamp) -> Result<Vec<u8>, Error> {
        let case = self.case_for(id, Deed::ViewCase, actor, now).await?;
        let picture = page.checked_sub(1).and_then(|idx| case.pictures.get(idx)).copied();
        let picture = picture.ok_or_else(|| Error::NoSuch { what: "page", name: page.to_string() })?;
        self.entered_look(id, &format!("page {page}"), actor, now).await?;
        let key = self.record_key_of(&id.to_string()).await?.into_owned();
        let Picture { file, offset, size } = picture;
        Ok(self.blocking(move |store| store.vault.file(file, &key)?.range(offset, size)).await??)
    }

    async fn entered_look(&self, id: CaseId, part: &str, actor: &Actor, now: Timestamp) -> Result<(), Error> {
        let mut entry = Draft::new(Act::DocumentView, actor).about("case", id);
        entry.tell("part", part);
        self.enter(entry, now).await
    }
}
