//! The sealed files: is each there that a case names, and does it open? At a rate that leaves a service its disk and cores.
//! What is in memory is 33 bytes for each file that a case names, and what opens a thousand of them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use case::CaseId;
use uuid::Uuid;

use super::{CheckReport, FAULTS_MAX};
use crate::cases::files as named_by;
use crate::db::Arg;
use crate::vault::RecordKey;
use crate::{Error, Store, causes};

const FILES_AT_ONCE: usize = 1_000;
/// What finding a file costs a disk counts like so many of its bytes.
const FILE_BYTES_MIN: u64 = 64 << 10;

impl Store {
    /// Gives back those of the named files that are there.
    pub(super) async fn check_files(
        &self,
        report: &mut CheckReport,
        mut named: Vec<(Uuid, CaseId)>,
    ) -> Result<Vec<(Uuid, CaseId)>, Error> {
        named.sort_unstable();
        let looked = self.blocking(move |store| {
            let mut there = vec![false; named.len()];
            let (mut orphans, mut strays) = (0, Vec::new());
            for found in store.vault.ids() {
                match found.map(|id| named.binary_search_by_key(&id, |(file, _)| *file)) {
                    Ok(Ok(at)) => there.get_mut(at).into_iter().for_each(|there| *there = true),
                    Ok(Err(_)) => orphans += 1,
                    Err(err) if strays.len() <= FAULTS_MAX => strays.push(causes(&err)),
                    Err(_) => {}
                }
            }
            (named, there, orphans, strays)
        });
        let (mut named, there, orphans, strays) = looked.await?;
        report.orphans = orphans;
        strays.into_iter().for_each(|what| report.fault("the vault".to_owned(), what));
        for ((file, case), _) in named.iter().zip(&there).filter(|(_, there)| !**there) {
            if self.still_names(*case, *file).await {
                report.fault(about(*file, *case), "a case names it, and it is not there".to_owned());
            }
        }
        let mut there = there.into_iter();
        named.retain(|_| there.next().unwrap_or(false));
        Ok(named)
    }

    /// Opens these files, case by case.
    pub(super) async fn open_files(
        &self,
        report: &mut CheckReport,
        mut files: Vec<(Uuid, CaseId)>,
        mib_per_second: u32,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(), Error> {
        files.sort_unstable_by_key(|(file, case)| (*case, *file));
        let (mut done, all) = (0, files.len() as u64);
        let mut pace = Pace::new(mib_per_second);
        progress(done, all);
        for files in files.chunks(FILES_AT_ONCE) {
            let wrapped = self.wrapped_from(files).await?;
            for (file, case) in files {
                let key = self.record_key(&case.to_string(), wrapped.get(case).map(Vec::as_slice));
                let mut opened = match key {
                    Ok(key) => self.open_file(*file, key.into_owned(), &mut pace).await,
                    Err(err) => Err(err),
                };
                // While this is under way the service goes on: keys are rotated, cases erased.
                if opened.is_err() && self.still_names(*case, *file).await {
                    opened = match self.record_key_of(&case.to_string()).await {
                        Ok(key) => self.open_file(*file, key.into_owned(), &mut pace).await,
                        Err(err) => Err(err),
                    };
                    if let Err(err) = &opened {
                        report.fault(about(*file, *case), causes(err));
                    }
                }
                report.seals_opened += u64::from(opened.is_ok());
                done += 1;
                progress(done, all);
            }
        }
        Ok(())
    }

    /// The wrapped record keys of these files' cases, which are in order.
    async fn wrapped_from(&self, files: &[(Uuid, CaseId)]) -> Result<BTreeMap<CaseId, Vec<u8>>, Error> {
        let (Some((_, first)), Some((_, last))) = (files.first(), files.last()) else { return Ok(BTreeMap::new()) };
        let sql = "SELECT owner, body FROM record_keys WHERE $1 <= owner AND owner <= $2 ORDER BY owner LIMIT $3";
        let args = [Arg::Text(&first.to_string()), Arg::Text(&last.to_string()), Arg::Int(FILES_AT_ONCE as i64)];
        let mut wrapped = BTreeMap::new();
        for row in self.db.rows(sql, &args).await? {
            // Another owner than a case is not of these.
            if let Ok(case) = row.text(0)?.parse() {
                wrapped.insert(case, row.bytes(1)?.to_owned());
            }
        }
        Ok(wrapped)
    }

    async fn open_file(&self, id: Uuid, key: RecordKey, pace: &mut Pace) -> Result<(), Error> {
        let mut here = *pace;
        let (opened, after) = self
            .blocking(move |store| {
                let before = here.written;
                let opened = store.vault.file(id, &key).and_then(|file| file.copy_to(&mut here));
                here.spend(FILE_BYTES_MIN.saturating_sub(here.written - before));
                (opened, here)
            })
            .await?;
        *pace = after;
        Ok(opened?)
    }

    /// Does the case still name this file? A case that cannot be looked at does.
    async fn still_names(&self, case: CaseId, file: Uuid) -> bool {
        match self.case(case).await {
            Ok(case) => case.state != case::State::Erased && named_by(&case).contains(&file),
            Err(Error::NoSuchCase { .. }) => false,
            Err(_) => true,
        }
    }
}

fn about(file: Uuid, case: CaseId) -> String {
    format!("file {file} of case {case}")
}

/// Takes bytes no faster than it may.
#[derive(Clone, Copy)]
struct Pace {
    /// None: as fast as they come.
    bytes_per_second: Option<f64>,
    written: u64,
    /// When the next byte may be taken.
    due: Instant,
}

/// What a slow file left of its time is made up for, but not more of it.
const CATCHING_UP: Duration = Duration::from_millis(100);

impl Pace {
    fn new(mib_per_second: u32) -> Pace {
        let bytes_per_second = (0 < mib_per_second).then_some(f64::from(mib_per_second) * f64::from(1 << 20));
        Pace { bytes_per_second, written: 0, due: Instant::now() }
    }

    fn spend(&mut self, bytes: u64) {
        let Some(bytes_per_second) = self.bytes_per_second else { return };
        let now = Instant::now();
        let from = now.checked_sub(CATCHING_UP).map_or(self.due, |earliest| self.due.max(earliest));
        self.due = from + Duration::from_secs_f64(bytes as f64 / bytes_per_second);
        thread::sleep(self.due.saturating_duration_since(now));
    }
}

impl Write for Pace {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written += bytes.len() as u64;
        self.spend(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn bytes_are_taken_no_faster_than_they_may_be() {
        let started = Instant::now();
        let mut pace = Pace::new(1);
        for _ in 0..6 {
            pace.write_all(&[0; 64 << 10]).unwrap();
        }
        // 384 KiB at one MiB a second are 375 ms, of which 100 may have been caught up.
        assert!(Duration::from_millis(275) <= started.elapsed(), "{:?}", started.elapsed());
        // Returns at all: at any rate there is, this would take years.
        Pace::new(0).spend(u64::MAX);
    }
}
