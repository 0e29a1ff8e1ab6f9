#![no_main]

libfuzzer_sys::fuzz_target!(init: countersign_fuzz::end_at_panics_of_our_own(), |bytes: &[u8]| {
    countersign_fuzz::promises::seal(bytes);
});
