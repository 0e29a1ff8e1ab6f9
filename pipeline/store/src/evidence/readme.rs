//! What the evidence says about itself, to somebody who has never seen this program.

use std::collections::BTreeMap;

use case::CaseId;

use super::Given;
use crate::Head;

/// The README of receipts for a case. `folders`: where they lie, with the key for each.
pub(crate) fn receipts(
    id: CaseId,
    head: &Head,
    given: Given,
    openings: bool,
    folders: &BTreeMap<String, String>,
) -> String {
    let mut text = format!(
        "# Receipts for case {id}\n\n\
         {receipts} entries of the audit log `{origin}`. `<index>.json` is a sealed entry, byte for byte; `<index>.tlog-proof` is\n\
         its receipt, in the format C2SP tlog-proof: the entry is in the log whose signed head has {size} entries.\n",
        receipts = given.receipts,
        origin = head.origin,
        size = head.size,
    );
    if 0 < given.unproved {
        text += &format!("\nFor {} entries of earlier logs there is no signed head any more.\n", given.unproved);
    }
    if openings {
        text += &format!(
            "\n`openings.jsonl` tells what the commitments in the entries (`c`) stand for: {} values; {} were erased. A commitment\n\
             is the HMAC-SHA-256, keyed with the salt, of `audit-commit/v1`, a zero byte, the path, a zero byte, and the value as\n\
             RFC 8785 JSON.\n",
            given.openings, given.erased,
        );
    }
    text + &commands(folders)
}

/// How to check folders of receipts, with our program and without.
pub(crate) fn commands(folders: &BTreeMap<String, String>) -> String {
    let mut text =
        "\nGet the log's key from somebody you trust, not from this folder. Check with the auditor's program:\n\n"
            .to_owned();
    for (folder, key) in folders {
        text += &format!("    auditor proof {folder} --key '{key}'\n");
    }
    text += &format!(
        r#"
Check with nothing of ours, one entry at a time: its file, its receipt, and the key. Python's own library and OpenSSL are
enough:

```sh
python3 - ENTRY.json ENTRY.tlog-proof 'KEY' <<'EOF'
{CHECK}EOF
openssl pkeyutl -verify -pubin -keyform DER -inkey log-key.der -rawin -in head.txt -sigfile head.sig
```
"#
    );
    text
}

/// RFC 9162 section 2.1.3.2, and the parts of the signed note for OpenSSL.
const CHECK: &str = r#"import base64, hashlib, sys
entry, receipt, key = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read().decode(), sys.argv[3]
proof, note = receipt.split("\n\n", 1)
lines = [line for line in proof.split("\n")[1:] if not line.startswith("extra ")]
index, path = int(lines[0].split()[1]), [base64.b64decode(line) for line in lines[1:]]
text, signatures = note.split("\n\n", 1)
origin, size, root = text.split("\n")[:3]
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
node, at, last = sha(b"\0", entry), index, int(size) - 1
if not index <= last: sys.exit("the receipt is for an entry behind its head")
for other in path:
    if last == 0: sys.exit("the receipt is too long")
    if at % 2 or at == last:
        node = sha(b"\1", other, node)
        while at and at % 2 == 0: at, last = at // 2, last // 2
    else:
        node = sha(b"\1", node, other)
    at, last = at // 2, last // 2
if last or node != base64.b64decode(root): sys.exit("the receipt is not for this entry")
name, key_id, public = key.split("+", 2)
signed = [base64.b64decode(line.split(" ")[2]) for line in signatures.splitlines() if line.split(" ")[1] == name]
signed = [it[4:] for it in signed if it[:4].hex() == key_id]
if name != origin or not signed: sys.exit("the head is not signed by this key")
open("log-key.der", "wb").write(bytes.fromhex("302a300506032b6570032100") + base64.b64decode(public)[1:])
open("head.txt", "wb").write((text + "\n").encode())
open("head.sig", "wb").write(signed[0])
print("entry", index, "is in the head of", size, "entries; OpenSSL now says whether the head is signed")
"#;
