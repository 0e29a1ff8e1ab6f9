//! Any bytes as whatever an auditor is handed: refused or read, never a panic.
#![no_main]

use audit::{Body, Frontier, Leaf, OpeningLine, TimestampAuthority, VerifierKey, WitnessKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let key = VerifierKey::parse(&text);
    let keys: Vec<VerifierKey> = key.into_iter().collect();
    let _ = audit::open_checkpoint(bytes, &keys);
    let _ = audit::verify_receipt(bytes, bytes, &keys);
    let _ = WitnessKey::parse(&text);
    let _ = Body::parse(bytes);
    let _ = Leaf::parse(bytes);
    let _ = OpeningLine::parse(bytes);
    let _ = Frontier::from_bytes(bytes);
    let _ = TimestampAuthority::parse(bytes);
    let _ = audit::micros(bytes);
});
