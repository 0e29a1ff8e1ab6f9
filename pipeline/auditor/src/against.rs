//! What to verify a log against, as it is given on the command line.

use std::path::PathBuf;

use anyhow::Context;
use audit::{Ask, KeptHead, TimestampAuthority, VerifierKey, WitnessKey};
use clap::Args;

use crate::file::{SMALL_BYTES_MAX, given, read};

const THREADS_MAX: usize = 64;

#[derive(Args)]
pub(crate) struct Against {
    /// Verifier key of the log, or a file that holds it; take it from somewhere else than the folder
    #[arg(long, value_name = "VKEY", required = true)]
    key: Option<String>,
    /// File of an earlier head that was kept outside; may be given again
    #[arg(long, value_name = "HEAD")]
    since: Vec<PathBuf>,
    #[command(flatten)]
    witnesses: Witnesses,
    /// Certificate of the authority whose timestamps are believed, or of its issuer, in DER or PEM
    #[arg(long, value_name = "FILE")]
    timestamp_certificate: Option<PathBuf>,
    /// Compare these openings with the commitments, instead of openings.jsonl in the folder
    #[arg(long, value_name = "FILE")]
    openings: Option<PathBuf>,
    /// Follow the revisions of at most N objects at once (some 60 bytes of memory each); 0 follows none
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "200000", default_value_t = 200_000)]
    objects: usize,
    /// Treat a silence longer than the heartbeat of 15 minutes as a fault, not as a note
    #[arg(long)]
    silence: bool,
    /// Read and check in N threads, at up to 8 MiB of memory each; as many as there are processors, at most 4, if not given
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Witnesses, and how many of them must agree.
#[derive(Args)]
pub(crate) struct Witnesses {
    /// Key of a witness that is believed, or a file that holds it; may be given again
    #[arg(long, value_name = "VKEY")]
    witness: Vec<String>,
    /// How many of the witnesses must have cosigned a head; all of them if not given
    #[arg(long, value_name = "N", requires = "witness")]
    quorum: Option<usize>,
}

impl Against {
    pub(crate) fn ask(&self) -> anyhow::Result<Ask> {
        let key = self.key.as_deref().context("a key is missing")?;
        let mut since = Vec::new();
        for path in &self.since {
            since.push(KeptHead { name: path.display().to_string(), text: read(path, SMALL_BYTES_MAX)? });
        }
        let (witnesses, quorum) = self.witnesses.read()?;
        let timestamp_authority = match &self.timestamp_certificate {
            Some(path) => {
                let read = TimestampAuthority::parse(&read(path, SMALL_BYTES_MAX)?);
                Some(read.with_context(|| format!("in `{}`", path.display()))?)
            }
            None => None,
        };
        if let Some(path) = &self.openings {
            anyhow::ensure!(path.is_file(), "`{}` is not a file", path.display());
        }
        let threads =
            self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(4)));
        anyhow::ensure!(threads <= THREADS_MAX, "{threads} threads are asked for, at most {THREADS_MAX} are allowed");
        Ok(Ask {
            since,
            witnesses,
            quorum,
            timestamp_authority,
            openings: self.openings.clone(),
            objects_max: self.objects,
            silence_is_fault: self.silence,
            threads,
            ..Ask::of(given(key, "a verifier key", VerifierKey::parse)?)
        })
    }
}

impl Witnesses {
    /// The witnesses and the quorum.
    pub(crate) fn read(&self) -> anyhow::Result<(Vec<WitnessKey>, usize)> {
        let mut keys: Vec<WitnessKey> = Vec::new();
        for text in &self.witness {
            let key = given(text, "the key of a witness", WitnessKey::parse)?;
            // A witness counts once, so a quorum over one that stands here twice would never be met.
            anyhow::ensure!(
                keys.iter().all(|other| other.name() != key.name()),
                "the witness `{}` is given twice",
                key.name()
            );
            keys.push(key);
        }
        let quorum = self.quorum.unwrap_or(keys.len().max(1));
        let count = keys.len();
        anyhow::ensure!(
            self.quorum.is_none() || (1..=count).contains(&quorum),
            "a quorum of {quorum} is asked for, but 1 to {count} are possible with these witnesses"
        );
        Ok((keys, quorum))
    }
}
