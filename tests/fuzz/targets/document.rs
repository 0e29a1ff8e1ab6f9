//! Any bytes as a document: the reader never panics, and whoever receives its answer believes every answer it gives.
#![no_main]

use case::Extraction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    match extract::read(document) {
        Ok(reading) => {
            let answer = serde_json::to_vec(&reading.extraction).unwrap();
            let believed = Extraction::from_untrusted(&answer).expect("what the reader gives is believed");
            assert_eq!(believed, reading.extraction);
        }
        Err(unreadable) => assert_ne!(unreadable.code(), "crashed"),
    }
});
