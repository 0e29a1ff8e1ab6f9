//! Of what the policy let through alone, the share that people check afterwards.

use crate::{Case, CaseId, Digest};

/// Is this case among those of which so many percent are drawn? A fixed function of the id and the percentage: whoever writes a
/// document chooses neither, as ids are given when it is admitted, and nothing that it says draws it or lets it off. Of the same
/// ids, a higher percentage draws these and more.
///
/// To redo it, take the SHA-256 of `straight-through-sample/v1`, a byte 0, and the id as it is written, in lower case with its
/// hyphens. The case is drawn when the first four bytes, the greatest first, times 100 are below the percentage times 2^32.
/// The log has both: id and `sample_percent` stand in the entry of the verdict that let the case through, the last
/// `case.reconcile` or `case.rematch` about it.
pub fn in_sample(id: CaseId, percent: u8) -> bool {
    let Digest([a, b, c, d, ..]) = Digest::of(format!("straight-through-sample/v1\0{id}").as_bytes());
    u64::from(u32::from_be_bytes([a, b, c, d])) * 100 < u64::from(percent) << 32
}

impl Case {
    /// Is it in the straight-through sample? By the policy that it was judged under, whatever another one says since.
    pub fn sampled(&self) -> bool {
        self.sample_percent.is_some_and(|percent| in_sample(self.id, percent))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    const N: u128 = 10_000;

    fn drawn(percent: u8) -> BTreeSet<u128> {
        (0..N).filter(|n| in_sample(CaseId(Uuid::from_u128(*n)), percent)).collect()
    }

    #[test]
    fn the_draws_are_those_of_another_program() {
        // Computed with Python's hashlib from the words above `in_sample`.
        let first: Vec<u128> = drawn(5).into_iter().take_while(|n| *n < 100).collect();
        assert_eq!(first, [2, 18, 33, 38, 52, 53, 71, 98]);
        // Of this one, the share is 73.24 %.
        let id = "0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".parse().unwrap();
        assert_eq!([73, 74].map(|percent| in_sample(id, percent)), [false, true]);
    }

    #[test]
    fn nothing_is_drawn_at_0_percent_all_at_100_and_about_its_share_between() {
        assert_eq!((drawn(0).len(), drawn(100).len()), (0, N as usize));
        for percent in [1, 5, 20, 50, 99] {
            // Four standard deviations of so many independent draws.
            let (share, n) = (f64::from(percent) / 100.0, N as f64);
            let bound = 4.0 * (n * share * (1.0 - share)).sqrt();
            let off = (drawn(percent).len() as f64 - n * share).abs();
            assert!(off < bound, "{percent} %: off by {off} of {n}, more than {bound}");
        }
    }

    #[test]
    fn a_higher_percentage_draws_the_same_cases_and_more() {
        let (few, more) = (drawn(5), drawn(6));
        assert!(few.is_subset(&more) && few.len() < more.len());
    }
}
