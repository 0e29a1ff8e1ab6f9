//! Programs that were written from the C2SP texts alone make the same cosignatures and take ours.
//!
//! Needs what `agreement.rs` needs, and passes without having looked where that is missing, unless `CI=true`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;
mod other;

use std::io::Write;
use std::process::{Command, Stdio};

use audit::*;
use log::*;

/// 2026-11-22T10:00:00Z
const TIME: u64 = 1_795_341_600;

/// Seeds of the other program are SHA-256 of a text; this is that of `witness`.
fn witness() -> WitnessSigner {
    let seed = Hash::from_hex(b"ba1c566a4bad288c22a0b7511458c92ca5822cd41632e51806e9ea75ed12d13d");
    WitnessSigner::from_seed("witness.example.org/w1", &seed.unwrap().0).unwrap()
}

/// What the other programs answer to a piece of Python, which has them imported and these lines as `lines`.
fn ask_them(python: &str, lines: &[String]) -> Option<Vec<String>> {
    let (interpreter, script) = other::programs()?;
    let code = format!(
        "import sys, json\nsys.path.insert(0, {:?})\nsys.dont_write_bytecode = True\n\
         import mklog, tlogcheck, witness\nlines = json.load(sys.stdin)\n{python}",
        script.parent().unwrap()
    );
    let mut child =
        Command::new(interpreter).args(["-c", &code]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(lines).unwrap().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_other_program_makes_the_same_key_and_cosignature_from_the_same_seed() {
    let note = String::from_utf8(signed(&leaves(7))).unwrap();
    let text = format!("{}\n", note.split_once("\n\n").unwrap().0);
    let python = "key = mklog.Key('witness.example.org/w1', 'witness', 4)\n\
                  print(json.dumps([key.k.private_bytes_raw().hex(), key.vkey(), key.line(lines[0], int(lines[1]))]))";
    let Some(theirs) = ask_them(python, &[text, TIME.to_string()]) else { return };
    let seed: String = witness().seed().iter().map(|byte| format!("{byte:02x}")).collect();
    let ours = [seed, witness().key().to_string(), witness().cosign(note.as_bytes(), TIME).unwrap()];
    assert_eq!(theirs, ours);
}

#[test]
fn the_other_verifier_takes_our_cosignature_and_refuses_it_on_another_head() {
    let cosigned = |all: &[Vec<u8>]| {
        let note = signed(all);
        with_signatures(&note, &[&witness().cosign(&note, TIME).unwrap()]).unwrap()
    };
    let (seven, eight) = (cosigned(&leaves(7)), cosigned(&leaves(8)));
    let moved =
        format!("{}\n{}\n", eight.lines().take(5).collect::<Vec<_>>().join("\n"), seven.lines().last().unwrap());
    assert!(cosignatures(moved.as_bytes(), &[witness().key()]).is_err());
    let python = "keys = [tlogcheck.parse_vkey(line) for line in lines[:2]]\n\
                  def say(note):\n\
                  \x20   try: return str(len(tlogcheck.open_note('head', note.encode(), keys)[1]))\n\
                  \x20   except tlogcheck.Fault as fault: return str(fault)\n\
                  print(json.dumps([say(note) for note in lines[2:]]))";
    let lines = [key().verifier_key(), witness().key().to_string(), seven, eight, moved];
    let Some(said) = ask_them(python, &lines) else { return };
    assert_eq!(said[..2], ["2", "2"]);
    assert!(said[2].contains("witness.example.org/w1 is invalid"), "{}", said[2]);
}

#[test]
fn the_other_program_writes_the_same_receipts() {
    let all = leaves(70);
    let places = [(0, 1), (0, 2), (1, 2), (6, 7), (3, 7), (41, 64), (69, 70), (0, 70_u64)];
    let ours = places.map(|(index, size)| receipt(&all[..size as usize], index));
    for ((index, size), receipt) in places.iter().zip(&ours) {
        let shown = verify_receipt(receipt.as_bytes(), &all[*index as usize], &[key().verifier()]).unwrap();
        assert_eq!((shown.index, shown.head.size), (*index, *size));
    }
    // The key of the log is made anew from our seed, since theirs come from a text.
    let python = "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n\
                  log = mklog.Log(lines[0])\n\
                  log.key.k = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)\n\
                  log.key.pub = log.key.k.public_key().public_bytes_raw()\n\
                  log.key.id = mklog.H(log.key.name.encode() + b'\\n\\x01' + log.key.pub)[:4]\n\
                  places = [tuple(map(int, line.split())) for line in lines[1].splitlines()]\n\
                  for line in lines[2:]: log.add(line.encode())\n\
                  print(json.dumps([log.proof(i, size).decode() for i, size in places]))";
    let asked: String = places.iter().map(|(index, size)| format!("{index} {size}\n")).collect();
    let entries = all.iter().map(|leaf| String::from_utf8(leaf.clone()).unwrap());
    let Some(theirs) = ask_them(python, &[ORIGIN.to_owned(), asked].into_iter().chain(entries).collect::<Vec<_>>())
    else {
        return;
    };
    assert_eq!(theirs, ours);
}

#[test]
fn a_witness_takes_head_after_head_with_our_proofs_and_no_rewritten_one() {
    let all = leaves(70);
    let request = |old: u64, note: &[u8], proof: &[Hash]| {
        let mut request = format!("old {old}\n");
        for hash in proof {
            request += &base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash.0);
            request.push('\n');
        }
        request + "\n" + std::str::from_utf8(note).unwrap()
    };
    let sizes = [0, 1, 2, 3, 7, 8, 33, 64, 70_u64];
    let mut requests = Vec::new();
    for pair in [0].iter().chain(&sizes).zip(&sizes) {
        let proof = prove_consistency(*pair.0, *pair.1, &mut subtree(&all)).unwrap();
        requests.push(request(*pair.0, &signed(&all[..*pair.1 as usize]), &proof));
    }
    let mut other = all.clone();
    let body = Leaf::parse(&other[5]).unwrap().body.to_vec();
    let body = replaced(&body, "\"size_bytes\":5000", "\"size_bytes\":5001");
    other[5] = seal(&body, 5, leaf_hash(&all[4]), at(5) + 500).unwrap();
    reseal(&mut other, 6);
    requests.push(request(70, &signed(&other), &[]));
    let python = "import tempfile, os\n\
                  kept = tempfile.TemporaryDirectory()\n\
                  state = witness.State(os.path.join(kept.name, 'state'))\n\
                  log = tlogcheck.parse_vkey(lines[0])\n\
                  key = mklog.Key('witness.example.org/w1', 'witness', 4)\n\
                  answers = [witness.handle(line.encode(), {log[0]: log}, state, key, 0) for line in lines[1:]]\n\
                  print(json.dumps(['%d %s' % (code, body.decode()) for code, _, body in answers]))";
    let lines: Vec<String> = [key().verifier_key()].into_iter().chain(requests).collect();
    let Some(said) = ask_them(python, &lines) else { return };
    for (size, answer) in sizes.iter().zip(&said) {
        let line = answer.strip_prefix("200 ").unwrap_or_else(|| panic!("at size {size}: {answer}"));
        let note = with_signatures(&signed(&all[..*size as usize]), &[line]).unwrap();
        assert_eq!(cosignatures(note.as_bytes(), &[witness().key()]).unwrap().len(), 1);
    }
    assert!(said[sizes.len()].starts_with("422 "), "{}", said[sizes.len()]);
}
