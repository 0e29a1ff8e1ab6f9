//! Tesseract behind its locks: it reads a scan with umlauts, and whatever it were, it could do nothing else.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use case::{Extraction, FieldName, Format};
use work::{Reader, Tesseract};

fn reader() -> Reader {
    Reader::new(env!("CARGO_BIN_EXE_countersign").into())
}

/// None where it is not installed, which CI does not accept.
fn tesseract() -> Option<Tesseract> {
    let Some(program) = std::env::var_os("COUNTERSIGN_TESSERACT") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "COUNTERSIGN_TESSERACT names no program");
        eprintln!("skipped: COUNTERSIGN_TESSERACT names no program");
        return None;
    };
    Some(Tesseract::new(program.into(), "deu+eng").unwrap())
}

/// The picture of a German invoice's page, as the reader paints it for the desk.
async fn scan() -> Vec<u8> {
    let text = [
        (34, 760, "RECHNUNG"),
        (22, 700, "Rechnungsnummer: 4711"),
        (22, 665, "Rechnungsdatum: 24.11.2026"),
        (22, 630, "Verkäufer: Büromöbel Müller GmbH"),
        (22, 560, "Nettobetrag: 100,00 EUR"),
        (22, 525, "Umsatzsteuer 19 %: 19,00 EUR"),
        (22, 490, "Gesamtbetrag: 119,00 EUR"),
        (22, 420, "Der Betrag ist mit dem Datum der Rechnung fällig."),
    ];
    let line = |(size, y, text): (u32, u32, &str)| format!("BT /F1 {size} Tf 60 {y} Td ({text}) Tj ET\n");
    // Every letter of it stands under its own number in WinAnsiEncoding.
    let content: Vec<u8> = text.map(line).concat().chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect();
    let head = format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n\
         5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>endobj\n\
         4 0 obj<</Length {}>>stream\n",
        content.len()
    );
    let tail = b"\nendstream endobj\ntrailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF\n";
    let pdf = [head.as_bytes(), &content, tail].concat();
    reader().read(pdf).await.unwrap().pictures.remove(0)
}

async fn read(file: Vec<u8>, tesseract: Option<Tesseract>) -> Extraction {
    Reader { tesseract, ..reader() }.read(file).await.unwrap().outcome.unwrap()
}

#[tokio::test]
async fn a_scan_with_umlauts_is_read_behind_the_locks() {
    let Some(tesseract) = tesseract() else { return };
    let scan = scan().await;
    let without = read(scan.clone(), None).await;
    assert_eq!((without.coverage.read, without.notes[0].code.as_str()), (0, "needs_ocr"));

    let extraction = read(scan.clone(), Some(tesseract.clone())).await;
    assert_eq!(extraction.format, Format::ImageOcr, "{:?}", extraction.notes);
    assert_eq!((extraction.coverage.read, extraction.language.as_deref()), (1, Some("de")), "{:?}", extraction.notes);
    assert_eq!(extraction.text(FieldName::Number), Some("4711"));
    assert_eq!(extraction.text(FieldName::GrossTotal), Some("119.00"));
    assert_eq!(extraction.text(FieldName::SellerName), Some("Büromöbel Müller GmbH"));

    let missing = Tesseract { languages: "xyz".to_owned(), ..tesseract.clone() };
    let elsewhere = Tesseract { program: "/nowhere/tesseract".into(), ..tesseract.clone() };
    for tesseract in [missing, elsewhere] {
        let extraction = read(scan.clone(), Some(tesseract)).await;
        let codes: Vec<&str> = extraction.notes.iter().map(|it| it.code.as_str()).collect();
        assert_eq!((extraction.coverage.read, &codes[..]), (0, &["needs_ocr", "ocr_failed"][..]));
    }
    let languages = reader().tesseract_languages(&tesseract).await.unwrap();
    assert!(["deu", "eng"].iter().all(|it| languages.iter().any(|has| has == it)), "{languages:?}");
}

/// Perl in the place of Tesseract, with the same locks, tries what it is told. It finds its script in the only folder of data
/// that it may read, under the name that Tesseract takes for standard input.
#[test]
fn nothing_in_its_place_could_open_write_connect_or_start_anything() {
    let dir = tempfile::tempdir().unwrap();
    let (program, data) = (dir.path().join("bin/perl"), dir.path().join("share/tessdata"));
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::create_dir_all(&data).unwrap();
    let perl = Path::new("/usr/bin/perl");
    if !perl.exists() {
        return eprintln!("skipped: there is no perl");
    }
    fs::copy(perl, &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = data.join("stdin");
    let secret = dir.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let open = |how: &str, path: &Path| format!("open(my $f, '{how}', '{}')", path.display());
    // The first is allowed; Perl's numbers are those of Linux: 1 and 2 for local and internet, 1 and 2 for streams and datagrams.
    let attempts = [
        ("its data", open("<", &own)),
        ("a file", open("<", &secret)),
        ("the system's accounts", open("<", Path::new("/etc/passwd"))),
        ("its own process", open("<", Path::new("/proc/self/environ"))),
        ("a folder", format!("opendir(my $d, '{}')", dir.path().display())),
        ("a new file beside its data", open(">", &data.join("made"))),
        ("a new file elsewhere", open(">", &dir.path().join("made"))),
        ("its data, to write", open(">>", &own)),
        ("a name removed", format!("unlink('{}')", data.join("spare").display())),
        ("a connection", format!("socket(S, 2, 1, 0) && connect(S, pack('S n C4 x8', 2, {port}, 127, 0, 0, 1))")),
        ("a datagram", "socket(S, 2, 2, 0)".to_owned()),
        ("a local socket", "socket(S, 1, 1, 0)".to_owned()),
        ("a signal", format!("kill(0, {})", std::process::id())),
        ("a process", "do { my $p = fork; exit if defined $p && $p == 0; defined $p }".to_owned()),
        ("a program", "system('/bin/true') == 0".to_owned()),
        ("the environment", "defined $ENV{COUNTERSIGN_PROBE}".to_owned()),
    ];
    let tried =
        attempts.iter().map(|(what, attempt)| format!("print \"{what}: \", (({attempt}) ? 'yes' : 'no'), \"\\n\";\n"));
    let script = format!("$| = 1;\n{}{{ exec '/bin/true' }}\nprint \"end\\n\";\n", tried.collect::<String>());
    fs::write(&own, script).unwrap();

    let run = |program: &Path, arguments: &[&str]| {
        fs::write(data.join("spare"), "").unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&data).env("COUNTERSIGN_PROBE", "1");
        let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let locked = ["confined-tesseract", "1073741824", "20", program.to_str().unwrap(), "eng"];
    let (said, complaints) = run(Path::new(env!("CARGO_BIN_EXE_countersign")), &locked);
    let expected = |idx: usize| if idx == 0 { "yes" } else { "no" };
    let all: String =
        attempts.iter().enumerate().map(|(idx, (what, _))| format!("{what}: {}\n", expected(idx))).collect();
    assert_eq!(said, format!("{all}end\n"), "{complaints}");
    // Without the locks each of them works, and after the last there is another program.
    let (unlocked, complaints) = run(&program, &["stdin"]);
    let all: String = attempts.iter().map(|(what, _)| format!("{what}: yes\n")).collect();
    assert_eq!(unlocked, all, "{complaints}");
}
