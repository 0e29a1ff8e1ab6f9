//! Chunks on their way from a reader through a cipher to a writer: read in order, worked on by all cores, handed on in
//! order. While one core is reading or writing, the others are at the cipher.

use std::num::NonZero;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Chunks that a core has at once: 256 KiB of them are still in its cache when they are handed on.
const LOT_CHUNKS: u32 = 4;
/// From so many chunks on all cores take part; fewer are done before another thread has begun.
const SHARED_CHUNKS_MIN: usize = 16;
const CORES_MAX: usize = 16;

/// A chunk and room for its tag.
pub(super) struct Slot<'a> {
    room: &'a mut [u8],
    size: usize,
}

impl Slot<'_> {
    /// `size` at most the room that it was made with.
    pub(super) fn resize(&mut self, size: usize) {
        assert!(size <= self.room.len());
        self.size = size;
    }
}

/// For each of `positions`: `fill` in order, one at a time; then `work`, on all cores; then `take`, in order, one at a time.
/// A slot has room for `slot_bytes`. Of several errors the first in order is told, and nothing after it is taken.
pub(super) fn in_order<E: Send>(
    positions: Range<u32>,
    slot_bytes: usize,
    fill: impl FnMut(u32, &mut Slot<'_>) -> Result<(), E> + Send,
    work: impl Fn(u32, &mut Slot<'_>) -> Result<(), E> + Sync,
    take: impl FnMut(&[u8]) -> Result<(), E> + Send,
) -> Result<(), E> {
    let n_chunks = positions.len();
    let n_cores = thread::available_parallelism().map_or(1, NonZero::get).min(CORES_MAX);
    let n_workers = if n_chunks < SHARED_CHUNKS_MIN { 1 } else { n_cores };
    let turn = Turn { at: positions.start, take, ended: false, outcome: Ok(()) };
    let line = Line { to_fill: Mutex::new((positions, fill)), turn: Mutex::new(turn), moved: Condvar::new() };
    let worker = || {
        let _ends_with_it = EndsWithPanic(&line);
        let mut room = vec![0; slot_bytes * n_chunks.min(LOT_CHUNKS as usize)];
        loop {
            let mut slots: Vec<_> = room.chunks_mut(slot_bytes).map(|room| Slot { room, size: 0 }).collect();
            let Some((lot, filled)) = line.fill(&mut slots) else { return };
            slots.truncate(lot.len());
            let worked =
                filled.and_then(|()| lot.clone().zip(&mut slots).try_for_each(|(position, slot)| work(position, slot)));
            if line.take(lot, worked, &slots) {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..n_workers {
            scope.spawn(worker);
        }
        worker();
    });
    line.turn.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

struct Line<F, T, E> {
    /// What is left, and how it is filled.
    to_fill: Mutex<(Range<u32>, F)>,
    turn: Mutex<Turn<T, E>>,
    moved: Condvar,
}

struct Turn<T, E> {
    /// The first position of the lot that is taken next.
    at: u32,
    take: T,
    ended: bool,
    outcome: Result<(), E>,
}

/// A thread that panics holds no half-done state: nothing is taken any more after it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E, F: FnMut(u32, &mut Slot<'_>) -> Result<(), E>, T: FnMut(&[u8]) -> Result<(), E>> Line<F, T, E> {
    /// Fills the next lot; None when there is nothing left to fill.
    fn fill(&self, slots: &mut [Slot<'_>]) -> Option<(Range<u32>, Result<(), E>)> {
        let mut to_fill = locked(&self.to_fill);
        let (left, fill) = &mut *to_fill;
        let lot = left.start..left.end.min(left.start.saturating_add(LOT_CHUNKS));
        if lot.is_empty() {
            return None;
        }
        let filled = lot.clone().zip(slots).try_for_each(|(position, slot)| fill(position, slot));
        left.start = if filled.is_ok() { lot.end } else { left.end };
        Some((lot, filled))
    }

    /// Waits until all before it were taken. Says whether that was the end.
    fn take(&self, lot: Range<u32>, worked: Result<(), E>, slots: &[Slot<'_>]) -> bool {
        let turn = self.moved.wait_while(locked(&self.turn), |turn| !turn.ended && turn.at != lot.start);
        let mut turn = turn.unwrap_or_else(PoisonError::into_inner);
        if !turn.ended {
            let taken = worked.and_then(|()| slots.iter().try_for_each(|slot| (turn.take)(slot.as_ref())));
            turn.ended = taken.is_err();
            turn.outcome = taken;
            turn.at = lot.end;
            self.moved.notify_all();
        }
        turn.ended
    }
}

/// Nobody waits for the turn of a thread that is gone.
struct EndsWithPanic<'a, F, T, E>(&'a Line<F, T, E>);

impl<F, T, E> Drop for EndsWithPanic<'_, F, T, E> {
    fn drop(&mut self) {
        if thread::panicking() {
            locked(&self.0.turn).ended = true;
            self.0.moved.notify_all();
        }
    }
}

impl AsRef<[u8]> for Slot<'_> {
    fn as_ref(&self) -> &[u8] {
        self.room.split_at(self.size).0
    }
}

impl AsMut<[u8]> for Slot<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.room.split_at_mut(self.size).0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MANY: u32 = 1_000;

    fn number(slot: &[u8]) -> u32 {
        u32::from_be_bytes(slot.try_into().unwrap())
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Step {
        Fill,
        Work,
        Take,
    }

    const STEPS: [Step; 3] = [Step::Fill, Step::Work, Step::Take];

    /// Numbers that are doubled on the way; gives what was taken and how it ended. `deed` is asked in every step.
    fn doubled(
        positions: Range<u32>,
        deed: impl Fn(Step, u32) -> Result<(), u32> + Sync,
    ) -> (Vec<u32>, Result<(), u32>) {
        let mut taken = Vec::new();
        let ended = in_order(
            positions,
            4,
            |position, slot| {
                slot.resize(4);
                slot.as_mut().copy_from_slice(&position.to_be_bytes());
                deed(Step::Fill, position)
            },
            |position, slot| {
                let twice = number(slot.as_ref()) * 2;
                slot.as_mut().copy_from_slice(&twice.to_be_bytes());
                deed(Step::Work, position)
            },
            |slot| {
                deed(Step::Take, number(slot) / 2)?;
                taken.push(number(slot));
                Ok(())
            },
        );
        (taken, ended)
    }

    #[test]
    fn what_goes_in_comes_out_in_order_whoever_is_first_done() {
        for positions in [0..1, 5..9, 0..15, 0..16, 3..MANY] {
            let slow = |_, position: u32| {
                for n in 0..position % 7 * 100 {
                    std::hint::black_box(n);
                }
                Ok(())
            };
            let (taken, ended) = doubled(positions.clone(), slow);
            assert_eq!((taken, ended), (positions.map(|it| it * 2).collect(), Ok(())));
        }
    }

    #[test]
    fn of_several_errors_the_first_in_order_is_told_and_nothing_after_it_is_taken() {
        for failing in STEPS {
            for first in [0, 3, 17, 500, MANY - 1] {
                let fails = |step, position| if step == failing && first <= position { Err(position) } else { Ok(()) };
                let (taken, ended) = doubled(0..MANY, fails);
                assert_eq!(ended, Err(first), "{failing:?}");
                assert!(taken.len() <= first as usize && (first as usize) < taken.len() + LOT_CHUNKS as usize);
                assert!(taken.iter().copied().eq((0..taken.len() as u32).map(|it| it * 2)), "{failing:?}");
            }
        }
    }

    #[test]
    fn a_panic_ends_everything_and_leaves_nobody_waiting() {
        for failing in STEPS {
            for at in [0, 100, MANY - 1] {
                let panics = |step, position| {
                    assert!((step, position) != (failing, at), "{failing:?} at {at}");
                    Ok(())
                };
                assert!(std::panic::catch_unwind(|| doubled(0..MANY, panics)).is_err(), "{failing:?}");
            }
        }
    }
}
