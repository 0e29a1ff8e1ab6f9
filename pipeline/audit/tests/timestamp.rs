//! Timestamps that OpenSSL made, good and bad ones. `vectors/timestamps/make.sh` tells how.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;

use audit::*;
use proptest::prelude::*;

/// When `ec.tsr` was made.
const AT_EC: &str = "2026-11-22T17:53:50.447479Z";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

fn stamp(name: &str) -> Vec<u8> {
    file(&format!("timestamps/{name}"))
}

fn authority(name: &str) -> TimestampAuthority {
    TimestampAuthority::parse(&stamp(name)).unwrap()
}

fn digest() -> [u8; 32] {
    head_digest(&file("log/checkpoint")).unwrap()
}

/// The nonce stands before `certReq` at the end of a request.
fn nonce(request: &[u8]) -> u64 {
    let end = request.len() - 3;
    let start = (end - 11..end).find(|at| request[*at] == 2 && usize::from(request[at + 1]) == end - at - 2).unwrap();
    request[start + 2..end].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[track_caller]
fn refused(token: &[u8], authority: &TimestampAuthority, why: &str) {
    let error = verify_timestamp(token, &digest(), authority).unwrap_err().to_string();
    assert_eq!(error, format!("the timestamp {why}"));
}

#[test]
fn a_request_is_byte_for_byte_that_of_openssl() {
    for name in ["ec.tsq", "rsa.tsq"] {
        let request = stamp(name);
        assert_eq!(timestamp_request(&digest(), nonce(&request)), request);
    }
    for (number, value) in
        [(0, &[0_u8] as &[u8]), (1, &[1]), (127, &[127]), (128, &[0, 128]), (256, &[1, 0]), (u64::MAX, &[0, 255, 255])]
    {
        let request = timestamp_request(&digest(), number);
        let at = request.windows(34).position(|window| window[0] == 4 && window[1] == 32).unwrap() + 34;
        assert_eq!((request[at], &request[at + 2..at + 2 + value.len()]), (2, value));
        assert_eq!(usize::from(request[1]) + 2, request.len());
    }
}

#[test]
fn an_answer_is_taken_for_its_own_request_alone() {
    let nonce = nonce(&stamp("ec.tsq"));
    let at = granted(&stamp("ec.tsr"), &digest(), nonce).unwrap();
    assert_eq!(rfc3339(at).unwrap(), AT_EC);
    let other = |digest: &[u8; 32], nonce| granted(&stamp("ec.tsr"), digest, nonce).unwrap_err().to_string();
    assert_eq!(other(&digest(), nonce + 1), "the timestamp answers another request");
    assert_eq!(other(&[7; 32], nonce), "the timestamp is of another digest");
    // One without its status is no answer.
    assert!(granted(&stamp("ec.token"), &digest(), nonce).is_err());
    let refusal = granted(&stamp("refused.tsr"), &digest(), nonce).unwrap_err().to_string();
    let said = "the timestamp authority refused with status 2: `Message digest algorithm is not supported.`";
    assert_eq!(refusal, said);
    assert_eq!(
        verify_timestamp(&stamp("refused.tsr"), &digest(), &authority("ec-root.pem")).unwrap_err().to_string(),
        said
    );
}

#[test]
fn timestamps_are_verified_with_the_root_the_issuer_or_the_authority_s_own_certificate() {
    for root in ["ec-root.pem", "ec-issuer.pem", "ec-tsa.pem"] {
        for name in ["ec.tsr", "ec.token", "good.token", "key-id.token"] {
            let stamped = verify_timestamp(&stamp(name), &digest(), &authority(root)).unwrap();
            assert_eq!(rfc3339(stamped.at).unwrap(), AT_EC, "{name} with {root}");
            assert_eq!((stamped.accuracy_us, stamped.by.as_str()), (1_500_007, "Example ec-tsa"));
        }
    }
    for (name, root, by, micros_end) in [
        ("rsa.tsr", "rsa-root.pem", "Example rsa-tsa", "000Z"),
        ("rsa-good.token", "rsa-root.pem", "Example rsa-tsa", "Z"),
        ("p384.tsr", "ec-root.pem", "Example p384-tsa", "000Z"),
    ] {
        let stamped = verify_timestamp(&stamp(name), &digest(), &authority(root)).unwrap();
        assert_eq!(stamped.by, by);
        let at = rfc3339(stamped.at).unwrap();
        assert!(at.starts_with("2026-11-22T") && at.ends_with(micros_end), "{at}");
    }
    let both = [stamp("rsa-root.pem"), b"\nsome words\n".to_vec(), stamp("ec-root.pem")].concat();
    let both = TimestampAuthority::parse(&both).unwrap();
    assert!(verify_timestamp(&stamp("rsa.tsr"), &digest(), &both).is_ok());
    assert!(verify_timestamp(&stamp("ec.tsr"), &digest(), &both).is_ok());
    // Without certificates in the token, the given one must be the one that signed.
    assert!(verify_timestamp(&stamp("without-certificates.token"), &digest(), &authority("ec-tsa.pem")).is_ok());
    refused(
        &stamp("without-certificates.token"),
        &authority("ec-root.pem"),
        "lacks the certificate that it was signed with",
    );
}

#[test]
fn a_timestamp_by_anybody_else_is_refused() {
    let (ec, rsa) = (authority("ec-root.pem"), authority("rsa-root.pem"));
    let strangers = "was not signed by the given authority, nor by anybody it issued a certificate to";
    refused(&stamp("ec.tsr"), &rsa, strangers);
    refused(&stamp("rsa.tsr"), &ec, strangers);
    refused(&stamp("by-tsa.token"), &ec, strangers);
    refused(&stamp("by-impostor.token"), &ec, strangers);
    refused(&stamp("too-deep.token"), &ec, strangers);
    refused(&stamp("by-no-issuer.token"), &ec, strangers);
    refused(&stamp("by-no-signer.token"), &ec, strangers);
    refused(&stamp("in-maze.token"), &ec, "needs more than 16 signatures of issuers to be checked");
    refused(&stamp("other-type.token"), &ec, "holds something else than a timestamp");
    // The type of what it holds stands there twice: where nobody signs it, and among what is signed.
    let mut relabelled = stamp("other-type.token");
    let kind = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02";
    let end = find(&relabelled, kind).unwrap() + kind.len();
    relabelled[end - 1] = 4;
    refused(&relabelled, &ec, "is signed as something else than a timestamp");
    let not_alone = "was signed with a certificate that is not for timestamps alone";
    refused(&stamp("plain.token"), &ec, not_alone);
    refused(&stamp("two-uses.token"), &ec, not_alone);
    refused(&stamp("not-critical.token"), &ec, not_alone);
    refused(&stamp("strange.token"), &ec, "was signed with a certificate that asks for something unknown here");
    let invalid = "was signed with a certificate that was not valid at that time";
    refused(&stamp("expired.token"), &ec, invalid);
    refused(&stamp("early.token"), &ec, invalid);
    refused(
        &stamp("by-expired-issuer.token"),
        &ec,
        "was signed by somebody whose issuer's certificate was not valid at that time",
    );
    refused(&stamp("twin.token"), &ec, "lacks the certificate that it was signed with");
    refused(&stamp("weak.token"), &ec, "has a signature that does not fit");
    refused(&stamp("without-ess.token"), &ec, "does not say which certificate it was signed with");
    refused(&stamp("without-attributes.token"), &ec, "is signed without attributes");
    refused(&stamp("two-signers.token"), &ec, "has more than one signature");
    let other = verify_timestamp(&stamp("ec.tsr"), &[7; 32], &ec).unwrap_err().to_string();
    assert_eq!(other, "the timestamp is of another digest");
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn der(pem: &[u8]) -> Vec<u8> {
    let lines = std::str::from_utf8(pem).unwrap().lines().filter(|line| !line.starts_with('-'));
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, lines.collect::<String>()).unwrap()
}

#[test]
fn every_flipped_byte_is_refused_or_says_nothing_else() {
    for (name, root) in [("ec.tsr", "ec-root.pem"), ("rsa.tsr", "rsa-root.pem"), ("p384.tsr", "ec-root.pem")] {
        let (token, authority) = (stamp(name), authority(root));
        let good = verify_timestamp(&token, &digest(), &authority).unwrap();
        let mut untouched = Vec::new();
        for at in 0..token.len() {
            for mask in [1 << (at % 8), 2] {
                let mut flipped = token.clone();
                flipped[at] ^= mask;
                if let Ok(stamped) = verify_timestamp(&flipped, &digest(), &authority) {
                    assert_eq!(stamped, good, "byte {at} of {name}");
                    untouched.push(at);
                }
            }
        }
        // What nobody signed: whether it was granted with or without changes, and a certificate that is not needed.
        let status = 8;
        let root = der(&stamp(root));
        let root = find(&token, &root).map_or(0..0, |at| at..at + root.len());
        untouched.retain(|at| *at != status && !root.contains(at));
        assert!(untouched.is_empty(), "{name}: {untouched:?}");
        for cut in 0..token.len() {
            assert!(verify_timestamp(&token[..cut], &digest(), &authority).is_err(), "cut at {cut}");
        }
    }
}

#[test]
fn only_certificates_are_taken_for_an_authority() {
    let pem = stamp("ec-tsa.pem");
    let text = String::from_utf8(pem.clone()).unwrap();
    for bad in [
        b"".to_vec(),
        b"hello".to_vec(),
        pem[..pem.len() / 2].to_vec(),
        text.replacen('A', "!", 1).into_bytes(),
        text.replace('B', "C").into_bytes(),
        pem.repeat(17),
        vec![0x30; 70_000],
        vec![0xff; 100],
    ] {
        assert!(TimestampAuthority::parse(&bad).is_err());
    }
    assert!(TimestampAuthority::parse(&pem.repeat(16)).is_ok());
    let der = der(&pem);
    assert_eq!(TimestampAuthority::parse(&der).unwrap(), authority("ec-tsa.pem"));
    for at in 0..der.len() {
        assert!(TimestampAuthority::parse(&der[..at]).is_err());
    }
    let large = verify_timestamp(&vec![0; TIMESTAMP_BYTES_MAX + 1], &digest(), &authority("ec-tsa.pem")).unwrap_err();
    assert!(matches!(large, Error::TooLarge { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_done_to_a_token_it_is_refused_or_says_nothing_else(
        name in prop::sample::select(vec![
            ("ec.tsr", "ec-root.pem"), ("rsa.tsr", "rsa-root.pem"), ("p384.tsr", "ec-root.pem"),
            ("by-tsa.token", "ec-root.pem"), ("weak.token", "ec-root.pem"), ("ec.token", "ec-tsa.pem"),
        ]),
        changes in prop::collection::vec((0usize..4_000, 0usize..20, prop::collection::vec(0u8.., 0..20)), 1..5),
    ) {
        let (token, authority) = (stamp(name.0), authority(name.1));
        let good = verify_timestamp(&token, &digest(), &authority).ok();
        let mut changed = token.clone();
        for (at, cut, put) in changes {
            let at = at % changed.len().max(1);
            let end = (at + cut).min(changed.len());
            changed.splice(at..end, put);
        }
        if let Ok(stamped) = verify_timestamp(&changed, &digest(), &authority) {
            prop_assert_eq!(Some(stamped), good);
        }
        let _ = granted(&changed, &digest(), 7);
    }

    #[test]
    fn any_bytes_are_refused_and_never_panic(bytes in prop::collection::vec(0u8.., 0..300), at in 0usize..700) {
        let authority = authority("ec-root.pem");
        prop_assert!(verify_timestamp(&bytes, &digest(), &authority).is_err());
        prop_assert!(granted(&bytes, &digest(), 7).is_err());
        let mut pem = stamp("ec-tsa.pem");
        let at = at % pem.len();
        pem.splice(at..at, bytes.clone());
        let _ = TimestampAuthority::parse(&pem);
        let _ = TimestampAuthority::parse(&[&[0x30], bytes.as_slice()].concat());
    }
}
