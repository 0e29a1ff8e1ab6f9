//! The table of goods and services: its columns are known by the words of its header.

use std::collections::BTreeMap;

use case::{Field, LineField};

use super::rows::{Piece, Row};
use crate::fapiao::wording::{Rate, rate};
use crate::values::decimal;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Name,
    Form,
    Unit,
    Quantity,
    Price,
    Net,
    Rate,
    Tax,
}

/// A column's header, the longer wording first.
const HEADERS: [(Column, &[&str]); 8] = [
    (Column::Name, &["货物或应税劳务、服务名称", "货物或应税劳务名称", "项目名称"]),
    (Column::Form, &["规格型号", "车牌号"]),
    (Column::Unit, &["单位"]),
    (Column::Quantity, &["数量"]),
    (Column::Price, &["单价"]),
    (Column::Net, &["金额"]),
    (Column::Rate, &["税率/征收率", "税率"]),
    (Column::Tax, &["税额"]),
];

/// How sure the cell of a row with an amount and a rate is.
const CONFIDENCE: f64 = 0.95;

type Headers = Vec<(Column, [f64; 4])>;
type Line = BTreeMap<LineField, Field>;

pub(super) fn read(rows: &[Row]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut table: Option<(u32, Headers)> = None;
    for row in rows {
        if let Some(found) = headers(row) {
            table = Some((row.page, found));
            continue;
        }
        let Some((page, columns)) = &table else { continue };
        if *page != row.page
            || row.find("价税合计").is_some()
            || row.text_before(2) == "合计"
            || row.text_before(2) == "小计"
        {
            table = None;
            continue;
        }
        let placed = placed(row, columns);
        let has = |column: Column| placed.iter().any(|(it, _)| *it == column);
        if has(Column::Net) {
            lines.push(line(row.page, &placed));
        } else if !has(Column::Tax) && !has(Column::Rate) {
            // A name that goes on below.
            let more = joined(&placed, Column::Name);
            if let (Some(name), Some(more)) = (lines.last_mut().and_then(|it| it.get_mut(&LineField::Name)), more) {
                name.value.push_str(&more.shown);
            }
        }
    }
    lines
}

fn headers(row: &Row) -> Option<Headers> {
    let found: Headers = HEADERS
        .iter()
        .filter_map(|(column, words)| {
            let at = words.iter().find_map(|word| row.find(word))?;
            Some((*column, row.piece(at).area))
        })
        .collect();
    let has = |column: Column| found.iter().any(|(it, _)| *it == column);
    (has(Column::Name) && has(Column::Net)).then_some(found)
}

/// Each word with its column: by what it can be, and of those the header whose left, middle or right it shares.
fn placed(row: &Row, columns: &Headers) -> Vec<(Column, Piece)> {
    let first_cell = row.cells().into_iter().next();
    let name_ends = first_cell.filter(|cell| begins_table(cell, columns)).map_or(0, |cell| cell.end);
    let words = row.words();
    let mut placed = Vec::new();
    for word in words {
        let column = if word.end <= name_ends && !is_number(&word.text) {
            Some(Column::Name)
        } else {
            let fits: &[Column] = match word.text.as_str() {
                text if text.ends_with('%') || matches!(rate(text), Some(Rate::None(_))) => &[Column::Rate],
                text if text.contains('*') && text.bytes().all(|it| it == b'*') => &[Column::Rate, Column::Tax],
                text if is_number(text) => &[Column::Form, Column::Quantity, Column::Price, Column::Net, Column::Tax],
                _ => &[Column::Form, Column::Unit, Column::Name],
            };
            nearest(&word, columns, fits)
        };
        if let Some(column) = column {
            placed.push((column, word));
        }
    }
    placed
}

fn begins_table(cell: &Piece, columns: &Headers) -> bool {
    let next = columns.iter().filter(|(it, _)| *it != Column::Name).map(|(_, area)| area[0]);
    cell.area[0] < next.fold(f64::MAX, f64::min)
}

fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches('¥');
    text.bytes().any(|it| it.is_ascii_digit()) && text.bytes().all(|it| it.is_ascii_digit() || b".,-".contains(&it))
}

fn nearest(word: &Piece, columns: &Headers, fits: &[Column]) -> Option<Column> {
    let [left, _, right, _] = word.area;
    let far = |area: &[f64; 4]| {
        let middles = ((left + right) - (area[0] + area[2])).abs() / 2.0;
        (left - area[0]).abs().min((right - area[2]).abs()).min(middles)
    };
    let candidates = columns.iter().filter(|(it, _)| fits.contains(it));
    candidates.min_by(|a, b| far(&a.1).total_cmp(&far(&b.1))).map(|(column, _)| *column)
}

fn joined(placed: &[(Column, Piece)], column: Column) -> Option<Piece> {
    let mut pieces = placed.iter().filter(|(it, _)| *it == column).map(|(_, piece)| piece);
    let first = pieces.next()?;
    let mut out = Piece { text: first.text.clone(), shown: first.shown.clone(), area: first.area, end: first.end };
    for piece in pieces {
        if out.text.ends_with(|it: char| it.is_ascii_alphanumeric()) && piece.text.starts_with(|it: char| it.is_ascii())
        {
            out.text.push(' ');
            out.shown.push(' ');
        }
        out.text.push_str(&piece.text);
        out.shown.push_str(&piece.shown);
        out.area[2] = out.area[2].max(piece.area[2]);
        out.end = piece.end;
    }
    Some(out)
}

fn line(page: u32, placed: &[(Column, Piece)]) -> Line {
    let mut line = Line::new();
    for (column, name) in [
        (Column::Name, LineField::Name),
        (Column::Unit, LineField::Unit),
        (Column::Quantity, LineField::Quantity),
        (Column::Price, LineField::UnitPrice),
        (Column::Net, LineField::NetAmount),
        (Column::Tax, LineField::Tax),
        (Column::Rate, LineField::VatRate),
    ] {
        let Some(piece) = joined(placed, column) else { continue };
        let (name, value) = match column {
            Column::Name | Column::Unit | Column::Form => (name, Some(piece.shown.clone())),
            Column::Rate => match rate(&piece.text) {
                Some(Rate::Percent(percent)) => (name, Some(percent)),
                Some(Rate::None(category)) => (LineField::VatCategory, Some(category.to_owned())),
                None => (name, None),
            },
            _ => (name, decimal(&piece.text.replace(['¥', ','], ""))),
        };
        if let Some(value) = value {
            line.insert(name, piece.field(page, value, CONFIDENCE));
        }
    }
    line
}
