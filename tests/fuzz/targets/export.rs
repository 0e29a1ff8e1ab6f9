#![no_main]

libfuzzer_sys::fuzz_target!(init: countersign_fuzz::end_at_panics_of_our_own(), |bytes: &[u8]| {
    countersign_fuzz::promises::export(bytes);
});

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    countersign_fuzz::mutate(data, size, max_size, seed)
});
