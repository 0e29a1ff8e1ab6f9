#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn lock(sealing: Sealing) -> Lock {
    let mut key = SecretBox::<[u8; 32]>::default();
    key.expose_secret_mut().fill(7);
    Lock { sealing, key }
}

fn each() -> [Sealing; 5] {
    let stretch = Stretch { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt: [9; 16] };
    [
        Sealing::Credential,
        Sealing::Passphrase(stretch),
        Sealing::Command,
        Sealing::Transit { wrapped: "vault:v1:abc".to_owned() },
        Sealing::Escrow(KeyId([1; 8])),
    ]
}

#[test]
fn a_sealed_key_file_of_which_any_byte_was_changed_or_cut_is_refused() {
    for sealing in each() {
        let lock = lock(sealing.clone());
        let whole = seal(&lock, b"the text").unwrap();
        assert_eq!(super::sealing(&whole), Ok(sealing));
        assert_eq!(open(&lock, &whole).unwrap().as_slice(), b"the text");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut altered = whole.clone();
                altered[at] ^= 1 << bit;
                assert!(open(&lock, &altered).is_none(), "{}: bit {bit} of byte {at}", lock.sealing);
            }
            assert!(open(&lock, &whole[..at]).is_none(), "{}: cut at {at}", lock.sealing);
        }
        assert!(open(&lock, &[&whole[..], &[0]].concat()).is_none());
        assert_ne!(seal(&lock, b"the text").unwrap(), whole, "a nonce is used once");
    }
}

#[test]
fn a_passphrase_is_stretched_as_it_should_be_and_for_no_longer_than_it_may() {
    let parse = |memory: u32, passes: u32, lanes: u32| {
        Stretch::parse(&Stretch { memory_kib: memory, passes, lanes, salt: [1; 16] }.detail())
    };
    for (memory, passes, lanes) in [(MEMORY_KIB, PASSES, LANES), (2 << 20, 4, 4), (65_536, 128, 16), (2 << 20, 1, 4)] {
        assert!(parse(memory, passes, lanes).is_ok());
    }
    let wants = |what: &str| Err(format!("it wants a passphrase stretched with {what}"));
    for (memory, passes, lanes, what) in [
        (100 << 20, 1, 4, "104857600 KiB of memory, allowed are 65536 to 2097152"),
        (u32::MAX, u32::MAX, u32::MAX, "4294967295 KiB of memory, allowed are 65536 to 2097152"),
        (8, 3, 1, "8 KiB of memory, allowed are 65536 to 2097152"),
        (65_536, 0, 4, "0 passes, allowed are 1 to 4294967295"),
        (65_536, 2, 4, "131072 KiB of memory in all passes, allowed are 196608 to 8388608"),
        (65_536, 129, 4, "8454144 KiB of memory in all passes, allowed are 196608 to 8388608"),
        (65_536, 3, 0, "0 lanes, allowed are 1 to 16"),
        (65_536, 3, 17, "17 lanes, allowed are 1 to 16"),
    ] {
        assert_eq!(parse(memory, passes, lanes), wants(what));
    }
    let good = Stretch::new().unwrap().detail();
    assert!(Stretch::parse(&good[..27]).is_err() && Stretch::parse(&[&good[..], &[0]].concat()).is_err());
}

#[test]
fn a_key_is_taken_as_bytes_as_hexadecimal_digits_or_in_base64() {
    let key: Vec<u8> = (0..32).map(|i| i * 8).collect();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key);
    for given in [&key[..], hex.as_bytes(), format!(" {}\r\n", hex.to_uppercase()).as_bytes(), base64.as_bytes()] {
        assert_eq!(key_in(given).unwrap().expose_secret().as_slice(), key);
    }
    let long = [&key[..], b"\n"].concat();
    let not_padded = format!("{}A", &base64[..43]);
    for given in
        [&b""[..], &key[..31], &long, &hex.as_bytes()[..63], hex.replace('8', "g").as_bytes(), not_padded.as_bytes()]
    {
        assert!(key_in(given).is_none(), "{given:?}");
    }
}

#[test]
fn key_files_that_another_implementation_sealed_open() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/keys");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let vectors: serde_json::Value = serde_json::from_slice(&read("vectors.json")).unwrap();
    let lines: Vec<&str> = vectors["key_file"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let given = || key_in(vectors["key"].as_str().unwrap().as_bytes()).unwrap();
    for name in ["credential", "passphrase", "command", "transit", "escrow"] {
        let sealed = read(&format!("{name}.sealed"));
        let sealing = sealing(&sealed).unwrap();
        assert_eq!(sealing.to_string(), name);
        let key = match &sealing {
            Sealing::Passphrase(stretch) => stretch.key(&SecretString::from(vectors["passphrase"].as_str().unwrap())),
            Sealing::Escrow(_) => key_in(lines[3].split(' ').nth(2).unwrap().as_bytes()).unwrap(),
            Sealing::Transit { wrapped } => {
                assert_eq!(wrapped, vectors["wrapped"].as_str().unwrap());
                given()
            }
            Sealing::Credential | Sealing::Command => given(),
        };
        let lock = Lock { sealing, key };
        assert_eq!(open(&lock, &sealed).unwrap().as_slice(), text.as_bytes());
        let (_, nonce) = Parts::of(&sealed).unwrap().header.split_last_chunk().unwrap();
        assert!(seal_with(&lock, text.as_bytes(), nonce) == sealed, "what is sealed here is the same, too");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_sealed_key_file_panic(code in 0..7u8, size in 0..40u16, rest in prop::collection::vec(any::<u8>(), 0..90)) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[VERSION, code]);
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&rest);
        prop_assert!(open(&lock(Sealing::Credential), &bytes).is_none());
        let _ = sealing(&rest);
    }
}
