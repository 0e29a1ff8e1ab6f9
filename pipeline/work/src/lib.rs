#![doc = include_str!("../README.md")]

mod anchors;
mod confine;
mod custody;
mod heads_folder;
mod http;
mod inbox;
mod ledger;
mod payments;
mod policies;
mod steps;
mod timestamp;
mod witness;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use case::{Actor, Policy, Timestamp};
use store::{ServiceSign, Store, causes};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info};

pub use anchors::{AnchorError, Anchors};
pub use confine::{Reader, ReaderFault, Reading, Recognition, Tesseract, WALL_SECONDS_MAX};
pub use custody::{CustodyError, KEY_COMMAND_SECONDS, Transit, TransitKey, key_of_command};
pub use heads_folder::HeadsFolder;
pub use inbox::Inbox;
pub use ledger::Ledger;
pub use payments::settle_payment;
pub use policies::{Loaded, PolicyError, PolicyFolder};
pub use steps::judge_again;
pub use timestamp::{TIMESTAMP_MINUTES, Timestamps};
pub use witness::{WITNESS_SECONDS, Witnesses};

/// Everything that acts without a person. Listens on no port.
#[derive(Clone, Debug)]
pub struct Machines {
    pub store: Store,
    pub policy: watch::Receiver<Arc<Policy>>,
    pub reader: Reader,
    pub ledger: Ledger,
    pub inbox: Inbox,
    /// To whom the log's heads are shown.
    pub anchors: Anchors,
    /// How many cases are worked on at once.
    pub workers: usize,
}

/// How often the log's newest head is signed, while there are new entries.
const SIGN_EVERY: Duration = Duration::from_secs(1);
/// So often it is seen whether the log grew, so that none is silent for twice as long.
const PULSE_EVERY: Duration = Duration::from_secs(5 * 60);
/// Between two looks at an idle queue; a commit in this process rings at once.
const IDLE: Duration = Duration::from_millis(200);

/// The clock of this machine. The rooms below are told the time.
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// What the program is called in the log when it acts by itself.
pub fn system() -> Actor {
    Actor::system("countersign")
}

impl Machines {
    /// Runs until `stop` turns true, then finishes what is under way and seals the log: nothing is left half done.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), store::Error> {
        let (closing, closed) = watch::channel(false);
        let anchors = tokio::spawn(self.anchors.clone().run(self.store.clone(), closed));
        let outcome = self.work(stop).await;
        // After the last head was signed, so that it is shown too.
        closing.send_replace(true);
        anchors.await?;
        outcome
    }

    async fn work(self, stop: watch::Receiver<bool>) -> Result<(), store::Error> {
        // Nothing begins on a log that does not continue what was signed here.
        self.store.seal_log(now()).await?;
        self.store.sign_log(now()).await?;
        self.store.record_service(ServiceSign::Start, now()).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(self.inbox.clone().watch(self.store.clone(), stop.clone()));
        for _ in 0..self.workers.max(1) {
            tasks.spawn(steps::run(self.clone(), stop.clone()));
        }
        tasks.spawn(steps::rejudge(self.clone(), stop.clone()));
        let log = tokio::spawn(keep_log(self.store.clone(), stop.clone()));
        while let Some(ended) = tasks.join_next().await {
            if let Err(err) = ended {
                error!("A worker ended: {err}");
            }
        }
        log.await?;
        self.store.record_service(ServiceSign::Stop, now()).await?;
        self.store.seal_log(now()).await?;
        self.store.sign_log(now()).await
    }

    /// Does nothing move any more: no file to take, no work that is ready or under way?
    pub async fn settled(&self) -> Result<bool, store::Error> {
        Ok(self.inbox.is_empty() && self.store.resting(now()).await?)
    }
}

/// Seals waiting entries, signs heads, and shows that the log is on when nothing happens.
async fn keep_log(store: Store, stop: watch::Receiver<bool>) {
    let mut signed = tokio::time::Instant::now();
    let mut pulse = Pulse { looked: signed, size: None };
    let mut said = None;
    while !*stop.borrow() {
        let worked = async {
            store.seal_log(now()).await?;
            let moment = tokio::time::Instant::now();
            if pulse.is_due(moment) && pulse.stood_still(store.head().await?.map(|head| head.size), moment) {
                store.record_service(ServiceSign::Heartbeat, now()).await?;
            }
            if SIGN_EVERY <= signed.elapsed() {
                store.sign_log(now()).await?;
                signed = tokio::time::Instant::now();
            }
            Ok::<(), store::Error>(())
        };
        // Said once, and not five times a second for as long as it lasts.
        let wrong = worked.await.err().map(|err| causes(&err));
        if wrong != said {
            match &wrong {
                Some(why) => error!("The log waits to be sealed: {why}"),
                None => info!("The log is sealed again"),
            }
            said = wrong;
        }
        pause(IDLE, &stop).await;
    }
}

/// How far the log was when it was looked at last.
struct Pulse {
    looked: tokio::time::Instant,
    size: Option<u64>,
}

impl Pulse {
    fn is_due(&self, now: tokio::time::Instant) -> bool {
        PULSE_EVERY <= now - self.looked
    }

    fn stood_still(&mut self, size: Option<u64>, now: tokio::time::Instant) -> bool {
        let still = self.size == size;
        *self = Pulse { looked: now, size };
        still
    }
}

/// Waits, or returns at once when the service is to stop.
async fn pause(time: Duration, stop: &watch::Receiver<bool>) {
    let mut stop = stop.clone();
    first(tokio::time::sleep(time), async { drop(stop.wait_for(|stop| *stop).await) }).await;
}

async fn first(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! { () = one => {}, () = other => {} }
}

/// Says once, for operations, which locks hold the reader.
pub async fn doctor_reader(reader: &Reader) -> Result<String, ReaderFault> {
    let reading = reader.read(b"confinement probe".to_vec()).await?;
    info!("The reader's locks: {}", reading.confinement);
    Ok(reading.confinement)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_log_that_nobody_writes_to_has_a_heartbeat_every_ten_minutes_and_a_busy_one_has_none() {
        let begin = tokio::time::Instant::now();
        // Entered by others every so many minutes, and the minutes of the heartbeats of an hour.
        for (others, expected) in [(60, "10 20 30 40 50"), (7, "20 35 55"), (4, "")] {
            let (mut pulse, mut size, mut beats) = (Pulse { looked: begin, size: None }, 0, Vec::new());
            for second in 1..3600_u64 {
                size += u64::from(second % (others * 60) == 1);
                let now = begin + Duration::from_secs(second);
                if pulse.is_due(now) && pulse.stood_still(Some(size), now) {
                    size += 1;
                    beats.push((second / 60).to_string());
                }
            }
            assert_eq!(beats.join(" "), expected, "others enter every {others} minutes");
        }
    }
}
