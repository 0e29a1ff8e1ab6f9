//! The escrow key in three shares, any two of which give it back, and how people write a share down. §6.2 of
//! `vault/format.md`.
//!
//! Shamir's scheme (1979) over GF(2⁸) with the polynomial of AES (FIPS 197): the secret is a byte of a straight line at 0,
//! share `n` the byte at `n`. One share alone fits every secret there is.

use std::fmt;

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeyError, KeyId};

const SHARES: u8 = 3;
/// The first two groups name the set, the others hold the share and a check value.
const GROUPS: usize = 20;
const SET_GROUPS: usize = 2;
/// Letters of a group that hold something; one more checks them.
const LETTERS: usize = 3;
/// A written share has some 100 characters; white space and hyphens between them are as people like.
const LINE_BYTES_MAX: usize = 1024;
/// Digits and letters without I, L, O and U, which are mistaken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One of three parts of an escrow key.
pub struct Share {
    /// 1 to 3.
    number: u8,
    /// The first 30 bits of the id of the escrow key: two shares belong together where they are equal.
    set: u32,
    part: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of set {})", self.number, self.set_name())
    }
}

/// Why shares do not open anything. Never with what stands in one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    #[error("two shares are needed, each on a line")]
    TooFew,
    #[error("a share is written in digits and letters, and this is no text")]
    NoText,
    #[error("a share begins with its number, 1 to {SHARES}")]
    Number,
    #[error("a share is its number and {GROUPS} groups of four characters; there are {n} groups, or one has not four")]
    Groups { n: usize },
    #[error("group {group} of share {number} was mistyped")]
    Mistyped { number: u8, group: usize },
    #[error("share {number} was mistyped: its number is another's, or more than one character of a group is wrong")]
    Check { number: u8 },
    #[error("share {number} was given twice; two different ones are needed")]
    Twice { number: u8 },
    #[error("share {one} is of set {one_set}, share {other} of set {other_set}: shares of two sets open nothing")]
    Mixed { one: u8, one_set: String, other: u8, other_set: String },
    #[error(
        "shares {one} and {other} of set {set} do not fit together: one of them was made up, or written down wrong"
    )]
    Apart { one: u8, other: u8, set: String },
}

/// Three shares of `key`, which is called `id`, with fresh randomness: to be called once for a key, for shares of two calls
/// would have the same set and not fit together.
pub(super) fn split(key: &[u8; 32], id: KeyId) -> Result<[Share; 3], KeyError> {
    // Every byte, 0 as well: a slope that is never 0 would tell something about the secret.
    let mut slope = Zeroizing::new([0; 32]);
    getrandom::fill(slope.as_mut_slice()).map_err(KeyError::NoRandomness)?;
    Ok(split_with(key, id, &slope))
}

fn split_with(key: &[u8; 32], id: KeyId, slope: &[u8; 32]) -> [Share; 3] {
    [1, 2, 3].map(|number| {
        let mut part = Zeroizing::new([0; 32]);
        for ((out, secret), slope) in part.iter_mut().zip(key).zip(slope) {
            *out = secret ^ times(*slope, number);
        }
        Share { number, set: set_of(id), part }
    })
}

/// The key that both shares are of. Its id is to be compared by [`fits`].
pub(super) fn combine(one: &Share, other: &Share) -> Result<SecretBox<[u8; 32]>, ShareError> {
    if one.set != other.set {
        let (one_set, other_set) = (one.set_name(), other.set_name());
        return Err(ShareError::Mixed { one: one.number, one_set, other: other.number, other_set });
    }
    if one.number == other.number {
        return Err(ShareError::Twice { number: one.number });
    }
    // Lagrange at 0: y₁·x₂/(x₁+x₂) + y₂·x₁/(x₁+x₂).
    let apart = inverse(one.number ^ other.number);
    let (weight_one, weight_other) = (times(other.number, apart), times(one.number, apart));
    let mut key = SecretBox::<[u8; 32]>::default();
    for ((out, a), b) in key.expose_secret_mut().iter_mut().zip(one.part.iter()).zip(other.part.iter()) {
        *out = times(*a, weight_one) ^ times(*b, weight_other);
    }
    let id = KeyId::of("escrow", key.expose_secret());
    if set_of(id) != one.set {
        return Err(ShareError::Apart { one: one.number, other: other.number, set: one.set_name() });
    }
    Ok(key)
}

/// The name of the set of shares for an escrow key, as it stands in each of them.
pub(super) fn set_name(id: KeyId) -> String {
    name_of(set_of(id))
}

/// Multiplies in GF(2⁸); takes the same time for all bytes.
fn times(a: u8, b: u8) -> u8 {
    let (mut product, mut a) = (0, a);
    for bit in 0..8 {
        product ^= a & ((b >> bit) & 1).wrapping_neg();
        a = (a << 1) ^ (0x1b & (a >> 7).wrapping_neg());
    }
    product
}

/// By a²⁵⁴, which for all but 0 is 1/a.
fn inverse(a: u8) -> u8 {
    (0..254).fold(1, |power, _| times(power, a))
}

fn set_of(id: KeyId) -> u32 {
    let [a, b, c, d, ..] = id.0;
    u32::from_be_bytes([a, b, c, d]) >> 2
}

fn name_of(set: u32) -> String {
    let letters = (0..SET_GROUPS * LETTERS).map(|at| ((set >> (5 * (SET_GROUPS * LETTERS - 1 - at))) & 31) as u8);
    written(&letters.collect::<Vec<_>>()).to_string()
}

impl Share {
    /// As in the share's line.
    pub fn set_name(&self) -> String {
        name_of(self.set)
    }

    /// The line to write down: the number, then groups of four. Whoever has two of them has the keys.
    pub fn line(&self) -> Zeroizing<String> {
        let check = self.check();
        let set = self.set.to_be_bytes();
        // 30 bits of the set, 256 of the share, 14 of the check value: from the left, five to a letter.
        let share = set.iter().flat_map(bits).skip(2).chain(self.part.iter().flat_map(bits));
        let mut letters = Zeroizing::new([0; GROUPS * LETTERS]);
        for (at, bit) in share.chain(check.iter().flat_map(bits).skip(2)).enumerate() {
            if let Some(letter) = letters.get_mut(at / 5) {
                *letter |= bit << (4 - at % 5);
            }
        }
        let groups = written(letters.as_slice());
        let mut line = Zeroizing::new(String::with_capacity(2 + groups.len()));
        line.push(char::from(b'0' + self.number));
        line.push('-');
        line.push_str(&groups);
        line
    }

    /// Reads a line as a person typed it: small letters, O for 0, I and L for 1, white space and hyphens anywhere between
    /// the groups.
    pub fn parse(line: &str) -> Result<Share, ShareError> {
        let mut groups = line.split(|c: char| c.is_whitespace() || c == '-').filter(|it| !it.is_empty());
        let number = match groups.next() {
            Some("1") => 1,
            Some("2") => 2,
            Some("3") => 3,
            _ => return Err(ShareError::Number),
        };
        let n = groups.clone().take(LINE_BYTES_MAX).count();
        if LINE_BYTES_MAX < line.len() || n != GROUPS || groups.clone().any(|it| it.chars().count() != LETTERS + 1) {
            return Err(ShareError::Groups { n });
        }
        let mut letters = Zeroizing::new([0; GROUPS * LETTERS]);
        let (places, _) = letters.as_chunks_mut::<LETTERS>();
        for ((idx, group), place) in groups.enumerate().zip(places) {
            let mistyped = ShareError::Mistyped { number, group: idx + 1 };
            let mut read = group.chars().map(letter);
            for to in place.iter_mut() {
                match read.next().flatten() {
                    Some(letter) => *to = letter,
                    None => return Err(mistyped),
                }
            }
            if read.next().flatten() != Some(group_check(idx, place)) {
                return Err(mistyped);
            }
        }
        let mut bits = letters.iter().flat_map(|letter| (0..5).rev().map(move |bit| (letter >> bit) & 1));
        let set = bits.by_ref().take(30).fold(0, |set, bit| (set << 1) | u32::from(bit));
        let mut part = Zeroizing::new([0; 32]);
        for byte in part.iter_mut() {
            *byte = bits.by_ref().take(8).fold(0, |byte, bit| (byte << 1) | bit);
        }
        let check = bits.fold(0, |check, bit| (check << 1) | u16::from(bit));
        let share = Share { number, set, part };
        if share.check() != check.to_be_bytes() {
            return Err(ShareError::Check { number });
        }
        Ok(share)
    }

    /// 14 bits over number, set and share: what the letter of a group cannot see.
    fn check(&self) -> [u8; 2] {
        let hash = Sha256::new().chain_update(b"countersign/share/v1\0").chain_update([self.number]);
        let hash = hash.chain_update(self.set.to_be_bytes()).chain_update(self.part.as_slice()).finalize();
        let (&[high, low], _) = hash.split_first_chunk().expect("2 of 32");
        (u16::from_be_bytes([high, low]) >> 2).to_be_bytes()
    }
}

fn bits(byte: &u8) -> impl Iterator<Item = u8> + use<> {
    let byte = *byte;
    (0..8).rev().map(move |bit| (byte >> bit) & 1)
}

/// Groups with their check letters, and hyphens between.
fn written(letters: &[u8]) -> Zeroizing<String> {
    let (groups, _) = letters.as_chunks::<LETTERS>();
    let mut text = Zeroizing::new(String::with_capacity(groups.len() * (LETTERS + 2)));
    for (idx, group) in groups.iter().enumerate() {
        if 0 < idx {
            text.push('-');
        }
        for value in group.iter().chain([&group_check(idx, group)]) {
            text.push(char::from(*ALPHABET.get(usize::from(*value)).expect("five bits")));
        }
    }
    text
}

/// A polynomial over GF(2⁵) with the letters and the group's place as coefficients, at a point of order 31: one wrong
/// letter, two neighbours exchanged and two groups exchanged always show.
fn group_check(idx: usize, letters: &[u8]) -> u8 {
    let times_point = |a: u8| ((a << 1) ^ (0b10_0101 * (a >> 4))) & 31;
    times_point(letters.iter().fold(idx as u8 + 1, |sum, letter| times_point(sum) ^ letter))
}

fn letter(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|it| char::from(*it) == c).and_then(|at| u8::try_from(at).ok())
}

#[cfg(test)]
mod tests;
