//! A word planted in documents of every form, in their names, in what is known of vendors, in accounts and in reasons is
//! readable nowhere: not in the data folder, not in the database, not in folders for temporary files, not in what the
//! program says about its work, and not after it was killed while it was reading.
//!
//! Two places hold what people can read, and are left out for that: `inbox/` is what people put there, and empty
//! afterwards; `ledger/` is what the workspace hands to the accounts.
//!
//! What the search is worth is shown by finding plain copies with it, in every form, put where nothing was found before, and
//! by a build that seals nothing, in which the same run must find everything:
//!
//! `COUNTERSIGN_UNSEALED=test RUSTFLAGS='--cfg countersign_unsealed' cargo test --test product canary --target-dir target/unsealed`
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;
use crate::support;

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use demo::{Contract, Format, Invoice, Line, Party, Vat};
use jiff::civil::Date;
use program::{Workspace, eventually};
use serde_json::Value;
use support::readable::Forms;
use tempfile::TempDir;

const CANARY: &str = "Zwieselkranich";
const SEALED: bool = !cfg!(countersign_unsealed);

#[test]
fn a_planted_word_is_readable_nowhere_on_sqlite() {
    plant_and_look(None);
}

#[test]
fn a_planted_word_is_readable_nowhere_on_postgres() {
    let Some(url) = support::postgres_url() else { return };
    plant_and_look(Some(url));
}

fn plant_and_look(database: Option<String>) {
    let books = Books::new(database);
    let documents = documents();
    let mut forms = Forms::of(CANARY);
    for (name, bytes) in &documents {
        // Inside an archive or a compressed stream the word is not to be seen: there the bytes as they came are.
        forms.add(&format!("a piece of {name}"), &bytes[bytes.len() / 2..][..16.min(bytes.len() / 2)]);
    }
    // What is painted of pages.
    forms.add("a picture", b"\x89PNG\r\n\x1a\n");

    books.import_vendors();
    books.must(&["account", "add", "--name", CANARY, "--role", "reviewer", "--level", "2", "--link-only"]);
    let (first, rest) = documents.split_at(documents.len() / 2);
    for (lot, signal) in [(first, "KILL"), (&[], "ABRT"), (rest, "KILL"), (&[], "QUIT"), (&[], "KILL")] {
        lot.iter().for_each(|(name, bytes)| books.workspace.drop_file("invoices", name, bytes));
        let seen = books.cases().len();
        let mut service = books.start();
        // Killed as soon as it has taken something in: other files are being read just then.
        eventually("it begins", 60, || lot.is_empty() || seen < books.cases().len());
        std::thread::sleep(Duration::from_millis(30));
        service.end(signal);
        books.look(&forms, &format!("after SIG{signal}"));
    }
    // The leases of the killed ones run out by themselves; here at once.
    books.execute("UPDATE work SET ready_at = 0");
    eventually("everything rests", 300, || {
        books.must(&["run", "--once"]);
        books.workspace.files_in_flight() == 0
            && books.cases().iter().all(|it| !["Received", "Extracted", "Validated"].contains(&state(it)))
    });
    books.decide();
    books.must(&["run", "--once"]);

    // It was read, so it was there to be found.
    let shown: Vec<Value> = books.cases().iter().map(|it| books.json(&["case", "show", id(it)]).remove(0)).collect();
    let mut unread: BTreeSet<&str> = documents.iter().map(|(name, _)| name.as_str()).collect();
    for case in &shown {
        let name = case["source"]["file_name"].as_str().unwrap();
        let said = case.to_string().replace(name, "");
        let is_mail = name.ends_with(".eml");
        assert!(is_mail || name.ends_with(".png") || said.contains(CANARY), "{name} shows nothing of it: {case}");
        unread.remove(name);
    }
    assert_eq!(unread, BTreeSet::new(), "documents that are no case");
    let states: BTreeSet<&str> = shown.iter().map(state).collect();
    assert!(states.contains("Archived") && states.contains("Rejected"), "{states:?}");

    let vendor = format!("{CANARY} GmbH");
    assert!(!books.json(&["case", "find", &vendor, "--as", "rita"]).is_empty());
    books.must(&["keys", "rotate", "--as", "adam"]);
    books.back_up_and_restore();
    let export = books.workspace.dir.join("export");
    books.must(&["log", "export", export.to_str().unwrap(), "--as", "ada"]);
    books.must(&["log", "report", "--from", "2020-01-01", "--to", "2099-12-31", "--as", "ada"]);
    books.must(&["check", "--seals", "--rate", "0"]);
    assert_eq!(books.workspace.files_in_flight(), 0, "the inbox is empty");
    books.look(&forms, "in the end");
    assert!(!books.log().is_empty(), "it said what it did");
    if !SEALED {
        let found = books.readable(&forms);
        let all = documents.iter().map(|(name, _)| format!("a piece of {name}")).chain(["a picture".to_owned()]);
        for form in all.chain([format!("`{CANARY}` in UTF-8")]) {
            assert!(found.iter().any(|it| it.ends_with(&format!(": {form}"))), "{form} is not found without sealing");
        }
        for place in [
            "books/data/vault",
            "backup/vault",
            "backup/snapshot-",
            "restored/data/vault",
            "restored/data/countersign.db",
        ] {
            assert!(found.iter().any(|it| it.contains(place)), "nothing is found in {place} without sealing");
        }
        assert!(found.iter().any(|it| it.contains("books/data/countersign.db") || it.starts_with("table cases")));
        return;
    }

    // The control: the same documents and the same word in the same places, unsealed.
    for place in books.places() {
        let mut expected = BTreeSet::new();
        for (name, form) in forms.each() {
            std::fs::write(place.join("plain"), [b"..", form, b".."].concat()).unwrap();
            let found: Vec<_> = forms.found_below(&place);
            assert!(found.iter().any(|(path, it)| path.ends_with("plain") && *it == name), "{name} in {place:?}");
            expected.insert(name);
        }
        std::fs::remove_file(place.join("plain")).unwrap();
        for (name, bytes) in &documents {
            std::fs::write(place.join("plain"), bytes).unwrap();
            assert!(!forms.found_below(&place).is_empty(), "{name} in {place:?}");
        }
        std::fs::remove_file(place.join("plain")).unwrap();
        std::fs::write(place.join(format!("core.{CANARY}")), "").unwrap();
        assert!(!forms.found_below(&place).is_empty(), "a name in {place:?}");
        std::fs::remove_file(place.join(format!("core.{CANARY}"))).unwrap();
    }
    assert_eq!(books.readable(&forms), [] as [String; 0]);
    for value in [CANARY.to_owned(), base64::engine::general_purpose::STANDARD.encode(CANARY)] {
        books.execute(&format!("UPDATE cases SET channel = '{value}'"));
        // The database is closed behind our back, and its log goes into its file meanwhile.
        eventually(&format!("`{value}` is found in a column"), 10, || !books.readable(&forms).is_empty());
    }
}

fn state(case: &Value) -> &str {
    case["state"].as_str().unwrap()
}

fn id(case: &Value) -> &str {
    case["case"].as_str().unwrap()
}

/// A workspace whose programs have a folder of their own for temporary files, one that they are started in, where the
/// kernel would put a core file, and a file that they tell everything they do.
struct Books {
    workspace: Workspace,
    database: Option<String>,
    around: TempDir,
}

struct Running(Child);

impl Running {
    fn end(&mut self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Books {
    fn new(database: Option<String>) -> Books {
        let around = TempDir::new().unwrap();
        for folder in ["tmp", "cwd", "logs"] {
            std::fs::create_dir(around.path().join(folder)).unwrap();
        }
        Books { workspace: Workspace::new(database.clone()), database, around }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command.args(["-C", self.workspace.dir.to_str().unwrap()]);
        command
    }

    fn bare(&self, args: &[&str]) -> Command {
        let mut command = self.workspace.command(args);
        command.env("TMPDIR", self.around.path().join("tmp")).current_dir(self.around.path().join("cwd"));
        command.env("COUNTERSIGN_LOG", "trace");
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        command.stderr(log).stdout(Stdio::piped());
        command
    }

    /// Into another workspace, on SQLite, with the same keys.
    fn back_up_and_restore(&self) {
        let path = |name: &str| self.around.path().join(name).to_str().unwrap().to_owned();
        let (backup, keys, restored) = (path("backup"), path("backup-keys"), path("restored"));
        self.must(&["backup", &backup, "--keys-to", &keys, "--as", "adam"]);
        std::fs::create_dir_all(format!("{restored}/data")).unwrap();
        std::fs::DirBuilder::new().mode(0o700).create(format!("{restored}/keys")).unwrap();
        for name in ["countersign.toml", "keys/keys", "keys/signed-head"] {
            std::fs::copy(self.workspace.dir.join(name), format!("{restored}/{name}")).unwrap();
        }
        for args in
            [&["restore", &backup, "--keys-from", &keys, "--to"][..], &["check", "--seals", "--rate", "0", "-C"]]
        {
            let output = self.bare(args).arg(&restored).env_remove("COUNTERSIGN_DATABASE").output().unwrap();
            assert!(output.status.success(), "{args:?}: {output:?}");
        }
    }

    fn log_file(&self) -> PathBuf {
        self.around.path().join("logs/stderr")
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(self.log_file()).unwrap()
    }

    #[track_caller]
    fn must(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let log = self.log();
        let last = String::from_utf8_lossy(&log[log.len().saturating_sub(2000)..]).into_owned();
        assert!(output.status.success(), "{args:?}: {output:?} {last}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.must(&args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn cases(&self) -> Vec<Value> {
        self.json(&["case", "list", "--rows", "1000"])
    }

    fn start(&self) -> Running {
        Running(self.command(&["run"]).stdout(Stdio::null()).spawn().unwrap())
    }

    /// The file that is imported is a person's own, and lies elsewhere.
    fn import_vendors(&self) {
        let outside = TempDir::new().unwrap();
        let path = outside.path().join("vendors.csv");
        let text = format!(
            "vendor_id,name,vat_id,country,iban,bic,valid_from\nV-1,{CANARY} GmbH,DE123456788,DE,{IBAN},,2020-01-01\n"
        );
        std::fs::write(&path, text).unwrap();
        self.must(&["import", "vendors", path.to_str().unwrap(), "--as", "olivia"]);
    }

    /// Corrects one case, approves what can be approved, rejects the rest.
    fn decide(&self) {
        let held: Vec<Value> = self.cases().into_iter().filter(|it| state(it) == "InReview").collect();
        assert!(!held.is_empty());
        let reason = format!("as {CANARY} said");
        let corrected = held.iter().any(|case| {
            let set = format!("buyer_ref={CANARY}");
            let args = ["review", "correct", id(case), "--as", "rita", "--reason", &reason, "--set", &set];
            self.command(&args).output().unwrap().status.success()
        });
        assert!(corrected, "a case is corrected");
        self.must(&["run", "--once"]);
        for case in self.cases().iter().filter(|it| ["InReview", "Quarantined"].contains(&state(it))) {
            let decided = ["approve", "reject"].iter().any(|verdict| {
                ["ravi", "lena"].iter().any(|who| {
                    let args = ["review", verdict, id(case), "--as", who, "--reason", &reason];
                    self.command(&args).output().unwrap().status.success()
                })
            });
            assert!(decided, "{case}");
        }
    }

    /// Where nothing may be readable.
    fn places(&self) -> Vec<PathBuf> {
        let inside = ["data", "keys", "export"].map(|folder| self.workspace.dir.join(folder));
        let around = ["tmp", "cwd", "logs", "backup", "backup-keys", "restored"].map(|it| self.around.path().join(it));
        inside.into_iter().chain(around).filter(|place| place.is_dir()).collect()
    }

    #[track_caller]
    fn look(&self, forms: &Forms, when: &str) {
        if SEALED {
            assert_eq!(self.readable(forms), [] as [String; 0], "{when}");
        }
    }

    /// Everything that can be read, in all of the workspace but what it hands over, and around it.
    fn readable(&self, forms: &Forms) -> Vec<String> {
        let told = |(path, form): (PathBuf, &str)| format!("{}: {form}", path.display());
        let handed: Vec<PathBuf> = ["inbox", "ledger"].map(|folder| self.workspace.dir.join(folder)).into();
        let kept = |(path, _): &(PathBuf, &str)| !handed.iter().any(|folder| path.starts_with(folder));
        let found = forms.found_below(&self.workspace.dir).into_iter().filter(kept);
        let mut found: Vec<String> = found.chain(forms.found_below(self.around.path())).map(told).collect();
        if let Some(database) = &self.database {
            found.extend(awaited(support::found_on_postgres(database, forms)));
        }
        found
    }

    /// Past the program.
    fn execute(&self, sql: &str) {
        let file = self.workspace.dir.join("data/countersign.db");
        let database = self.database.as_deref().unwrap_or(file.to_str().unwrap());
        awaited(support::execute(database, sql)).unwrap();
    }
}

fn awaited<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer)
}

const IBAN: &str = "DE89370400440532013000";

/// Documents of every form that the product reads and this test can make, each with the word in its text, its name and,
/// where the form has such, its metadata.
fn documents() -> Vec<(String, Vec<u8>)> {
    let seller = Party {
        name: format!("{CANARY} GmbH"),
        street: format!("{CANARY}weg 1"),
        postcode: "20457".into(),
        city: "Hamburg".into(),
        country: "DE".into(),
        vat_id: Some("DE123456788".into()),
        account: Some(IBAN.into()),
        contact: CANARY.into(),
        phone: "+49 40 0".into(),
        email: format!("{CANARY}@example.com"),
        ..Party::default()
    };
    let day: Date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let invoice = |number: &str, price: i64| {
        let line = Line {
            order_line: None,
            name: format!("{CANARY} brush"),
            quantity: 10.into(),
            unit: "C62".into(),
            unit_price: price.into(),
            vat: Vat::Standard(19.into()),
            net: None,
        };
        Invoice {
            buyer_ref: CANARY.into(),
            ..Invoice::new(format!("{CANARY}-{number}"), day, seller.clone(), demo::buyer(), vec![line])
        }
    };
    let forms = [
        ("ubl.xml", Format::Ubl),
        ("cii.xml", Format::Cii),
        ("hybrid.pdf", Format::FacturX),
        ("printed.pdf", Format::Pdf),
        ("book.xlsx", Format::Xlsx),
        ("rows.csv", Format::Csv),
    ];
    let made = forms.iter().zip(1..).map(|((name, form), n)| (*name, demo::invoice(&invoice(name, n), *form)));
    let mut made: Vec<(&str, Vec<u8>)> = made.collect();
    let contract = Contract {
        title: format!("{CANARY} agreement"),
        supplier: seller.clone(),
        customer: demo::buyer(),
        agreement_date: day,
        effective_date: day,
        expiration_date: day.saturating_add(jiff::Span::new().days(700)),
        notice_days: 90,
        subject: format!("{CANARY} brushes"),
        price: "The price is 10.00 EUR a piece.".into(),
        payment_days: 30,
        liability: None,
        governing_law: Some("Germany".into()),
        signed_by: [CANARY.into(), CANARY.into()],
    };
    made.push(("contract.docx", demo::contract_docx(&contract)));
    made.push(("contract.pdf", demo::contract_pdf(&contract)));
    made.push(("fattura.xml", fattura()));
    made.push(("fapiao.xml", fapiao()));
    made.push(("fapiao.ofd", ofd()));
    made.push(("sheet.ods", ods()));
    made.push(("photograph.png", picture()));
    let attached = demo::invoice(&invoice("attached", 12), Format::Ubl);
    made.push(("post.eml", mail(&attached)));
    made.into_iter().map(|(name, bytes)| (format!("{CANARY} {name}"), bytes)).collect()
}

fn fattura() -> Vec<u8> {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><p:FatturaElettronica versione='FPR12' \
         xmlns:p='http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2'><FatturaElettronicaHeader>\
         <CedentePrestatore><DatiAnagrafici><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>01234567890</IdCodice></IdFiscaleIVA>\
         <Anagrafica><Denominazione>{CANARY} S.p.A.</Denominazione></Anagrafica></DatiAnagrafici></CedentePrestatore>\
         <CessionarioCommittente><DatiAnagrafici><Anagrafica><Denominazione>Porto S.p.A.</Denominazione></Anagrafica>\
         </DatiAnagrafici></CessionarioCommittente></FatturaElettronicaHeader><FatturaElettronicaBody><DatiGenerali>\
         <DatiGeneraliDocumento><TipoDocumento>TD01</TipoDocumento><Divisa>EUR</Divisa><Data>2026-03-04</Data>\
         <Numero>{CANARY}/A</Numero><ImportoTotaleDocumento>122.00</ImportoTotaleDocumento></DatiGeneraliDocumento>\
         </DatiGenerali><DatiBeniServizi><DettaglioLinee><NumeroLinea>1</NumeroLinea><Descrizione>{CANARY}</Descrizione>\
         <PrezzoUnitario>100.00</PrezzoUnitario><PrezzoTotale>100.00</PrezzoTotale><AliquotaIVA>22.00</AliquotaIVA>\
         </DettaglioLinee><DatiRiepilogo><AliquotaIVA>22.00</AliquotaIVA><ImponibileImporto>100.00</ImponibileImporto>\
         <Imposta>22.00</Imposta></DatiRiepilogo></DatiBeniServizi></FatturaElettronicaBody></p:FatturaElettronica>"
    )
    .into_bytes()
}

fn fapiao() -> Vec<u8> {
    format!(
        "<EInvoice><EInvoiceData><SellerInformation><SellerName>{CANARY}</SellerName></SellerInformation><BasicInformation>\
         <TotalAmWithoutTax>200.00</TotalAmWithoutTax><TotalTaxAm>12.00</TotalTaxAm>\
         <TotalTax-includedAmount>212.00</TotalTax-includedAmount></BasicInformation><IssuItemInformation>\
         <ItemName>*软件*{CANARY}</ItemName><Amount>200.00</Amount><TaxRate>0.06</TaxRate><ComTaxAm>12.00</ComTaxAm>\
         </IssuItemInformation></EInvoiceData><TaxSupervisionInfo><InvoiceNumber>26352000000000000001</InvoiceNumber>\
         </TaxSupervisionInfo></EInvoice>"
    )
    .into_bytes()
}

fn ofd() -> Vec<u8> {
    let texts = [
        (140, 18, "发票号码：26352000000000000002".to_owned()),
        (140, 24, "开票日期：2026年06月10日".to_owned()),
        (70, 10, "电子发票（普通发票）".to_owned()),
        (108, 34, format!("销售方名称：{CANARY}")),
        (8, 50, "项目名称".to_owned()),
        (8, 56, format!("*软件*{CANARY}")),
    ];
    let objects: String = texts
        .iter()
        .map(|(left, top, text)| {
            format!(
                "<ofd:TextObject Boundary='{left} {top} 90 5' Size='3.2'><ofd:TextCode X='0' Y='3'>{text}</ofd:TextCode></ofd:TextObject>"
            )
        })
        .collect();
    let space = "xmlns:ofd='http://www.ofdspec.org/2016'";
    archive(&[
        (
            "OFD.xml",
            format!(
                "<ofd:OFD {space}><ofd:DocBody><ofd:DocInfo><ofd:Author>{CANARY}</ofd:Author></ofd:DocInfo>\
                 <ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
            ),
        ),
        (
            "Doc_0/Document.xml",
            format!(
                "<ofd:Document {space}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox>\
                 </ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID='1' BaseLoc='Pages/Page_0/Content.xml'/></ofd:Pages>\
                 </ofd:Document>"
            ),
        ),
        (
            "Doc_0/Pages/Page_0/Content.xml",
            format!("<ofd:Page {space}><ofd:Content><ofd:Layer>{objects}</ofd:Layer></ofd:Content></ofd:Page>"),
        ),
    ])
}

fn ods() -> Vec<u8> {
    let cell =
        |text: &str| format!("<table:table-cell office:value-type='string'><text:p>{text}</text:p></table:table-cell>");
    let rows: String = [("Invoice number", CANARY), ("Seller", CANARY), ("Total", "119.00 EUR")]
        .iter()
        .map(|(label, value)| format!("<table:table-row>{}{}</table:table-row>", cell(label), cell(value)))
        .collect();
    let spaces = "xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' \
                  xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' \
                  xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'";
    archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet".to_owned()),
        (
            "content.xml",
            format!(
                "<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name='{CANARY}'>{rows}\
                 </table:table></office:spreadsheet></office:body></office:document-content>"
            ),
        ),
    ])
}

fn archive(parts: &[(&str, String)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        let method =
            if *name == "mimetype" { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A grey square, with the word in the text that a camera would leave.
fn picture() -> Vec<u8> {
    const SIDE: u32 = 64;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut part = |kind: &[u8; 4], data: &[u8]| {
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(kind);
        png.extend(data);
        let crc = [kind.as_slice(), data].concat().iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        });
        png.extend((!crc).to_be_bytes());
    };
    let rows = [[0].as_slice(), &[200; SIDE as usize]].concat().repeat(SIDE as usize);
    let (a, b) = rows.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    let size = rows.len() as u16;
    let stored =
        [b"\x78\x01\x01".as_slice(), &size.to_le_bytes(), &(!size).to_le_bytes(), &rows, &(b << 16 | a).to_be_bytes()];
    part(b"IHDR", &[SIDE.to_be_bytes().as_slice(), &SIDE.to_be_bytes(), &[8, 0, 0, 0, 0]].concat());
    part(b"tEXt", format!("Comment\0{CANARY}").as_bytes());
    part(b"IDAT", &stored.concat());
    part(b"IEND", &[]);
    png
}

fn mail(attached: &[u8]) -> Vec<u8> {
    let packed = base64::engine::general_purpose::STANDARD.encode(attached);
    let lines: Vec<&str> = packed.as_bytes().chunks(76).map(|it| std::str::from_utf8(it).unwrap()).collect();
    format!(
        "From: {CANARY} <{CANARY}@sender.example>\r\nSubject: {CANARY}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\nContent-Type: text/plain\r\n\r\n{CANARY}\r\n--part\r\n\
         Content-Type: application/xml\r\nContent-Disposition: attachment; filename=\"{CANARY} attached.xml\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--part--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}
