//! A reader that crashes, hangs, floods or lies is noticed by its parent, which says what it did.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use work::{Reader, ReaderFault, Reading, Recognition, Tesseract};

/// Runs a script in the place of the reader, with one second to answer.
async fn read_with(script: &str) -> Result<Reading, ReaderFault> {
    read_by(script, None).await
}

async fn read_by(script: &str, recognition: Option<Recognition>) -> Result<Reading, ReaderFault> {
    started_as(script, |reader| Reader { recognition, ..reader }).await
}

async fn started_as(script: &str, with: impl FnOnce(Reader) -> Reader) -> Result<Reading, ReaderFault> {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("reader");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let wall_time_max = Duration::from_secs(1);
    let reader = with(Reader { wall_time_max, answer_bytes_max: 100_000, ..Reader::new(program) });
    reader.read(b"a document".to_vec()).await
}

/// A frame as `printf` writes it: tag, length, payload.
fn frame(tag: char, payload: &str) -> String {
    let length = payload.len();
    let bytes = [length & 0xff, length >> 8 & 0xff].map(|byte| format!("\\{byte:03o}")).concat();
    format!("printf '{tag}{bytes}\\000\\000'; printf '%s' '{payload}'\n")
}

const EXTRACTION: &str =
    r#"{"kind":"unknown","format":"text","coverage":{"pages":1,"read":1,"hidden_text":0},"fields":{}}"#;

#[tokio::test]
async fn a_reader_that_answers_is_believed() {
    let script = [frame('C', "{}"), frame('A', EXTRACTION), frame('E', "")].concat();
    let reading = read_with(&format!("cat >/dev/null\n{script}")).await.unwrap();
    assert!(reading.outcome.is_ok());
}

#[tokio::test]
async fn a_second_reader_is_started_with_the_models_where_the_first_asks_for_it() {
    let asks = EXTRACTION
        .replace(r#""read":1"#, r#""read":0"#)
        .replace(r#""fields":{}"#, r#""fields":{},"notes":[{"code":"needs_ocr","message":"page 1 is a picture"}]"#);
    let answer = |json: &str| [frame('C', "{}"), frame('A', json), frame('E', "")].concat();
    // With its own limit of memory as the second argument, and the models' folder as the fifth.
    let reads = format!("[ \"$2 $5\" = '4096 /models' ] || exit 7\n{}", answer(EXTRACTION));
    for (second, recognition, read, notes) in [
        (reads.as_str(), Some("/models"), 1, &[][..]),
        ("exit 7", Some("/models"), 0, &["needs_ocr", "ocr_failed"][..]),
        ("exit 7", None, 0, &["needs_ocr"][..]),
    ] {
        let script = format!("cat >/dev/null\nif [ $# = 5 ]; then\n{second}\nelse\n{}\nfi", answer(&asks));
        let recognition = recognition.map(|it| Recognition { memory_bytes_max: 4096, ..Recognition::new(it.into()) });
        let extraction = read_by(&script, recognition).await.unwrap().outcome.unwrap();
        let codes: Vec<&str> = extraction.notes.iter().map(|it| it.code.as_str()).collect();
        assert_eq!((extraction.coverage.read, codes.as_slice()), (read, notes));
    }
}

/// A page for Tesseract, of which the reader keeps the word `kept`.
fn scan(picture: &str) -> String {
    let payload = format!("\\001\\000\\000\\000\\004\\000\\000\\000kept{picture}");
    let length = 12 + if picture.is_empty() { 0 } else { 8 };
    format!("printf 'S\\{length:03o}\\000\\000\\000{payload}'\n")
}

#[tokio::test]
async fn pages_are_handed_to_tesseract_and_the_reader_is_told_what_it_said() {
    const PNG: &str = r"\211PNG\r\n\032\n";
    const NO_PAGES: &str = r#""fields":{}"#;
    let page = r#""fields":{},"pages":[{"width":10.0,"height":10.0}]"#;
    let asks = EXTRACTION
        .replace(r#""read":1"#, r#""read":0"#)
        .replace(NO_PAGES, &format!(r#"{page},"notes":[{{"code":"needs_ocr","message":"page 1 is a picture"}}]"#));
    let answer = |json: &str, scan: &str| [&frame('C', "{}"), &frame('A', json), scan, &frame('E', "")].concat();
    let first = answer(&asks, &scan(PNG));
    let laid = answer(EXTRACTION, "");
    // What was kept and what was said follow upon one another in one frame, behind the document.
    let lays = format!("grep -aq 'a documentT.*keptwords' \"$0.told\" || exit 8\n{laid}");
    // The picture on standard input, two limits, the program, its languages.
    let says = "[ \"$2 $3 $4 $5\" = '4096 7 /a/tesseract deu+fra' ] || exit 7\ngrep -aq PNG && printf words";
    let (both, none) = (&["needs_ocr", "ocr_failed"][..], &[][..]);
    for (what, first, tesseract, lays, read, notes) in [
        ("said and laid", first.as_str(), says, lays.as_str(), 1, none),
        ("it crashes", &first, "exit 7", &lays, 0, both),
        ("it says nothing", &first, "cat >/dev/null", &lays, 0, both),
        ("it hangs", &first, "while :; do :; done", &lays, 0, both),
        ("it floods", &first, "while :; do printf '%01000d' 0; done", &lays, 0, both),
        ("it cannot be laid", &first, says, "exit 6", 0, both),
        ("it is refused", &first, says, &frame('C', "{}"), 0, both),
        ("no page is handed out", &answer(&asks, ""), "exit 7", &lays, 0, &["needs_ocr"]),
        ("no page needs it", &answer(&asks, &scan("")), "exit 7", &lays, 0, &["needs_ocr"]),
    ] {
        let script = format!(
            "case \"$*\" in\nconfined-tesseract*)\n{tesseract}\n;;\n*--lay)\ntr '\\n' ' ' >\"$0.told\"\n{lays}\n;;\n\
             *--hand-out)\ncat >/dev/null\n{first}\n;;\nesac"
        );
        let tesseract = Tesseract::new("/a/tesseract".into(), "deu+fra").unwrap();
        let tesseract = Some(Tesseract { memory_bytes_max: 4096, cpu_seconds_max: 7, ..tesseract });
        let wall_time_max = Duration::from_secs(if what == "it hangs" { 1 } else { 20 });
        let reading = started_as(&script, |reader| Reader { tesseract, wall_time_max, ..reader }).await;
        let extraction = reading.unwrap_or_else(|fault| panic!("{what}: {fault}")).outcome.unwrap();
        let codes: Vec<&str> = extraction.notes.iter().map(|it| it.code.as_str()).collect();
        assert_eq!((extraction.coverage.read, codes.as_slice()), (read, notes), "{what}: {:?}", extraction.notes);
    }
}

#[tokio::test]
async fn a_scan_that_is_no_picture_of_a_page_is_not_believed() {
    let page = EXTRACTION.replace(r#""fields":{}"#, r#""fields":{},"pages":[{"width":10.0,"height":10.0}]"#);
    for (json, scans) in [
        (page.as_str(), frame('S', "short")),
        (&page, scan("<script>")),
        (&page, scan("").repeat(2)),
        (EXTRACTION, scan("")),
    ] {
        let script = [frame('C', "{}"), frame('A', json), scans.clone(), frame('E', "")].concat();
        assert!(matches!(read_with(&script).await, Err(ReaderFault::Nonsense { .. })), "{scans}");
    }
}

#[test]
fn names_of_languages_cannot_be_arguments_or_other_files() {
    for (languages, wrong) in [
        ("deu+eng", None),
        ("script/Latin+chi_sim", None),
        ("", Some("")),
        ("deu+-l", Some("-l")),
        ("../../etc/passwd", Some("../../etc/passwd")),
        ("deu eng", Some("deu eng")),
        ("/etc/x", Some("/etc/x")),
    ] {
        let made = Tesseract::new("/a/tesseract".into(), languages);
        let expected = wrong.map(|wrong| format!("`{wrong}` is no name of a language; expected some like `deu+eng`"));
        assert_eq!(made.err(), expected);
    }
}

#[tokio::test]
async fn a_reader_that_refuses_is_quoted() {
    let script =
        [frame('C', "{}"), frame('U', r#"{"code":"empty","message":"the document is empty"}"#), frame('E', "")]
            .concat();
    let reading = read_with(&script).await.unwrap();
    assert_eq!(reading.outcome.unwrap_err().message, "the document is empty");
}

#[tokio::test]
async fn a_reader_that_crashes_is_said_to_have_crashed_and_how() {
    for (script, how) in [("exit 7", "exit status: 7"), ("kill -9 $$", "signal 9"), ("kill -6 $$", "signal 6")] {
        match read_with(script).await {
            Err(ReaderFault::Crashed { how: said }) => assert!(said.contains(how), "{said}"),
            other => panic!("{script}: {other:?}"),
        }
    }
    // It began an answer and died: what has no end is no answer.
    let script = [frame('C', "{}"), frame('A', EXTRACTION)].concat();
    assert!(matches!(read_with(&script).await, Err(ReaderFault::Crashed { .. })));
}

#[tokio::test]
async fn a_reader_that_hangs_is_stopped_when_its_time_is_up() {
    let started = Instant::now();
    assert!(matches!(read_with("while :; do :; done").await, Err(ReaderFault::Hung { seconds: 1 })));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_reader_that_floods_is_cut_off_at_the_limit() {
    // A frame that claims 16 MiB.
    assert!(matches!(
        read_with("printf 'C\\000\\000\\000\\001'; while :; do printf x; done").await,
        Err(ReaderFault::Flooded { max: 100_000 })
    ));
    let endless = format!("while :; do {} done", frame('P', "x"));
    assert!(matches!(read_with(&endless).await, Err(ReaderFault::Nonsense { .. } | ReaderFault::Flooded { .. })));
}

#[tokio::test]
async fn a_reader_that_lies_is_not_believed() {
    let lies = [
        // A field without a place, evidence on a page that is not there, a claim that a person read it, not JSON.
        EXTRACTION.replace(r#""fields":{}"#, r#""fields":{"payable":{"value":"1","confidence":1.0}}"#),
        EXTRACTION.replace(
            r#""fields":{}"#,
            r#""fields":{"payable":{"value":"1","confidence":1.0,"evidence":{"page":9,"box":[0,0,1,1],"text":"1"}}}"#,
        ),
        EXTRACTION.replace(
            r#""fields":{}"#,
            r#""fields":{"payable":{"value":"1","confidence":1.0,"evidence":{"person":"usr_1","text":"1"}}}"#,
        ),
        "nonsense".to_owned(),
    ];
    for lie in lies {
        let script = [frame('C', "{}"), frame('A', &lie), frame('E', "")].concat();
        assert!(matches!(read_with(&script).await, Err(ReaderFault::Lied(_))), "{lie}");
    }
    let pictures = [frame('C', "{}"), frame('A', EXTRACTION), frame('P', "<script>"), frame('E', "")].concat();
    assert!(matches!(read_with(&pictures).await, Err(ReaderFault::Nonsense { .. })));
    let order = [frame('A', EXTRACTION), frame('E', "")].concat();
    assert!(matches!(read_with(&order).await, Err(ReaderFault::Nonsense { .. })));
}

#[tokio::test]
async fn a_reader_gets_nothing_of_the_environment() {
    // The script answers only if the environment holds no word of ours (a shell sets PWD and a few more by itself).
    let script = format!(
        "[ -z \"$HOME$PATH_OF_TEST$CARGO_MANIFEST_DIR\" ] || exit 9\n{}",
        [frame('C', "{}"), frame('A', EXTRACTION), frame('E', "")].concat()
    );
    assert!(read_with(&script).await.is_ok());
}

#[tokio::test]
async fn a_document_over_the_limit_is_not_handed_over() {
    let reader = Reader { document_bytes_max: 3, ..Reader::new("/bin/false".into()) };
    assert!(matches!(reader.read(b"four".to_vec()).await, Err(ReaderFault::TooLarge { size: 4, max: 3 })));
}
