//! A sample that nobody could choose: drawn from a seed that was committed to before the population was known.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Error;

/// Largest sample that is drawn; a person looks at every one of it.
pub const SAMPLE_MAX: u64 = 10_000;

/// Which of `population` things, numbered from 0, are in the sample of `count` of them: `count` different numbers in the
/// order they were drawn; all of them, in some order, when there are no more than `count`.
///
/// Draw number n is the first eight bytes, the greatest first, of HMAC-SHA-256(seed, `audit-sample/v1` 00 n), where n has
/// eight bytes and begins at 0. A draw is passed over when it is not below the largest multiple of `population` up to
/// 2^64, since small numbers would then be likelier; of the rest the remainder by `population` is taken, unless it was
/// taken before. Whoever has the seed draws the same.
pub fn draw(seed: &[u8; 32], population: u64, count: u64) -> Result<Vec<u64>, Error> {
    let wanted = count.min(population);
    if SAMPLE_MAX < wanted {
        return Err(Error::Sample { wanted, max: SAMPLE_MAX });
    }
    let (mut drawn, mut seen) = (Vec::new(), BTreeSet::new());
    let mut counter: u64 = 0;
    while (drawn.len() as u64) < wanted {
        let rest = (1 << 64) % u128::from(population);
        let number = number(seed, counter);
        counter += 1;
        if u128::from(number) < (1 << 64) - rest && seen.insert(number % population) {
            drawn.push(number % population);
        }
    }
    Ok(drawn)
}

fn number(seed: &[u8; 32], counter: u64) -> u64 {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(seed) else { unreachable!("HMAC takes a key of any length") };
    let mac = mac.chain_update(b"audit-sample/v1\0").chain_update(counter.to_be_bytes());
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_draws_are_those_of_another_program() {
        // Computed with Python's hmac module from the words above `draw`.
        let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
        assert_eq!(draw(&seed, 1_000, 10).unwrap(), [352, 601, 364, 605, 805, 595, 146, 399, 283, 323]);
        assert_eq!(draw(&[7; 32], 5, 5).unwrap(), [3, 4, 0, 1, 2]);
        assert_eq!(draw(&[7; 32], 1 << 40, 3).unwrap(), [1_015_473_492_270, 1_048_416_636_461, 539_745_169_134]);
        // Of populations above 2^63, every second draw or so is passed over.
        assert_eq!(
            draw(&[7; 32], (1 << 63) + 1, 4).unwrap(),
            [
                8_388_909_697_543_950_638,
                7_388_109_548_958_101_230,
                8_123_137_168_656_089_040,
                7_027_371_559_104_124_291
            ]
        );
    }

    #[test]
    fn nothing_is_drawn_from_nothing_and_no_more_than_a_person_looks_at() {
        assert!(draw(&[7; 32], 0, 5).unwrap().is_empty());
        assert!(draw(&[7; 32], 5, 0).unwrap().is_empty());
        assert_eq!(draw(&[7; 32], 1, u64::MAX).unwrap(), [0]);
        assert_eq!(draw(&[7; 32], u64::MAX, SAMPLE_MAX).unwrap().len() as u64, SAMPLE_MAX);
        assert_eq!(draw(&[7; 32], SAMPLE_MAX, u64::MAX).unwrap().len() as u64, SAMPLE_MAX);
        assert!(matches!(draw(&[7; 32], SAMPLE_MAX + 1, SAMPLE_MAX + 1), Err(Error::Sample { .. })));
    }

    #[test]
    fn every_thing_is_drawn_about_as_often_as_every_other() {
        // 4,000 samples of 3 out of 12: each is expected 1,000 times, with a standard deviation of 27.
        let mut times = [0; 12];
        for n in 0..4_000_u32 {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&n.to_be_bytes());
            draw(&seed, 12, 3).unwrap().into_iter().for_each(|i| times[i as usize] += 1);
        }
        assert!(times.iter().all(|times| (860..1_140).contains(times)), "{times:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_sample_has_a_thing_twice_or_one_that_is_not_there(seed: [u8; 32], population in 0u64..3_000, count in 0u64..400) {
            let drawn = draw(&seed, population, count).unwrap();
            assert_eq!(drawn.len() as u64, count.min(population));
            assert!(drawn.iter().all(|i| *i < population));
            let different: BTreeSet<u64> = drawn.iter().copied().collect();
            assert_eq!(different.len(), drawn.len());
            // A larger sample by the same seed begins with the smaller one.
            assert!(draw(&seed, population, count + 5).unwrap().starts_with(&drawn));
        }
    }
}
