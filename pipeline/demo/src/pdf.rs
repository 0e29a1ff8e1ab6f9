use crate::invoice::{Invoice, Line, Party, Vat};
use crate::paper::{self, Colour, GREY, HAIRLINE, Paper, bold, regular};
use crate::wording::Words;

const LEFT: f32 = 56.0;
const RIGHT: f32 = 539.0;
/// Nothing but the footer stands below.
const BOTTOM: f32 = 745.0;

/// Where the columns of the line table stand: the first and the unit at their left, the others at their right.
const DESCRIPTION_X: f32 = 92.0;
const DESCRIPTION_WIDTH: f32 = 190.0;
const QUANTITY_X: f32 = 336.0;
const UNIT_X: f32 = 343.0;
const PRICE_X: f32 = 432.0;
const RATE_X: f32 = 476.0;
const AMOUNT_X: f32 = RIGHT - 6.0;

/// The invoice as a person gets it. `hidden` is laid under the total, where a program reads it and nobody sees it.
pub(crate) fn document(invoice: &Invoice, hidden: Option<&str>) -> Vec<u8> {
    paper::bytes(printed(invoice, hidden).document(&title(invoice), &invoice.seller.name))
}

pub(crate) fn title(invoice: &Invoice) -> String {
    format!("{} {}", invoice.language.words(invoice.credit_note).title, invoice.number)
}

pub(crate) fn printed(invoice: &Invoice, hidden: Option<&str>) -> Paper {
    let mut sheet = Sheet {
        paper: Paper::default(),
        invoice,
        words: invoice.language.words(invoice.credit_note),
        accent: accent(&invoice.seller.name),
        y: 0.0,
    };
    sheet.letterhead();
    sheet.address_and_references();
    sheet.heading();
    sheet.table_head();
    for (line_idx, line) in invoice.lines.iter().enumerate() {
        sheet.line(line_idx + 1, line);
    }
    sheet.totals(hidden);
    sheet.payment();
    sheet.footers();
    sheet.paper
}

struct Sheet<'a> {
    paper: Paper,
    invoice: &'a Invoice,
    words: Words,
    accent: Colour,
    /// The next free place on the page, from the top.
    y: f32,
}

impl Sheet<'_> {
    fn letterhead(&mut self) {
        let seller = &self.invoice.seller;
        self.paper.new_page();
        self.paper.band(0.0, 0.0, 595.0, 7.0, self.accent);
        self.paper.text(LEFT, 62.0, bold(18.0).colour(self.accent), &seller.name);
        let place = format!("{} {}", seller.postcode, seller.city);
        let lines =
            [seller.street.as_str(), &place, country(&seller.country, self.invoice), &seller.phone, &seller.email];
        for (idx, line) in lines.into_iter().enumerate() {
            self.paper.text_to(RIGHT, 46.0 + idx as f32 * 11.0, regular(8.0).colour(GREY), line);
        }
    }

    fn address_and_references(&mut self) {
        let (seller, buyer) = (&self.invoice.seller, &self.invoice.buyer);
        let sender = format!("{} · {} · {} {}", seller.name, seller.street, seller.postcode, seller.city);
        self.paper.text(LEFT, 136.0, regular(6.5).colour(GREY), &sender);
        self.paper.rule(LEFT, LEFT + 226.0, 140.0, 0.4, HAIRLINE);
        self.paper.text(LEFT, 158.0, bold(10.0), &buyer.name);
        self.paper.text(LEFT, 172.0, regular(10.0), &buyer.street);
        self.paper.text(LEFT, 186.0, regular(10.0), &format!("{} {}", buyer.postcode, buyer.city));
        self.paper.text(LEFT, 200.0, regular(10.0), country(&buyer.country, self.invoice));

        let mut y = 136.0;
        for (label, value) in self.references() {
            self.paper.text(340.0, y, regular(8.5).colour(GREY), label);
            self.paper.text(436.0, y, bold(9.0), &value);
            y += 14.5;
        }
    }

    fn references(&self) -> Vec<(&'static str, String)> {
        let (invoice, words, language) = (self.invoice, &self.words, self.invoice.language);
        let mut references = vec![
            (words.number, invoice.number.clone()),
            (words.issue_date, language.date(invoice.issue_date)),
            (words.delivery_date, language.date(invoice.delivery_date)),
            (words.due_date, language.date(invoice.due_date)),
        ];
        references.extend(invoice.order_ref.clone().map(|order| (words.order, order)));
        references.extend(invoice.preceding.clone().map(|number| (words.preceding, number)));
        references.push((words.reference, invoice.buyer_ref.clone()));
        let outside = invoice.lines.iter().any(|line| line.vat == Vat::OutsideScope);
        references.extend(invoice.buyer.vat_id.clone().filter(|_| !outside).map(|vat_id| (words.customer_vat, vat_id)));
        references
    }

    fn heading(&mut self) {
        self.paper.text(LEFT, 278.0, bold(17.0), &title(self.invoice));
        self.paper.text(LEFT, 298.0, regular(9.5), self.words.intro);
        self.y = 316.0;
    }

    fn table_head(&mut self) {
        let style = bold(8.5).colour([1.0, 1.0, 1.0]);
        self.paper.band(LEFT, self.y, RIGHT - LEFT, 20.0, self.accent);
        let y = self.y + 13.0;
        self.paper.text(LEFT + 6.0, y, style, self.words.position);
        self.paper.text(DESCRIPTION_X, y, style, self.words.description);
        self.paper.text_to(QUANTITY_X, y, style, self.words.quantity);
        self.paper.text(UNIT_X, y, style, self.words.unit);
        self.paper.text_to(PRICE_X, y, style, self.words.unit_price);
        self.paper.text_to(RATE_X, y, style, self.words.vat_rate);
        let amount = format!("{} {}", self.words.amount, self.invoice.currency);
        self.paper.text_to(AMOUNT_X, y, style, &amount);
        self.y += 20.0;
    }

    fn line(&mut self, position: usize, line: &Line) {
        let language = self.invoice.language;
        let style = regular(9.0);
        let name = style.wrapped(&line.name, DESCRIPTION_WIDTH);
        let height = 8.0 + 11.5 * name.len().max(1) as f32;
        if BOTTOM < self.y + height {
            self.next_page();
            self.table_head();
        }
        let y = self.y + 12.5;
        self.paper.text(LEFT + 6.0, y, style, &position.to_string());
        for (idx, part) in name.iter().enumerate() {
            self.paper.text(DESCRIPTION_X, y + idx as f32 * 11.5, style, part);
        }
        self.paper.text_to(QUANTITY_X, y, style, &language.quantity(line.quantity));
        self.paper.text(UNIT_X, y, style, language.unit(&line.unit));
        self.paper.text_to(PRICE_X, y, style, &language.price(line.unit_price));
        self.paper.text_to(RATE_X, y, style, &format!("{} %", language.quantity(line.vat.rate())));
        self.paper.text_to(AMOUNT_X, y, style, &language.money(line.net_amount()));
        self.y += height;
        self.paper.rule(LEFT, RIGHT, self.y, 0.4, HAIRLINE);
    }

    fn totals(&mut self, hidden: Option<&str>) {
        let (language, totals) = (self.invoice.language, self.invoice.totals());
        self.keep_together(46.0 + 16.0 * totals.tax.len() as f32);
        let label_x = 320.0;
        self.y += 18.0;
        self.paper.text(label_x, self.y, regular(9.5), self.words.net_total);
        self.paper.text_to(AMOUNT_X, self.y, regular(9.5), &language.money(totals.net_total));
        for group in &totals.tax {
            self.y += 16.0;
            let label = format!("{} {} %", self.words.vat, language.quantity(group.vat.rate()));
            self.paper.text(label_x, self.y, regular(9.5), &label);
            self.paper.text_to(AMOUNT_X, self.y, regular(9.5), &language.money(group.tax));
        }
        self.y += 9.0;
        let tint = self.accent.map(|channel| 1.0 - (1.0 - channel) * 0.12);
        self.paper.band(label_x - 8.0, self.y, RIGHT - label_x + 8.0, 24.0, tint);
        let total = format!("{} {}", self.invoice.currency, language.money(totals.gross_total));
        self.paper.text(label_x, self.y + 16.0, bold(11.0), self.words.total);
        self.paper.text_to(AMOUNT_X, self.y + 16.0, bold(11.0), &total);
        if let Some(hidden) = hidden {
            self.paper.invisible(label_x, self.y + 16.0, regular(11.0), hidden);
        }
        self.y += 24.0;
        for group in &totals.tax {
            if let Some((_, words)) = group.vat.exemption() {
                self.y += 16.0;
                self.paper.text(label_x, self.y, regular(8.0).colour(GREY), words);
            }
        }
    }

    fn payment(&mut self) {
        let (invoice, words) = (self.invoice, &self.words);
        let mut rows = vec![(words.account_holder, invoice.seller.name.clone())];
        if let Some(account) = &invoice.seller.account {
            if invoice.seller.banks_by_iban() {
                rows.push(("IBAN", in_fours(account)));
            } else {
                rows.push(("Account", account.clone()));
            }
        }
        rows.extend(invoice.seller.bic.clone().map(|bic| ("BIC", bic)));
        rows.push((words.purpose, invoice.number.clone()));
        let terms = invoice.language.terms(invoice.due_date);
        let heading = words.payment;
        self.keep_together(48.0 + 14.0 * rows.len() as f32);
        self.y += 32.0;
        self.paper.text(LEFT, self.y, bold(10.0).colour(self.accent), heading);
        if !invoice.credit_note {
            self.y += 15.0;
            self.paper.text(LEFT, self.y, regular(9.0), &terms);
        }
        self.y += 4.0;
        for (label, value) in rows {
            self.y += 14.0;
            self.paper.text(LEFT, self.y, regular(8.5).colour(GREY), label);
            self.paper.text(LEFT + 96.0, self.y, regular(9.0), &value);
        }
    }

    fn footers(&mut self) {
        let seller = &self.invoice.seller;
        let n_pages = self.paper.n_pages();
        for page_idx in 0..n_pages {
            self.paper.go_to(page_idx);
            self.paper.rule(LEFT, RIGHT, 776.0, 0.5, HAIRLINE);
            let style = regular(7.0).colour(GREY);
            for (idx, line) in company(seller, &self.words).iter().enumerate() {
                self.paper.text(LEFT, 788.0 + idx as f32 * 9.5, style, line);
            }
            let contact = [seller.contact.as_str(), &seller.phone, &seller.email];
            for (idx, line) in contact.into_iter().enumerate() {
                self.paper.text(270.0, 788.0 + idx as f32 * 9.5, style, line);
            }
            let page = format!("{} {} {} {n_pages}", self.words.page, page_idx + 1, self.words.of);
            self.paper.text_to(RIGHT, 788.0, style, &page);
        }
    }

    fn keep_together(&mut self, height: f32) {
        if BOTTOM < self.y + height {
            self.next_page();
        }
    }

    fn next_page(&mut self) {
        self.paper.new_page();
        self.paper.band(0.0, 0.0, 595.0, 7.0, self.accent);
        self.paper.text(LEFT, 50.0, bold(11.0).colour(self.accent), &self.invoice.seller.name);
        self.paper.text_to(RIGHT, 50.0, regular(9.0).colour(GREY), &title(self.invoice));
        self.y = 70.0;
    }
}

fn company(seller: &Party, words: &Words) -> Vec<String> {
    let mut lines = vec![format!("{} · {} · {} {}", seller.name, seller.street, seller.postcode, seller.city)];
    lines.extend(seller.vat_id.as_ref().map(|vat_id| format!("{} {vat_id}", words.vat_id)));
    lines.extend(seller.register.as_ref().map(|number| format!("{} {number}", words.register)));
    lines
}

fn country(code: &str, invoice: &Invoice) -> &'static str {
    use crate::wording::Language::{English, German};
    match (code, invoice.language) {
        ("DE", English) => "Germany",
        ("DE", German) => "Deutschland",
        ("FR", English) => "France",
        ("FR", German) => "Frankreich",
        ("NL", English) => "Netherlands",
        ("NL", German) => "Niederlande",
        ("AT", English) => "Austria",
        ("AT", German) => "Österreich",
        ("US", _) => "USA",
        _ => "",
    }
}

fn in_fours(account: &str) -> String {
    let mut text = String::new();
    for (idx, c) in account.chars().enumerate() {
        if idx != 0 && idx.is_multiple_of(4) {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

/// Every house has its colour, always the same one.
fn accent(name: &str) -> Colour {
    const HOUSE_COLOURS: [Colour; 6] = [
        [0.11, 0.30, 0.53],
        [0.09, 0.42, 0.40],
        [0.47, 0.18, 0.28],
        [0.24, 0.26, 0.34],
        [0.16, 0.42, 0.24],
        [0.55, 0.30, 0.10],
    ];
    let sum: usize = name.bytes().map(usize::from).sum();
    HOUSE_COLOURS.get(sum % HOUSE_COLOURS.len()).copied().unwrap_or(GREY)
}
