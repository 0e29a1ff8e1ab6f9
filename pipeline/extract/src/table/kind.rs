//! What kind of document a sheet is, by what it calls itself in its first rows.

use case::{Extraction, FieldName, Kind};

use super::wording::{Title, header_label, no_field, title};
use crate::note;
use crate::sheet::{Cell, Sheet, Stored};

/// The rows in which a title stands, if they are above the table of lines.
const ROWS_MAX: usize = 12;

/// What was seen of it in all sheets so far.
#[derive(Default)]
pub(super) struct Signs {
    credit: bool,
    invoice: bool,
    /// The first title that is of no credit note.
    first: Option<Title>,
    /// A label such as `Invoice number`, of an invoice that has no title.
    labelled: bool,
}

impl Signs {
    pub(super) fn look(&mut self, sheet: &Sheet, header_row: Option<u32>) {
        for (row, cells) in sheet.rows.iter().take(ROWS_MAX) {
            if header_row.is_some_and(|it| it < *row) {
                break;
            }
            // The heads of columns name other documents too.
            let is_head = |it: &Cell| header_label(&it.text).is_some() || no_field(&it.text);
            let heads = cells.values().filter(|it| is_head(it)).count();
            let first_head = cells.iter().find(|it| is_head(it.1)).map(|it| *it.0);
            for (column, cell) in cells.iter().filter(|(_, cell)| cell.stored == Stored::Text) {
                let label = header_label(&cell.text);
                let found = title(&cell.text);
                let numbers = label.is_some_and(|it| it.name == FieldName::Number);
                let dates = label.is_some_and(|it| it.name == FieldName::IssueDate);
                self.labelled |= (numbers || dates) && found == Title::Invoice;
                self.labelled |= (numbers || dates) && named_invoice(&cell.text);
                if header_row == Some(*row) {
                    continue;
                }
                // Who is named after it, or what is dated, is not what it is.
                let other_label = label.is_some_and(|it| !numbers && it.name != FieldName::OrderRef);
                let beside = || cells.range(column + 1..).next().map(|it| it.1);
                let has_value = || beside().is_some_and(has_digit) || colon_value(&cell.text);
                match found {
                    Title::CreditNote => {
                        self.credit |= !other_label;
                        self.invoice |= cell.text.split('/').any(|it| title(it) == Title::Invoice);
                    }
                    Title::Invoice | Title::Other(_) => {
                        let after_head = first_head.is_some_and(|it| it < *column);
                        let in_heads = 2 <= heads && (label.is_some() || after_head);
                        // `Invoice number` is a label, `Invoice` and `Invoice 17` are titles.
                        let is_label = label.is_some_and(|it| !it.is_title && numbers);
                        if other_label || is_label || in_heads || has_value() {
                            self.labelled |= numbers && found == Title::Invoice;
                            continue;
                        }
                        self.invoice |= found == Title::Invoice;
                        self.first = self.first.or(Some(found));
                    }
                    Title::None => {}
                }
            }
        }
    }

    /// Sets the kind; where the document does not say it, or says two, a note does.
    pub(super) fn tell(self, answer: &mut Extraction) {
        if self.credit {
            answer.kind = Kind::CreditNote;
            if self.invoice {
                let message = "it calls itself an invoice and a credit note; it was taken for a credit note";
                answer.notes.push(note("kind_guessed", message));
            }
            return;
        }
        answer.kind = match self.first {
            Some(Title::Other(kind)) => kind,
            Some(_) => Kind::Invoice,
            None if self.labelled => Kind::Invoice,
            None => Kind::Unknown,
        };
        let billed = answer.field(FieldName::Number).is_some() && !answer.lines.is_empty();
        if self.first.is_none() && answer.kind == Kind::Unknown && billed {
            answer.kind = Kind::Invoice;
            answer
                .notes
                .push(note("kind_guessed", "nothing in it says that it is an invoice; its number and lines do"));
        }
    }
}

fn has_digit(cell: &Cell) -> bool {
    cell.text.contains(|it: char| it.is_ascii_digit())
}

/// `Invoice: 17`
fn colon_value(text: &str) -> bool {
    text.split_once([':', '：']).is_some_and(|(_, it)| !it.trim().is_empty())
}

/// Labels that run the word together with another: `Rechnungsnummer`, `invoiceNumber`, `factuurdatum`.
fn named_invoice(text: &str) -> bool {
    const WORDS: [&str; 8] = ["invoice", "rechnung", "rg", "factur", "fattur", "fatur", "facture", "发票"];
    let text = text.to_lowercase();
    WORDS.iter().any(|it| text.contains(it)) || text.starts_with("re") && text.contains("nr")
}
