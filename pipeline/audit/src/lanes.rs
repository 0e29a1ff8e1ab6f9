//! SHA-256 of many messages, some in step with one another.
//!
//! One SHA-256 waits for its own last step most of the time, even where the processor has instructions for it. Blocks
//! of several messages in turn keep it busy while it waits, and need nothing but the block function of `sha2`.

use sha2::block_api::compress256;

use crate::Hash;

/// FIPS 180-4 section 5.3.3
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// Messages in step; more bring nothing.
const WIDTH: usize = 4;

/// What is hashed: a byte before, if any, and the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) before: Option<u8>,
    pub(crate) bytes: &'a [u8],
}

/// Calls `each` with the hash of every item, in order; `message` says which bytes of it are hashed.
pub(crate) fn hash_each<'a, T>(items: &'a [T], message: impl Fn(&'a T) -> Message<'a>, mut each: impl FnMut(Hash)) {
    let mut lanes: [Lane<'_>; WIDTH] = Default::default();
    for group in items.chunks(WIDTH) {
        let Some(lanes) = lanes.get_mut(..group.len()) else {
            unreachable!("a group has at most a lane for each item")
        };
        lanes.iter_mut().zip(group).for_each(|(lane, item)| lane.load(message(item)));
        run(lanes);
        lanes.iter().for_each(|lane| each(lane.hash()));
    }
}

/// A message on its way, padded as FIPS 180-4 section 5.1.1 has it.
struct Lane<'a> {
    state: [u32; 8],
    /// The block that begins with the byte before the message, if there is one and the message fills the block.
    first: [[u8; 64]; 1],
    n_first: usize,
    whole: &'a [[u8; 64]],
    last: [[u8; 64]; 2],
    n_last: usize,
}

impl Default for Lane<'_> {
    fn default() -> Self {
        Lane { state: START, first: [[0; 64]], n_first: 0, whole: &[], last: [[0; 64]; 2], n_last: 0 }
    }
}

impl<'a> Lane<'a> {
    #[inline(always)]
    fn load(&mut self, Message { before, bytes }: Message<'a>) {
        self.state = START;
        let bits = 8 * (bytes.len() as u64 + u64::from(before.is_some()));
        let (mut rest, mut short) = (bytes, before);
        self.n_first = 0;
        if let Some(before) = before
            && let Some((bytes, after)) = bytes.split_first_chunk::<63>()
            && let [[one, more @ ..]] = &mut self.first
        {
            *one = before;
            *more = *bytes;
            (self.n_first, rest, short) = (1, after, None);
        }
        let (whole, rest) = rest.as_chunks::<64>();
        self.whole = whole;
        self.last = [[0; 64]; 2];
        self.n_last = if rest.len() + usize::from(short.is_some()) < 56 { 1 } else { 2 };
        let (head, to) = self.last.as_flattened_mut().split_at_mut(usize::from(short.is_some()));
        head.iter_mut().zip(short).for_each(|(to, short)| *to = short);
        let (text, to) = to.split_at_mut(rest.len());
        text.copy_from_slice(rest);
        to.iter_mut().take(1).for_each(|end| *end = 0x80);
        let end = self.last.get_mut(self.n_last - 1).and_then(|block| block.last_chunk_mut::<8>());
        end.into_iter().for_each(|end| *end = bits.to_be_bytes());
    }

    #[inline(always)]
    fn hash(&self) -> Hash {
        let mut hash = Hash::ZERO;
        let (words, _) = hash.0.as_chunks_mut::<4>();
        words.iter_mut().zip(self.state).for_each(|(to, word)| *to = word.to_be_bytes());
        hash
    }
}

#[inline(always)]
fn run(lanes: &mut [Lane<'_>]) {
    for lane in &mut *lanes {
        if lane.n_first == 1 {
            compress256(&mut lane.state, &lane.first);
        }
    }
    let in_step = lanes.iter().map(|lane| lane.whole.len()).min().unwrap_or(0);
    for at in 0..in_step {
        for lane in &mut *lanes {
            if let Some(block) = lane.whole.get(at) {
                compress256(&mut lane.state, std::slice::from_ref(block));
            }
        }
    }
    for lane in &mut *lanes {
        if let Some(rest) = lane.whole.get(in_step..).filter(|rest| !rest.is_empty()) {
            compress256(&mut lane.state, rest);
        }
    }
    for lane in lanes {
        compress256(&mut lane.state, lane.last.get(..lane.n_last).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_message_of_any_length_has_the_hash_that_sha2_gives() {
        let bytes: Vec<u8> = (0..400_u32).map(|n| (n * 7 % 251) as u8).collect();
        for before in [None, Some(0), Some(1)] {
            let messages: Vec<Message<'_>> =
                (0..bytes.len()).rev().filter_map(|n| bytes.get(..n)).map(|bytes| Message { before, bytes }).collect();
            for count in [0, 1, 2, 3, 4, 5, 399, 400] {
                let mut hashes = Vec::new();
                hash_each(messages.get(..count).unwrap_or_default(), |message| *message, |hash| hashes.push(hash));
                assert_eq!(hashes.len(), count);
                for (message, hash) in messages.iter().zip(hashes) {
                    let prefix: Vec<u8> = message.before.into_iter().collect();
                    let expected = Sha256::new().chain_update(prefix).chain_update(message.bytes).finalize();
                    assert_eq!(hash.0, <[u8; 32]>::from(expected), "{} bytes", message.bytes.len());
                }
            }
        }
    }
}
