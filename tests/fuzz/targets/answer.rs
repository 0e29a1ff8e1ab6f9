//! Any bytes as the answer of a reader that a document took over: believed or refused, and what is believed can be judged.
#![no_main]

use case::{Extraction, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|answer: &[u8]| {
    let policy = Policy::parse([
        include_str!("../../../policies/checkpoints.toml"),
        include_str!("../../../policies/tolerances.toml"),
        include_str!("../../../policies/retention.toml"),
    ]);
    if let Ok(extraction) = Extraction::from_untrusted(answer) {
        let _ = case::validate(&extraction, &policy.unwrap(), jiff::civil::date(2026, 6, 15));
    }
});
