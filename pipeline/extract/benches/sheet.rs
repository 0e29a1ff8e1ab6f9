//! How long a workbook of 200,000 rows takes, and how much memory: this reader, which gives an answer with its evidence, and
//! beside it the streaming reader of `calamine`, which only walks over the cells. `cargo bench -p extract --bench sheet`.
//!
//! Each run is a process of its own, so that its peak of memory is its own; the two take turns, and the best of each counts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use calamine::{DataRef, Reader as _, Xlsx, open_workbook_from_rs};
use zip::write::{SimpleFileOptions, ZipWriter};

const ROWS: [usize; 3] = [2_000, 20_000, 200_000];
const ROUNDS: usize = 5;
const RATIO_MAX: f64 = 1.5;
/// What 200,000 rows may take beyond 20,000, beside the document itself.
const GROWTH_KIB_MAX: u64 = 24 << 10;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|it| it == "run") {
        run(&args[at + 1], Path::new(&args[at + 2]));
        return ExitCode::SUCCESS;
    }
    println!("rows     cells      KiB    reader    CPU ms  peak KiB");
    let mut ours = Vec::new();
    let mut ratio = 0.0;
    for n_rows in ROWS {
        let document = workbook(n_rows);
        let path = temporary(n_rows);
        std::fs::write(&path, &document).unwrap();
        let mut best = [(f64::MAX, 0_u64, 0_u64); 2];
        for _ in 0..ROUNDS {
            for (which, best) in ["extract", "calamine"].iter().zip(&mut best) {
                let (cpu_ms, peak_kib, n_cells) = measured(which, &path);
                if cpu_ms < best.0 {
                    *best = (cpu_ms, peak_kib, n_cells);
                }
            }
        }
        std::fs::remove_file(&path).unwrap();
        for (which, (cpu_ms, peak_kib, _)) in ["extract", "calamine"].iter().zip(best) {
            let size_kib = document.len() >> 10;
            println!("{n_rows:<8} {:<9} {size_kib:>5}    {which:<9} {cpu_ms:>7.1} {peak_kib:>9}", best[1].2);
        }
        ratio = best[0].0 / best[1].0;
        ours.push(best[0].1.saturating_sub(document.len() as u64 >> 10));
    }
    let growth_kib = ours[2].saturating_sub(ours[1]);
    println!("CPU time at {} rows: {ratio:.2} of the streaming reader's (at most {RATIO_MAX})", ROWS[2]);
    println!(
        "memory from {} to {} rows, without the document: {growth_kib} KiB more (at most {GROWTH_KIB_MAX})",
        ROWS[1], ROWS[2]
    );
    if ratio <= RATIO_MAX && growth_kib <= GROWTH_KIB_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn temporary(n_rows: usize) -> PathBuf {
    std::env::temp_dir().join(format!("sheet-bench-{}-{n_rows}.xlsx", std::process::id()))
}

/// CPU milliseconds, the peak of memory in KiB, and the cells seen.
fn measured(which: &str, path: &Path) -> (f64, u64, u64) {
    let output = Command::new(std::env::current_exe().unwrap()).args(["run", which]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace();
    let mut next = || numbers.next().unwrap();
    (next().parse().unwrap(), next().parse().unwrap(), next().parse().unwrap())
}

fn run(which: &str, path: &Path) {
    let document = std::fs::read(path).unwrap();
    let before = cpu_ms();
    let n_cells = if which == "extract" { extract(&document) } else { calamine(document) };
    println!("{} {} {n_cells}", cpu_ms() - before, peak_kib());
}

fn extract(document: &[u8]) -> u64 {
    let answer = extract::read(document).unwrap().extraction;
    assert_eq!(answer.text(case::FieldName::GrossTotal), Some("4711.5"), "the total below the last row is found");
    answer.lines.len() as u64
}

fn calamine(document: Vec<u8>) -> u64 {
    let mut workbook: Xlsx<_> = open_workbook_from_rs(Cursor::new(document)).unwrap();
    let name = workbook.sheet_names()[0].clone();
    let mut cells = workbook.worksheet_cells_reader(&name).unwrap();
    let mut count = 0;
    while let Some(cell) = cells.next_cell().unwrap() {
        count += u64::from(!matches!(cell.get_value(), DataRef::Empty));
    }
    count
}

fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn peak_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// An invoice as programs write them: shared texts, a date, amounts, a rate; its total below the last row.
fn workbook(n_rows: usize) -> Vec<u8> {
    const NAMES: usize = 500;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, content: &str| {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    };
    let main = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    part(
        "[Content_Types].xml",
        &format!(
            "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>\
             <Override PartName='/xl/workbook.xml' ContentType='{main}.sheet.main+xml'/></Types>"
        ),
    );
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    part(
        "_rels/.rels",
        &format!(
            "<Relationships xmlns='{package}'><Relationship Id='r1' Type='{relations}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
        ),
    );
    let namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    part(
        "xl/workbook.xml",
        &format!(
            "<workbook xmlns='{namespace}' xmlns:r='{relations}'><sheets><sheet name='Bill' sheetId='1' r:id='r1'/></sheets></workbook>"
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(
            "<Relationships xmlns='{package}'><Relationship Id='r1' Type='{relations}/worksheet' Target='worksheets/sheet1.xml'/>\
             <Relationship Id='r2' Type='{relations}/sharedStrings' Target='sharedStrings.xml'/>\
             <Relationship Id='r3' Type='{relations}/styles' Target='styles.xml'/></Relationships>"
        ),
    );
    part(
        "xl/styles.xml",
        &format!(
            "<styleSheet xmlns='{namespace}'><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='9'/></cellXfs></styleSheet>"
        ),
    );
    let heads = [
        "Invoice number",
        "R-17",
        "Pos",
        "Date",
        "Item number",
        "Description",
        "Quantity",
        "Unit price",
        "VAT rate",
        "Amount",
        "Total",
    ];
    let mut strings = format!("<sst xmlns='{namespace}'>");
    for text in heads.iter().map(|it| (*it).to_owned()).chain((0..NAMES).map(|idx| format!("Bolt of size {idx}"))) {
        write!(strings, "<si><t>{text}</t></si>").unwrap();
    }
    part("xl/sharedStrings.xml", &(strings + "</sst>"));
    let mut sheet = format!(
        "<worksheet xmlns='{namespace}'><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row><row r=\"3\">"
    );
    for (column, idx) in ('A'..='H').zip(2..) {
        write!(sheet, "<c r=\"{column}3\" t=\"s\"><v>{idx}</v></c>").unwrap();
    }
    sheet += "</row>";
    for idx in 0..n_rows {
        let (row, name, quantity) = (idx + 4, heads.len() + idx * 7 % NAMES, idx % 90 + 1);
        let price = f64::from(u32::try_from(idx * 31 % 9_973).unwrap() + 5) / 100.0;
        write!(
            sheet,
            "<row r=\"{row}\"><c r=\"A{row}\"><v>{}</v></c><c r=\"B{row}\" s=\"1\"><v>{}</v></c>\
             <c r=\"C{row}\" t=\"s\"><v>{name}</v></c><c r=\"D{row}\" t=\"s\"><v>{name}</v></c><c r=\"E{row}\"><v>{quantity}</v></c>\
             <c r=\"F{row}\"><v>{price}</v></c><c r=\"G{row}\" s=\"2\"><v>0.19</v></c><c r=\"H{row}\"><v>{}</v></c></row>",
            idx + 1,
            46_000 + idx % 300,
            price * quantity as f64,
        )
        .unwrap();
    }
    let row = n_rows + 5;
    write!(sheet, "<row r=\"{row}\"><c r=\"G{row}\" t=\"s\"><v>10</v></c><c r=\"H{row}\"><v>4711.5</v></c></row></sheetData></worksheet>").unwrap();
    part("xl/worksheets/sheet1.xml", &sheet);
    writer.finish().unwrap().into_inner()
}
