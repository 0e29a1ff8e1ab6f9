//! Is a text readable where it should not be, in whatever form somebody would find it?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;

/// The forms of some texts, and bytes as they are, to be looked for at once.
pub struct Forms {
    /// What it is called, and its bytes; at least four.
    forms: Vec<(String, Vec<u8>)>,
    /// For each two bytes, whether a form begins with them.
    begins: Vec<bool>,
}

impl Forms {
    pub fn of(text: &str) -> Forms {
        let mut forms = Forms { forms: Vec::new(), begins: vec![false; 1 << 16] };
        for text in BTreeSet::from([text.to_owned(), text.to_lowercase(), text.to_uppercase()]) {
            let wide: Vec<u16> = text.encode_utf16().collect();
            let little: Vec<u8> = wide.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = wide.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for (encoding, bytes) in [("UTF-8", text.as_bytes()), ("UTF-16, little", &little), ("UTF-16, big", &big)] {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                forms.add(&format!("`{text}` in {encoding}"), bytes);
                forms.add(&format!("`{text}` in hexadecimal digits of {encoding}"), hex.as_bytes());
                forms
                    .add(&format!("`{text}` in large hexadecimal digits of {encoding}"), hex.to_uppercase().as_bytes());
                for phase in 0..3 {
                    let form = in_base64(bytes, phase);
                    let name = format!("`{text}` in base64 of {encoding}, phase {phase}");
                    forms.add(&name, form.as_bytes());
                    forms.add(&format!("{name}, for URLs"), form.replace('+', "-").replace('/', "_").as_bytes());
                }
            }
        }
        forms
    }

    /// These bytes too, as they are.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        assert!(4 <= bytes.len(), "what is shorter is found by chance");
        self.begins[usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))] = true;
        self.forms.push((name.to_owned(), bytes.to_owned()));
    }

    pub fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.forms.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The names of all forms that are in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(1) {
            if self.begins[usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))] {
                let here = self.forms.iter().filter(|(_, form)| bytes[at..].starts_with(form));
                found.extend(here.map(|(name, _)| name.as_str()));
            }
        }
        found
    }

    /// Every form in a file below `dir`, or in a name of one.
    pub fn found_below(&self, dir: &Path) -> Vec<(PathBuf, &str)> {
        let mut found = Vec::new();
        // A server at work may take a file or a folder away at any time.
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let named = self.found_in(entry.file_name().as_encoded_bytes());
            found.extend(named.into_iter().map(|form| (path.clone(), form)));
            match std::fs::symlink_metadata(&path) {
                Ok(it) if it.is_dir() => found.extend(self.found_below(&path)),
                Ok(it) if it.is_file() => {
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    found.extend(self.found_in(&bytes).into_iter().map(|form| (path.clone(), form)));
                }
                _ => {}
            }
        }
        found
    }
}

/// What of the letters for these bytes stands there whatever is around them, when `phase` bytes came before them.
fn in_base64(bytes: &[u8], phase: usize) -> String {
    let before = [&[0; 2][..phase], bytes].concat();
    let letters = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&before);
    letters[(phase * 8).div_ceil(6)..before.len() * 8 / 6].to_owned()
}
