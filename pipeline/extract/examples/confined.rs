//! The reader's process by itself: a document on standard input, frames on standard output.

fn main() -> std::process::ExitCode {
    extract::serve(
        extract::Limits { memory_bytes_max: 1 << 30, cpu_seconds_max: 20, document_bytes_max: 64 << 20 },
        None,
        extract::Stage::Read,
    )
}
