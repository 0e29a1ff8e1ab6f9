#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn shares_of(key: [u8; 32], slope: [u8; 32]) -> [Share; 3] {
    split_with(&key, KeyId::of("escrow", &key), &slope)
}

fn sample() -> [Share; 3] {
    shares_of(std::array::from_fn(|i| i as u8 * 7), std::array::from_fn(|i| i as u8 * 8 + 3))
}

#[test]
fn bytes_are_multiplied_as_in_aes() {
    // FIPS 197, sections 4.2 and 4.2.1.
    for (a, b, product) in [(0x57, 0x83, 0xc1), (0x57, 0x13, 0xfe), (0x57, 0x02, 0xae), (0x57, 0x10, 0x07)] {
        assert_eq!((times(a, b), times(b, a)), (product, product));
    }
    for a in 1..=u8::MAX {
        assert_eq!((times(a, inverse(a)), times(a, 1), times(a, 0)), (1, a, 0));
    }
}

#[test]
fn one_share_alone_fits_every_secret() {
    for number in 1..=3 {
        for part in 0..=u8::MAX {
            // For each secret there is exactly one slope, and slopes are equally likely.
            let mut slopes: Vec<u8> = (0..=u8::MAX).map(|secret| times(secret ^ part, inverse(number))).collect();
            slopes.sort_unstable();
            assert!(slopes.iter().copied().eq(0..=u8::MAX));
        }
    }
}

#[test]
fn a_single_wrong_character_is_named_by_its_group() {
    for share in &sample() {
        let line = share.line();
        for at in 2..line.len() {
            if line.as_bytes()[at] == b'-' {
                continue;
            }
            for letter in ALPHABET.iter().chain(b"U*\xc3").filter(|it| **it != line.as_bytes()[at]) {
                let mut typed: Vec<char> = line.chars().collect();
                typed[at] = char::from(*letter);
                let refused = Share::parse(&typed.iter().collect::<String>()).unwrap_err();
                assert_eq!(
                    refused,
                    ShareError::Mistyped { number: share.number, group: at / 5 + usize::from(at % 5 >= 2) }
                );
            }
        }
    }
}

#[test]
fn characters_and_groups_that_changed_places_are_named() {
    for share in &sample() {
        let line = share.line();
        for at in 2..line.len() - 1 {
            let mut typed = line.as_bytes().to_vec();
            typed.swap(at, at + 1);
            if typed != line.as_bytes() && !typed[at..at + 2].contains(&b'-') {
                let typed = String::from_utf8(typed).unwrap();
                assert!(matches!(Share::parse(&typed), Err(ShareError::Mistyped { .. })), "{typed}");
            }
        }
        let groups: Vec<&str> = line.split('-').collect();
        for one in 1..groups.len() {
            for other in one + 1..groups.len() {
                let mut typed = groups.clone();
                typed.swap(one, other);
                let refused = Share::parse(&typed.join("-")).unwrap_err();
                assert_eq!(refused, ShareError::Mistyped { number: share.number, group: one });
            }
        }
    }
}

#[test]
fn a_line_that_is_no_share_is_refused_with_what_is_missing() {
    let [one, ..] = sample();
    let line = one.line();
    let groups = |n: usize| line.split('-').take(n + 1).collect::<Vec<_>>().join(" ");
    for (typed, refused) in [
        (String::new(), ShareError::Number),
        (line.replacen("1-", "4-", 1), ShareError::Number),
        (line[2..].to_owned(), ShareError::Number),
        (groups(19), ShareError::Groups { n: 19 }),
        (format!("{} 0000", *line), ShareError::Groups { n: 21 }),
        (line.replacen('-', "", 2), ShareError::Number),
        (format!("1 {}", " ".repeat(2_000)), ShareError::Groups { n: 0 }),
        ("1 ".repeat(100_000), ShareError::Groups { n: 1024 }),
        (line.replacen("1-", "2-", 1), ShareError::Check { number: 2 }),
        (line.replacen("1-", "3-", 1), ShareError::Check { number: 3 }),
    ] {
        assert_eq!(Share::parse(&typed).unwrap_err(), refused, "{typed}");
    }
}

#[test]
fn a_line_is_read_as_people_type_it() {
    let [one, ..] = sample();
    let line = one.line();
    for typed in [
        line.to_lowercase(),
        line.replace('-', " "),
        format!("  {}\t\r\n", line.replace('-', " - ")),
        line.replace('0', "o").replacen("1-", "1 ", 1),
        format!("1{}", line[1..].replace('1', "l").replace('0', "O")),
    ] {
        assert_eq!(*Share::parse(&typed).unwrap().line(), *line);
    }
    assert_eq!(line.len(), 101);
    assert!(line.starts_with(&format!("1-{}-", one.set_name())));
}

#[test]
fn shares_that_another_implementation_made_are_ours() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/keys/vectors.json");
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let key = |hex: &str| *super::super::key_in(hex.as_bytes()).unwrap().expose_secret();
    let escrow = key(vectors["key_file"][3].as_str().unwrap().split(' ').nth(2).unwrap());
    let ours = shares_of(escrow, key(vectors["slope"].as_str().unwrap()));
    for (ours, theirs) in ours.iter().zip(vectors["shares"].as_array().unwrap()) {
        assert_eq!(*ours.line(), theirs.as_str().unwrap());
    }
}

#[test]
fn shares_that_were_made_up_do_not_fit_together() {
    let [one, mut other, _] = sample();
    other.part[31] ^= 1;
    let made_up = Share::parse(&other.line()).unwrap();
    let refused = combine(&one, &made_up).unwrap_err();
    assert_eq!(refused, ShareError::Apart { one: 1, other: 2, set: one.set_name() });
}

proptest! {
    #[test]
    fn any_two_of_three_shares_give_the_key(key: [u8; 32], slope: [u8; 32]) {
        let shares = shares_of(key, slope).map(|share| Share::parse(&share.line()).unwrap());
        for one in 0..3 {
            for other in 0..3 {
                match combine(&shares[one], &shares[other]) {
                    Ok(found) => prop_assert!(one != other && *found.expose_secret() == key),
                    Err(refused) => prop_assert_eq!((refused, one), (ShareError::Twice { number: one as u8 + 1 }, other)),
                }
            }
        }
    }

    #[test]
    fn no_line_makes_the_parser_panic(line in "[123]([- ][0-9A-Za-z\u{e9}]{4}){18,22}") {
        let _ = Share::parse(&line);
    }
}
