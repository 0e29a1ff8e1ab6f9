//! Files that are named on the command line.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::Context;

/// A head, a key or a certificate; the largest head that is read has 64 KiB.
pub(crate) const SMALL_BYTES_MAX: u64 = 64 << 10;

/// The bytes of a file of at most `max` bytes.
pub(crate) fn read(path: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    file.take(max + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read `{}`", path.display()))?;
    let size = bytes.len() as u64;
    anyhow::ensure!(size <= max, "`{}` has more than {max} bytes", path.display());
    Ok(bytes)
}

/// What is given as a text, or in a file that holds it.
pub(crate) fn given<T, E>(given: &str, what: &str, parse: impl Fn(&str) -> Result<T, E>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match parse(given) {
        Ok(parsed) => Ok(parsed),
        Err(_) if Path::new(given).is_file() => {
            let text = read(Path::new(given), SMALL_BYTES_MAX)?;
            let text = String::from_utf8(text).with_context(|| format!("`{given}` is not text"))?;
            parse(text.trim()).with_context(|| format!("in `{given}`"))
        }
        Err(error) => Err(error).with_context(|| format!("`{given}` is neither a file nor {what}")),
    }
}
