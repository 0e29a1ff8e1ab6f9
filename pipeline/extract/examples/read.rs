//! Prints what is read from each file, one line of JSON a file.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for file in std::env::args().skip(1) {
        let started = std::time::Instant::now();
        let reading = std::fs::read(&file).map(|bytes| extract::read(&bytes))?;
        let elapsed_ms = started.elapsed().as_millis() as u64;
        let mut line = match reading {
            Ok(reading) => {
                let n_pictures = reading.pictures.len();
                let mut line = serde_json::to_value(&reading.extraction)?;
                if let Some(line) = line.as_object_mut() {
                    line.insert("n_pictures".to_owned(), n_pictures.into());
                }
                line
            }
            Err(err) => serde_json::json!({ "error": { "code": err.code(), "message": err.to_string() } }),
        };
        if let Some(line) = line.as_object_mut() {
            line.insert("file".to_owned(), file.into());
            line.insert("elapsed_ms".to_owned(), elapsed_ms.into());
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}
