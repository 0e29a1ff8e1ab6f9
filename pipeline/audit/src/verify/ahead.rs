//! Checks bundles ahead of the judge, some side by side, and hands them over in order.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::Stop;
use super::bundle::{Bundle, ObjectKeys};
use super::folder::Folder;
use crate::tiles::TILE_WIDTH;

/// Bundles that may wait for the judge, beside the one each thread is at. A bundle has at most 8 MiB.
const WAITING_MAX: usize = 2;
/// Below so many bundles it does not pay to start threads.
const BUNDLES_MIN: u64 = 16;

/// Checks every bundle of a log of `size` entries in `threads` threads and calls `judge` with each, in order.
pub(super) fn each_bundle(
    folder: &Folder<'_>,
    size: u64,
    threads: usize,
    keys: &ObjectKeys,
    judge: &mut dyn FnMut(&mut Bundle) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let count = size.div_ceil(TILE_WIDTH);
    if threads < 2 || count < BUNDLES_MIN {
        let mut bundle = Bundle::default();
        return (0..count).try_for_each(|n| {
            bundle.check(folder, size, n, keys);
            judge(&mut bundle)
        });
    }
    let (idle, to_fill) = channel();
    let (done, checked) = channel();
    for _ in 0..threads + WAITING_MAX {
        // The other end is in this function.
        let _ = idle.send(Box::default());
    }
    let next = Mutex::new((to_fill, 0..count));
    thread::scope(|scope| {
        for _ in 0..threads {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || check_all(folder, size, keys, next, &Alarm(done)));
        }
        drop(done);
        // Moved in here, so that the threads end when judging does, however it does.
        judge_all(count, idle, &checked, judge)
    })
}

type Next = Mutex<(Receiver<Box<Bundle>>, std::ops::Range<u64>)>;

fn check_all(folder: &Folder<'_>, size: u64, keys: &ObjectKeys, next: &Next, done: &Alarm) {
    loop {
        // INVARIANT (the lowest number that is not judged has a bundle): both are taken under one lock.
        let taken = match next.lock() {
            Ok(mut next) => next.0.recv().ok().zip(next.1.next()),
            Err(_) => None,
        };
        let Some((mut bundle, n)) = taken else { return };
        bundle.check(folder, size, n, keys);
        if done.0.send(Some(bundle)).is_err() {
            return;
        }
    }
}

fn judge_all(
    count: u64,
    idle: Sender<Box<Bundle>>,
    checked: &Receiver<Option<Box<Bundle>>>,
    judge: &mut dyn FnMut(&mut Bundle) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut early: BTreeMap<u64, Box<Bundle>> = BTreeMap::new();
    for n in 0..count {
        let mut bundle = loop {
            if let Some(bundle) = early.remove(&n) {
                break bundle;
            }
            match checked.recv() {
                Ok(Some(bundle)) => drop(early.insert(bundle.n, bundle)),
                Ok(None) | Err(_) => panic!("a thread that checks bundles failed"),
            }
        };
        judge(&mut bundle)?;
        // When no thread is left, all bundles are under way.
        let _ = idle.send(bundle);
    }
    Ok(())
}

/// Tells the judge when its thread fails, so that nobody waits for a bundle that will never come.
struct Alarm(Sender<Option<Box<Bundle>>>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(None);
        }
    }
}
