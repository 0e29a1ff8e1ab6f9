use jiff::civil::Date;

use crate::invoice::Party;
use crate::paper::{self, GREY, HAIRLINE, Paper, bold, regular};
use crate::sheet::{XML, archive};
use crate::wording::Language;
use crate::xml::escaped;

/// A framework contract of a supplier with a customer, in English.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    pub title: String,
    pub supplier: Party,
    pub customer: Party,
    /// The day it was signed.
    pub agreement_date: Date,
    pub effective_date: Date,
    pub expiration_date: Date,
    /// Either party may end it with this notice.
    pub notice_days: u16,
    /// What is delivered, as the end of "The Supplier shall provide …".
    pub subject: String,
    /// The price terms, a sentence.
    pub price: String,
    pub payment_days: u16,
    /// The words of the liability clause.
    pub liability: Option<String>,
    /// As the end of "… governed by the laws of …".
    pub governing_law: Option<String>,
    /// Who signs for the supplier and for the customer.
    pub signed_by: [String; 2],
}

/// What a contract consists of, whatever it is written on.
enum Block {
    Title(String),
    Heading(String),
    Paragraph(String),
    /// Company, name of the person who signed, day.
    Signature(String, String, String),
}

/// A DOCX of the fewest parts a word processor opens; headings are headings.
pub fn contract_docx(contract: &Contract) -> Vec<u8> {
    let mut body = String::new();
    for block in blocks(contract) {
        match block {
            Block::Title(text) => body.push_str(&paragraph("Title", &text)),
            Block::Heading(text) => body.push_str(&paragraph("Heading1", &text)),
            Block::Paragraph(text) => body.push_str(&paragraph("Normal", &text)),
            Block::Signature(company, person, date) => {
                body.push_str(&paragraph("Normal", &format!("Signed for and on behalf of {company}")));
                body.push_str(&paragraph("Normal", &format!("Signature: /s/ {person}")));
                body.push_str(&paragraph("Normal", &format!("Name: {person}")));
                body.push_str(&paragraph("Normal", &format!("Date: {date}")));
            }
        }
    }
    let document = format!(
        "{XML}<w:document xmlns:w=\"{WORD}\"><w:body>{body}<w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/>\
         <w:pgMar w:top=\"1418\" w:right=\"1418\" w:bottom=\"1418\" w:left=\"1418\" w:header=\"709\" w:footer=\"709\" \
         w:gutter=\"0\"/></w:sectPr></w:body></w:document>"
    );
    archive(&[
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", ROOT_RELATIONS),
        ("word/document.xml", &document),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS),
        ("word/styles.xml", STYLES),
    ])
}

/// The same on paper: A4, wrapped, as many pages as it needs.
pub fn contract_pdf(contract: &Contract) -> Vec<u8> {
    const LEFT: f32 = 72.0;
    const RIGHT: f32 = 523.0;
    const TOP: f32 = 84.0;
    const BOTTOM: f32 = 760.0;
    let mut page = Paper::default();
    page.new_page();
    let mut y = TOP;
    for block in blocks(contract) {
        let (style, leading, space_before, text) = match block {
            Block::Title(text) => (bold(18.0), 24.0, 0.0, text),
            Block::Heading(text) => (bold(11.0), 15.0, 14.0, text),
            Block::Paragraph(text) => (regular(10.0), 14.0, 5.0, text),
            Block::Signature(company, person, date) => {
                if BOTTOM < y + 96.0 {
                    page.new_page();
                    y = TOP;
                }
                y += 30.0;
                page.text(LEFT, y, regular(10.0), &format!("Signed for and on behalf of {company}"));
                page.text(LEFT, y + 22.0, regular(10.0), &format!("/s/ {person}"));
                page.rule(LEFT, LEFT + 220.0, y + 27.0, 0.5, GREY);
                page.text(LEFT, y + 40.0, regular(9.0), &format!("Name: {person}"));
                page.text(LEFT, y + 53.0, regular(9.0), &format!("Date: {date}"));
                y += 60.0;
                continue;
            }
        };
        let lines = style.wrapped(&text, RIGHT - LEFT);
        // A heading stays with the paragraph under it.
        let wanted = if style.size == 11.0 { 60.0 } else { leading };
        y += space_before;
        if BOTTOM < y + wanted {
            page.new_page();
            y = TOP;
        }
        for line in lines {
            if BOTTOM < y + leading {
                page.new_page();
                y = TOP;
            }
            y += leading;
            page.text(LEFT, y, style, &line);
        }
    }
    let n_pages = page.n_pages();
    for page_idx in 0..n_pages {
        page.go_to(page_idx);
        page.rule(LEFT, RIGHT, 790.0, 0.5, HAIRLINE);
        page.text(LEFT, 803.0, regular(8.0).colour(GREY), &contract.title);
        page.text_to(RIGHT, 803.0, regular(8.0).colour(GREY), &format!("Page {} of {n_pages}", page_idx + 1));
    }
    paper::bytes(page.document(&contract.title, &contract.supplier.name))
}

fn blocks(contract: &Contract) -> Vec<Block> {
    let date = |date| Language::English.date(date);
    let (supplier, customer) = (&contract.supplier, &contract.customer);
    let mut blocks = vec![
        Block::Title(contract.title.clone()),
        Block::Paragraph(format!(
            "This {} (the “Agreement”) is entered into on {} by and between",
            contract.title,
            date(contract.agreement_date)
        )),
        Block::Paragraph(format!("{} (the “Supplier”), and", domicile(supplier))),
        Block::Paragraph(format!("{} (the “Customer”).", domicile(customer))),
        Block::Paragraph(
            "The Supplier and the Customer are each a “party” and together the “parties”. They agree as follows."
                .into(),
        ),
    ];
    for (idx, (heading, paragraphs)) in clauses(contract).into_iter().enumerate() {
        let number = idx + 1;
        blocks.push(Block::Heading(format!("{number}. {heading}")));
        for (idx, paragraph) in paragraphs.into_iter().enumerate() {
            blocks.push(Block::Paragraph(format!("{number}.{} {paragraph}", idx + 1)));
        }
    }
    blocks.push(Block::Paragraph("The parties have signed this Agreement on the dates written below.".into()));
    for (party, person) in [supplier, customer].into_iter().zip(&contract.signed_by) {
        blocks.push(Block::Signature(party.name.clone(), person.clone(), date(contract.agreement_date)));
    }
    blocks
}

fn domicile(party: &Party) -> String {
    format!("{}, {}, {} {}, {}", party.name, party.street, party.postcode, party.city, party.country)
}

fn clauses(contract: &Contract) -> Vec<(&'static str, Vec<String>)> {
    let date = |date| Language::English.date(date);
    let mut clauses = vec![
        ("Scope", vec![
            format!("The Supplier shall provide {}.", contract.subject),
            "Each call-off is made by a written purchase order that names this Agreement. Terms printed on an order or an invoice do not change this Agreement.".into(),
        ]),
        ("Prices and Payment", vec![
            contract.price.clone(),
            format!("Invoices are payable within {} days after receipt of a correct invoice. Value added tax is added at the statutory rate.", contract.payment_days),
        ]),
        ("Delivery and Acceptance", vec![
            "The Supplier delivers on the date of the purchase order. The Customer inspects what was delivered within ten working days and gives notice of defects it finds.".into(),
            "Title passes to the Customer on delivery.".into(),
        ]),
        ("Warranty", vec![
            "The Supplier warrants that what it delivers conforms to the purchase order for a period of 24 months after delivery. It repairs or replaces what does not, free of charge.".into(),
        ]),
        ("Confidentiality", vec![
            "Each party keeps the confidential information of the other party secret, uses it for this Agreement only, and protects it with reasonable care. This obligation lasts for three years after the end of this Agreement.".into(),
        ]),
    ];
    if let Some(liability) = &contract.liability {
        clauses.push(("Limitation of Liability", vec![liability.clone()]));
    }
    clauses.extend([
        ("Force Majeure", vec![
            "Neither party is responsible for a delay that is caused by an event beyond its reasonable control, as long as the event lasts and the other party has been told without delay.".into(),
        ]),
        ("Term and Termination", vec![
            format!(
                "This Agreement takes effect on {} (the “Effective Date”) and expires on {}. It is not renewed automatically.",
                date(contract.effective_date), date(contract.expiration_date),
            ),
            format!("Either party may terminate this Agreement for convenience by giving {} days’ prior written notice.", contract.notice_days),
            "Either party may terminate with immediate effect if the other party commits a material breach and does not remedy it within thirty days after written notice.".into(),
        ]),
    ]);
    if let Some(law) = &contract.governing_law {
        clauses.push(("Governing Law and Jurisdiction", vec![format!(
            "This Agreement is governed by the laws of {law}. The courts of {} have exclusive jurisdiction over disputes that arise out of it.",
            contract.customer.city,
        )]));
    }
    clauses.push(("General", vec![
        "This Agreement contains everything the parties have agreed on its subject. Changes are made in writing and signed by both parties.".into(),
        "If a provision is invalid, the other provisions remain in force.".into(),
    ]));
    clauses
}

fn paragraph(style: &str, text: &str) -> String {
    format!(
        "<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
        escaped(text)
    )
}

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>"#;

const ROOT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

const DOCUMENT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:pPr><w:spacing w:after="120" w:line="276" w:lineRule="auto"/></w:pPr><w:rPr><w:rFonts w:ascii="Arial" w:hAnsi="Arial"/><w:sz w:val="20"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:after="240"/></w:pPr><w:rPr><w:b/><w:sz w:val="36"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="240"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/><w:sz w:val="22"/></w:rPr></w:style></w:styles>"#;
