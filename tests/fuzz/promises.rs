//! What must hold for whatever comes from outside. The fuzz targets ask it of millions of inputs, `tests/fuzz.rs` of each
//! that is kept in `corpus/`.

use std::io::{Cursor, Read as _};
use std::path::{Component, Path};
use std::sync::LazyLock;

use audit::{
    Ask, Body, Frontier, Hash, Leaf, LogKey, OpeningLine, TileWriter, TimestampAuthority, TreeHead, VerifierKey,
    WitnessKey,
};
use case::{
    Actor, Bill, Case, CaseId, Claim, Decimal, Digest, Document, Event, Extraction, Fact, FieldName, Invoice, Known,
    Lesson, OrderLine, Policy, Receipt, Stated, Timestamp, Vendor,
};
use jiff::civil::{Date, date};
use store::steps::{self, Record};
use store::{Keys, Lock, Sealing, Share};
use zip::ZipArchive;

const TODAY: Date = date(2026, 6, 15);
/// On that day.
const NOW: Timestamp = Timestamp(1_781_500_000_000_000);
const POLICIES: [&str; 3] = [
    include_str!("../../policies/checkpoints.toml"),
    include_str!("../../policies/tolerances.toml"),
    include_str!("../../policies/retention.toml"),
];
static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::parse(POLICIES).expect("the shipped policies are sound"));

/// A document is read or refused; whoever receives what was read believes it, and can judge it.
pub fn document(bytes: &[u8]) {
    let reading = match extract::read(bytes) {
        Ok(reading) => reading,
        Err(err) => return assert_ne!(err, extract::Unreadable::Crashed),
    };
    assert!(reading.pictures.len() <= reading.extraction.pages.len(), "a picture is one of a page");
    assert!(reading.pictures.iter().all(|it| it.starts_with(b"\x89PNG\r\n\x1a\n")), "a picture is a PNG");
    assert_eq!(sent(&reading.extraction), reading.extraction, "what was read arrives as it was");
    judged(&reading.extraction, &POLICY);
}

/// The answer of a reader that a document took over is believed or refused; what is believed can be judged.
pub fn answer(bytes: &[u8]) {
    if let Ok(extraction) = Extraction::from_untrusted(bytes) {
        judged(&extraction, &POLICY);
    }
}

/// Edited policies are in force or refused; by those in force an answer can be judged. The three texts of the policies and
/// the answer, parted by a byte 0.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut texts = text.split('\0');
    let policies = [(); 3].map(|()| texts.next().unwrap_or_default());
    let answer = texts.next().unwrap_or_default();
    if let Ok(policy) = Policy::parse(policies)
        && let Ok(extraction) = Extraction::from_untrusted(answer.as_bytes())
    {
        judged(&extraction, &policy);
    }
}

/// Whatever file of a log, receipt, key or timestamp an auditor is handed is refused, or says what its bytes say. A receipt
/// and the entry that it is for are parted by a byte 0.
pub fn log(bytes: &[u8]) {
    let (first, second) = match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, bytes),
    };
    if let Ok(body) = Body::parse(bytes) {
        assert_eq!(body.to_bytes().expect("what was read can be written"), bytes);
    }
    if let Ok(leaf) = Leaf::parse(bytes) {
        let sealed = audit::seal(leaf.body, leaf.index, leaf.prev, leaf.sealed_at);
        assert_eq!(sealed.expect("what was read can be sealed"), bytes);
    }
    if let Ok(line) = OpeningLine::parse(bytes) {
        assert_eq!(OpeningLine::parse(line.to_line().as_bytes()).expect("what was written can be read"), line);
    }
    if let Ok(mut frontier) = Frontier::from_bytes(bytes) {
        assert_eq!(frontier.to_bytes(), bytes);
        frontier.append(audit::leaf_hash(bytes));
        let _ = frontier.root();
    }
    if let Some(micros) = audit::micros(bytes) {
        assert_eq!(audit::rfc3339(micros).expect("a time that was read can be written").as_bytes(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(VerifierKey::parse(text).map_or(true, |key| key.to_string() == text), "a key is written in one way");
        assert!(WitnessKey::parse(text).map_or(true, |key| key.to_string() == text), "a key is written in one way");
        let _ = audit::with_signatures(HEAD.as_bytes(), &[text]);
    }
    let keys = [KEY.verifier()];
    if let Ok(head) = audit::open_checkpoint(bytes, &keys) {
        let signed = audit::sign(&head, &KEY);
        assert_eq!(
            audit::head_digest(bytes).ok(),
            audit::head_digest(signed.as_bytes()).ok(),
            "what is read is signed"
        );
    }
    let _ = audit::signers(bytes, &keys);
    let _ = audit::cosignatures(bytes, WITNESS.as_slice());
    if let Ok(verified) = audit::verify_receipt(first, second, &keys) {
        assert!(verified.index < verified.head.size, "an entry of a receipt stands below its head");
    }
    let digest = audit::head_digest(HEAD.as_bytes()).expect("the head is sound");
    let _ = audit::granted(bytes, &digest, NONCE);
    let _ = audit::verify_timestamp(bytes, &digest, &AUTHORITY);
    if let Ok(authority) = TimestampAuthority::parse(bytes) {
        let _ = audit::verify_timestamp(
            include_bytes!("../../pipeline/audit/tests/vectors/timestamps/ec.token"),
            &digest,
            &authority,
        );
    }
}

/// Nothing opens but what was sealed, and that to what it was: a file, a value, the row of a record key, a sealed key file
/// and the text in it. Shares are read in one way, and give the key of their set or none.
pub fn seal(bytes: &[u8]) {
    let sealed = |sample: &[u8]| assert_eq!(bytes, sample, "something opened that was never sealed");
    let mut plain = Vec::new();
    if SEALER.open_file(FILE, bytes, &mut plain).is_ok() {
        sealed(SEALED_FILE);
        assert!(plain.is_empty(), "it opens to what it was");
    }
    for size in [0, 1, plain.len() as u64, u64::MAX] {
        assert!(SEALER.open_part(FILE, bytes, size, size).map_or(true, |part| part.len() as u64 == size));
    }
    if let Ok(plain) = SEALER.open_value("extractions.values case 1", bytes) {
        sealed(SEALED_VALUE);
        assert_eq!(plain, "Müller GmbH, 1.234,56 EUR".as_bytes(), "it opens to what it was");
    }
    if Record::open(&KEYS, OWNER, bytes).is_ok() {
        sealed(RECORD_ROW);
    }
    for (lock, sample) in LOCKS.iter() {
        if let Some(text) = steps::open_keys(lock, bytes) {
            sealed(sample);
            assert_eq!(*text, KEY_FILE.as_bytes(), "it opens to what it was");
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(keys) = steps::keys_of(text) {
        assert!(keys.ids().iter().any(|(role, _)| *role == "vault"), "a key file has a vault key");
    }
    let _ = store::key_in(bytes);
    let mut shares = text.lines().map(Share::parse);
    let (one, other) = (shares.next(), shares.next());
    for share in [&one, &other].into_iter().flatten().flatten() {
        let again = Share::parse(&share.line()).expect("a share that was read can be written");
        assert_eq!(*again.line(), *share.line(), "a share is written in one way");
    }
    if let (Some(Ok(one)), Some(Ok(other))) = (one, other)
        && steps::combined(&one, &other).is_ok()
    {
        assert_eq!(one.set_name(), other.set_name(), "shares of two sets give nothing");
    }
}

/// The folder of a log, as hostile as whoever hands it over, is judged to its end. It comes as a ZIP archive. Parts named
/// `entry/…` are bodies of entries: they are sealed and signed as the house that owns the key would do it, and so judged too.
pub fn export(archive: &[u8]) {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(archive)) else { return };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut writer = TileWriter::new();
    let mut prev = Hash::ZERO;
    for idx in 0..archive.len().min(PARTS_MAX) {
        let Ok(part) = archive.by_index(idx) else { continue };
        let Ok(name) = part.name().map(|it| it.into_owned()) else { continue };
        let mut content = Vec::new();
        // What can be unpacked of it will do.
        let _ = part.take(PART_BYTES_MAX).read_to_end(&mut content);
        if !name.starts_with("entry/") {
            put(folder.path(), &name, &content);
            continue;
        }
        let index = writer.size();
        let sealed_at = 1_795_341_600_000_000 + i64::try_from(index).unwrap_or(0);
        let leaf = audit::seal(&content, index, prev, sealed_at).unwrap_or(content);
        prev = audit::leaf_hash(&leaf);
        writer.push(&leaf).into_iter().flatten().for_each(|file| put(folder.path(), &file.path, &file.bytes));
    }
    if 0 < writer.size() {
        writer.partials().iter().for_each(|file| put(folder.path(), &file.path, &file.bytes));
        let head = TreeHead { origin: KEY.verifier().origin().to_owned(), size: writer.size(), root: writer.root() };
        put(folder.path(), "checkpoint", audit::sign(&head, &KEY).as_bytes());
    }
    let ask = Ask {
        witnesses: WITNESS.to_vec(),
        timestamp_authority: Some(AUTHORITY.clone()),
        objects_max: 4,
        ..Ask::of(KEY.verifier())
    };
    let report = audit::verify(folder.path(), &ask).expect("a folder that can be read is judged");
    if report.fault.is_none() {
        assert_eq!(Some(report.entries), report.head.map(|head| head.size), "each entry of a sound log was read");
    }
}

const PARTS_MAX: usize = 64;
const PART_BYTES_MAX: u64 = 64 << 10;

/// Writes a file below the folder and nowhere else; a name that would not lie there, or has no room, is left out.
fn put(folder: &Path, name: &str, content: &[u8]) {
    let name = Path::new(name);
    if name.components().all(|it| matches!(it, Component::Normal(_))) {
        let path = folder.join(name);
        let _ = path.parent().map(std::fs::create_dir_all);
        let _ = std::fs::write(path, content);
    }
}

/// Sealed with the keys of `tests/vectors/vault`; the key files, and the two shares in the corpus, are of those keys too.
const SEALED_FILE: &[u8] = include_bytes!("../vectors/vault/empty.sealed");
const SEALED_VALUE: &[u8] = include_bytes!("corpus/seal/value");
const RECORD_ROW: &[u8] = include_bytes!("corpus/seal/row");
const KEY_FILE: &str = include_str!("corpus/seal/keys");
const FILE: uuid::Uuid = uuid::uuid!("019aa000-0000-7000-8000-000000000001");
const OWNER: &str = "019aa000-0000-7000-8000-00000000cafe";
static KEYS: LazyLock<Keys> = LazyLock::new(|| steps::keys_of(KEY_FILE).expect("the keys are sound"));
static SEALER: LazyLock<Record> = LazyLock::new(|| Record::open(&KEYS, OWNER, RECORD_ROW).expect("the row is sound"));
static LOCKS: LazyLock<[(Lock, &[u8]); 3]> = LazyLock::new(|| {
    [
        (Sealing::Credential, include_bytes!("corpus/seal/keys.credential").as_slice()),
        (Sealing::Command, include_bytes!("corpus/seal/keys.command")),
        (Sealing::Transit { wrapped: "vault:v1:AAAA".into() }, include_bytes!("corpus/seal/keys.transit")),
    ]
    .map(|(sealing, sample)| (Lock { sealing, key: store::key_in(&[7; 32]).expect("32 bytes") }, sample))
});

const HEAD: &str = include_str!("../../pipeline/audit/tests/vectors/log/checkpoint");
/// Of the request `ec.tsq` beside the timestamps.
const NONCE: u64 = 0xed20_5dc9_dfa8_f005;
static KEY: LazyLock<LogKey> =
    LazyLock::new(|| LogKey::from_seed("audit.example.com/acme/1", &[1; 32]).expect("a key"));
static WITNESS: LazyLock<[WitnessKey; 1]> = LazyLock::new(|| {
    [WitnessKey::parse(include_str!("../../pipeline/audit/tests/vectors/cosigned/witness").trim()).expect("a key")]
});
static AUTHORITY: LazyLock<TimestampAuthority> = LazyLock::new(|| {
    TimestampAuthority::parse(include_bytes!("../../pipeline/audit/tests/vectors/timestamps/ec-root.pem"))
        .expect("a key")
});

fn sent(extraction: &Extraction) -> Extraction {
    let json = serde_json::to_vec(extraction).expect("what was read can be written");
    Extraction::from_untrusted(&json).unwrap_or_else(|err| panic!("what was read is not believed: {err}"))
}

/// From what was read to where the case rests and what the ledger is asked to book, as the product does it.
fn judged(extraction: &Extraction, policy: &Policy) {
    let clocks = policy.retention(extraction.kind, "inbox", false).keep(TODAY, Some(extraction)).clocks;
    assert!(clocks.is_none_or(|it| TODAY <= it.keep_until && it.keep_until <= it.delete_by), "no clock runs backwards");
    let document = Document {
        digest: Digest::of(b"document"),
        size_bytes: 8,
        file_name: "document".into(),
        channel: "inbox".into(),
        received_at: Timestamp(0),
    };
    let case = Case::new(CaseId(uuid::Uuid::nil()), document, uuid::Uuid::nil(), &Actor::system("intake"));
    let step = |case: &Case, event: Event| {
        let (case, action) = case::step(case, event).expect("what was read takes a case all the way");
        assert_eq!(action.is_some(), case.state.in_flight(), "a case in flight has a next step");
        case
    };
    let case = step(&case, Event::Extracted { extraction: Box::new(extraction.clone()), pictures: Vec::new() });
    let case = step(&case, Event::Validated { findings: Vec::new(), policy: policy.digest });
    let judgement = case::judge(&case, &known(extraction, policy), policy, NOW);
    // INVARIANT (a verdict is what its comparisons come to): made again from what it says of itself, it is the same.
    assert!(judgement.findings.iter().all(|it| it.again() == Some(it.code)), "every finding is found again");
    assert!(judgement.passed.iter().all(|it| it.code().is_none()), "what passed passes again");
    let case = step(&case, Event::Reconciled(Box::new(judgement)));
    if let Ok(posting) = case::posting(&case)
        && let Some(bill) = posting.bill
    {
        assert!(!bill.number.is_empty() && !bill.currency.is_empty(), "a bill that is booked has its keys");
    }
    remembered(extraction);
}

/// What a vendor's lessons change is still an answer to believe.
fn remembered(extraction: &Extraction) {
    let mut recalled = extraction.clone();
    let labels = extraction.labelled.iter().map(|it| it.label.clone()).take(10);
    let fields = [FieldName::Number, FieldName::IssueDate, FieldName::GrossTotal].iter().cycle();
    let lessons = labels.zip(fields).enumerate();
    let lessons: Vec<Lesson> =
        lessons.map(|(idx, (label, field))| Lesson { field: *field, label, confirmed: idx % 2 == 0 }).collect();
    case::recall(&mut recalled, &lessons);
    // Only reviewers' corrections may leave more notes than a reader may.
    recalled.notes.truncate(extraction.notes.len().max(100));
    sent(&recalled);
}

/// A business that knows the seller and each order of the document, by two lines each, half of it received and billed.
fn known(extraction: &Extraction, policy: &Policy) -> Known {
    const ORDERS_MAX: usize = 3;
    let (invoice, _) = Invoice::of(extraction);
    let currency = extraction.text(FieldName::Currency).unwrap_or("EUR").to_owned();
    let mut facts = vec![Fact::Vendor(Vendor {
        vendor_id: "V-1".into(),
        name: "Nordwind GmbH".into(),
        vat_id: extraction.text(FieldName::SellerVatId).map(str::to_owned),
        tax_id: None,
        country: None,
        iban: Some("DE89370400440532013000".into()),
        bic: None,
        group: None,
        valid_from: None,
    })];
    for order_id in invoice.orders().into_iter().take(ORDERS_MAX) {
        for (line, quantity, match_level) in [("1", 100, 2), ("2", 3, 4)] {
            facts.push(Fact::OrderLine(OrderLine {
                order_id: order_id.to_owned(),
                vendor_id: "V-1".into(),
                currency: currency.clone(),
                line: line.into(),
                quantity: Decimal::from(quantity),
                unit_price: Decimal::new(1_050, 2),
                description: Some("Torque wrench".into()),
                tax_rate: Some(Decimal::from(19)),
                match_level,
                freight_planned: Some(Decimal::from(10)),
                ..OrderLine::default()
            }));
        }
        facts.push(Fact::Receipt(Receipt {
            receipt_id: "G-1".into(),
            order_id: order_id.to_owned(),
            line: "2".into(),
            quantity: Decimal::from(2),
            unit: None,
            accepted: Some(Decimal::ONE),
            returned: None,
            date: TODAY,
        }));
        let claim = Claim {
            order_id: order_id.to_owned(),
            line: "1".into(),
            quantity: Decimal::from(50),
            amount: Decimal::from(525),
            ..Claim::default()
        };
        let bill =
            Bill { vendor_id: Some("V-1".into()), number: Some("1".into()), claims: vec![claim], ..Bill::default() };
        facts.push(Fact::Bill(Box::new(bill)));
    }
    let stated = |fact| Stated { fact, case: None, by: "usr_1".into(), known_from: Timestamp(0) };
    let facts: Vec<Stated> = facts.into_iter().map(stated).collect();
    Known::default().look_up(&facts, |known| case::wanted(extraction, known, policy))
}
