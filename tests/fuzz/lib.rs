//! What the targets share: which panics count, and how archives are mutated.

pub mod promises;

use std::io::{Cursor, Read as _, Write as _};

use libfuzzer_sys::fuzzer_mutate;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, ZipArchive};

/// libFuzzer's own hook ends the process at every panic, also at one inside a library that the product catches where it
/// calls it. This one does so only where the code that panics is not a library's; what nobody catches ends it anyway.
pub fn end_at_panics_of_our_own() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let in_library = panic.location().is_some_and(|it| it.file().contains("/registry/src/"));
        if !in_library {
            report(panic);
            std::process::abort();
        }
    }));
}

const UNPACKED_BYTES_MAX: u64 = 1 << 20;
const PARTS_MAX: usize = 64;
/// How much a part may grow at once.
const GROWTH_BYTES_MAX: usize = 4 << 10;

/// Mutates what is packed in an archive, so that the parsers behind the compression are reached; anything else as it is.
/// `data` holds `size` bytes and has room for `max_size`; gives the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let packed = |data: &[u8]| Some(pack(mutated(unpack(data.get(..size)?)?, seed))?);
    // One in sixteen: the archive itself is hostile too.
    if seed % 16 != 0
        && let Some(archive) = packed(data)
        && archive.len() <= max_size
        && let Some(room) = data.get_mut(..archive.len())
    {
        room.copy_from_slice(&archive);
        return archive.len();
    }
    fuzzer_mutate(data, size, max_size)
}

type Part = (String, Vec<u8>);

fn mutated(mut parts: Vec<Part>, seed: u32) -> Vec<Part> {
    let count = parts.len();
    let (one, other) = ((seed >> 4) as usize % count, (seed >> 10) as usize % count);
    match (seed >> 16) % 16 {
        0 => drop(parts.remove(one)),
        1 => parts[one].1 = parts[other].1.clone(),
        2 => {
            let name = parts[one].0.clone();
            parts[one].0 = std::mem::replace(&mut parts[other].0, name);
        }
        _ => {
            let content = &mut parts[one].1;
            let size = content.len();
            let max_size = size + GROWTH_BYTES_MAX;
            content.resize(max_size, 0);
            let size = fuzzer_mutate(content, size, max_size);
            content.truncate(size);
        }
    }
    parts
}

fn unpack(archive: &[u8]) -> Option<Vec<Part>> {
    if !archive.starts_with(b"PK\x03\x04") {
        return None;
    }
    let mut archive = ZipArchive::new(Cursor::new(archive)).ok()?;
    let mut parts = Vec::new();
    for idx in 0..archive.len().min(PARTS_MAX) {
        let Ok(entry) = archive.by_index(idx) else { continue };
        let Ok(name) = entry.name().map(|it| it.into_owned()) else { continue };
        let mut content = Vec::new();
        // What is cut or damaged is a mutation too.
        let _ = entry.take(UNPACKED_BYTES_MAX / PARTS_MAX as u64).read_to_end(&mut content);
        parts.push((name, content));
    }
    Some(parts).filter(|it| !it.is_empty())
}

fn pack(parts: Vec<Part>) -> Option<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1));
    for (name, content) in parts {
        // Two parts of one name are not written.
        if writer.start_file(name, options).is_ok() {
            writer.write_all(&content).ok()?;
        }
    }
    Some(writer.finish().ok()?.into_inner())
}
