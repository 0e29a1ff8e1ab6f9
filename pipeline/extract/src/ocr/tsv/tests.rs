#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

const SHEET: Sheet = Sheet { width: 2_000, height: 1_000, scale: 0.5 };

fn tsv(rows: &[&str]) -> Vec<u8> {
    let rows = rows.iter().map(|row| row.replace(' ', "\t") + "\n");
    std::iter::once(format!("{HEAD}\n")).chain(rows).collect::<String>().into_bytes()
}

fn said(recognised: &Recognised) -> Vec<String> {
    recognised
        .lines
        .iter()
        .map(|line| line.cells.iter().map(crate::pdf::Cell::text).collect::<Vec<_>>().join(" | "))
        .collect()
}

#[test]
fn words_stand_in_points_in_lines_and_cells_however_they_were_put_into_blocks() {
    let file = tsv(&[
        "1 1 0 0 0 0 0 0 2000 1000 -1 ",
        "4 1 1 1 1 0 100 100 400 40 -1 ",
        "5 1 1 1 1 1 100 100 200 40 96.5 Prüfgebühr",
        "5 1 1 1 1 2 310 105 90 35 91 für",
        "5 1 1 1 2 1 100 200 200 40 90 Größe",
        // What stands at the right edge is another block, though it is on the same line for the eye.
        "5 1 2 1 1 1 1500 102 150 38 80 119,00",
        "5 1 2 1 1 2 1660 102 20 38 95 |",
    ]);
    let (recognised, mean) = read(&file, SHEET, 3).unwrap();
    assert_eq!(said(&recognised), ["Prüfgebühr für | 119,00", "Größe"]);
    assert_eq!((recognised.n_places, recognised.n_unsure), (4, 0));
    assert_eq!(recognised.lines[0].cells[0].words[0].area, [50.0, 50.0, 150.0, 70.0]);
    assert_eq!(
        recognised.trust[0],
        super::super::Trust { page: 3, area: [50.0, 50.0, 150.0, 70.0], confidence: 0.965 }
    );
    assert!((mean - (0.965 + 0.91 + 0.9 + 0.8) / 4.0).abs() < 1e-9, "{mean}");
}

#[test]
fn lines_of_a_page_at_a_slope_are_lines() {
    // 3 pixels down for 100 across; the columns are blocks of their own.
    let word = |block: usize, line: usize, x: usize, y: usize, text: &str| {
        format!("5 1 {block} 1 {line} 1 {x} {} 80 30 95 {text}", y + x * 3 / 100)
    };
    let rows: Vec<String> = (1..=8)
        .flat_map(|line| {
            let y = 60 + 50 * line;
            let near = word(1, line, 100, y, &format!("Posten{line}"));
            let far = word(1, line, 600, y, "Stück");
            [near, far]
        })
        .chain((1..=8).map(|line| word(2, line, 1_700, 60 + 50 * line, &format!("{line},50"))))
        .collect();
    let (recognised, _) = read(&tsv(&rows.iter().map(String::as_str).collect::<Vec<_>>()), SHEET, 1).unwrap();
    let expected: Vec<String> = (1..=8).map(|line| format!("Posten{line} | Stück | {line},50")).collect();
    assert_eq!(said(&recognised), expected);
}

#[test]
fn a_word_that_is_unsure_or_cannot_be_is_left_out_and_counted() {
    for (row, what) in [
        ("5 1 1 1 1 1 10 10 50 20 49.9 Wort", "unsure"),
        ("5 1 1 1 1 1 10 10 50 20 -1 Wort", "no confidence"),
        ("5 1 1 1 1 1 10 10 50 20 101 Wort", "too sure"),
        ("5 1 1 1 1 1 10 10 50 20 nan Wort", "no number"),
        ("5 1 1 1 1 1 10 10 50 20 1e999 Wort", "without end"),
        ("5 1 1 1 1 1 -10 10 50 20 90 Wort", "left of the page"),
        ("5 1 1 1 1 1 1990 10 50 20 90 Wort", "right of the page"),
        ("5 1 1 1 1 1 10 990 50 20 90 Wort", "below the page"),
        ("5 1 1 1 1 1 10 10 0 20 90 Wort", "without width"),
        ("5 1 1 1 1 1 10 10 4294967295 20 90 Wort", "wide"),
        ("5 1 1 1 1 1 10 10 99999999999999999999 20 90 Wort", "wider than numbers"),
        ("5 1 1 1 1 1 10.5 10 50 20 90 Wort", "between pixels"),
        ("5 1 1 1 1 1 10 10 50 20 90 Wo\u{7}rt", "a control character"),
        ("5 1 1 1 1 1 10 10 50 20 90 Wo\rrt", "a carriage return"),
    ] {
        let (recognised, _) = read(&tsv(&["5 1 1 1 1 1 10 50 50 20 90 gut", row]), SHEET, 1).unwrap();
        assert_eq!(
            (recognised.n_places, recognised.n_unsure, said(&recognised)),
            (2, 1, vec!["gut".to_owned()]),
            "{what}"
        );
    }
    let long = format!("5 1 1 1 1 1 10 10 50 20 90 {}", "x".repeat(LETTERS_MAX + 1));
    assert_eq!(read(&tsv(&[&long]), SHEET, 1).unwrap().0.n_unsure, 1);
}

#[test]
fn what_is_no_tsv_of_tesseract_is_refused_with_the_reason() {
    let many = vec!["5 1 1 1 1 1 10 10 50 20 90 x"; WORDS_MAX + 1];
    let table: [(Vec<u8>, &str); 6] = [
        (Vec::new(), "does not begin with the names of the columns"),
        (b"5\t1\n".to_vec(), "does not begin with the names of the columns"),
        (tsv(&["5 1 1 1"]), "has a line with too few columns"),
        ([tsv(&[]), vec![0xff]].concat(), "is not UTF-8"),
        (tsv(&many), "has more words than are read"),
        ([tsv(&[]), vec![b'\n'; TOLD_BYTES_MAX]].concat(), "is longer than is read"),
    ];
    for (file, expected) in table {
        assert_eq!(read(&file, SHEET, 1).unwrap_err(), expected);
    }
    let (nothing, mean) = read(&tsv(&[]), SHEET, 1).unwrap();
    assert_eq!((nothing.n_places, nothing.legible(), mean), (0, false, 0.0));
}
