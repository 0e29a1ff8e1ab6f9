//! `cargo bench --bench import`: a CSV file of 1,000,000 order lines is brought in by `countersign import orders`, on both
//! databases: seconds, rows a second, processor time and peak memory of the program; beside a file of one row before it, and
//! the same file once more, of which every row is there already.
//!
//! `COUNTERSIGN_FACTS=100000` for a shorter file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod books;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufWriter, Write};
use std::path::Path;

use books::{Books, Ran};
use case::OrderLine;
use program::Workspace;

const VENDORS: usize = 1_000;

fn main() {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let n = books::asked("COUNTERSIGN_FACTS", 1_000_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(support::postgres_waits_for_the_disk());
    drop(runtime);
    println!(
        "{:>9}  {:<14}  {:>9}  {:>8}  {:>8}  {:>11}  {:>8}",
        "database", "", "rows", "seconds", "rows/s", "CPU seconds", "peak MiB"
    );
    measure("sqlite", None, n);
    match support::postgres_url() {
        Some(url) => measure("postgres", Some(url), n),
        None => eprintln!("skipped on PostgreSQL: its programs are neither in PATH nor in /usr/lib/postgresql/*/bin"),
    }
}

fn measure(database: &str, url: Option<String>, n: usize) {
    let workspace = Workspace::new(url);
    let books = Books::of(n, VENDORS);
    let (one, all) = (workspace.dir.join("one.csv"), workspace.dir.join("all.csv"));
    write(&one, [books.order_line(n)].into_iter());
    write(&all, (0..n).map(|line| books.order_line(line)));
    for (what, file, n, expected) in
        [("one row", &one, 1, "new"), ("all", &all, n, "new"), ("the same again", &all, n, "same")]
    {
        let ran = import(&workspace, file);
        let counts: serde_json::Value = serde_json::from_str(ran.said.lines().last().unwrap()).unwrap();
        assert_eq!(counts[expected], n, "{counts}");
        println!(
            "{database:>9}  {what:<14}  {n:>9}  {:>8.2}  {:>8.0}  {:>11.2}  {:>8.1}",
            ran.seconds,
            n as f64 / ran.seconds,
            ran.cpu_seconds,
            ran.peak_mib
        );
    }
}

fn import(workspace: &Workspace, file: &Path) -> Ran {
    let (file, dir) = (file.to_str().unwrap(), workspace.dir.to_str().unwrap());
    books::ran(workspace.command(&["import", "orders", file, "-C", dir, "--as", "olivia", "--json"]))
}

fn write(path: &Path, lines: impl Iterator<Item = OrderLine>) {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "order_id,vendor_id,currency,line,quantity,unit,unit_price,description,tax_rate,match").unwrap();
    for it in lines {
        let OrderLine { order_id, vendor_id, currency, line, quantity, unit, unit_price, match_level, .. } = it;
        let (text, rate) = (it.description.unwrap(), it.tax_rate.unwrap());
        writeln!(
            file,
            "{order_id},{vendor_id},{currency},{line},{quantity},{unit},{unit_price},{text},{rate},{match_level}"
        )
        .unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
}
