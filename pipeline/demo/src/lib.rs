#![doc = include_str!("../README.md")]

mod cast;
mod catalogue;
mod cii;
mod companies;
mod contract;
mod factur_x;
mod hostile;
mod invoice;
mod master_data;
mod paper;
mod pdf;
mod sheet;
mod stream;
mod ubl;
mod wording;
mod xml;

pub use cast::{Cast, Document, Outcome, cast};
pub use companies::buyer;
pub use contract::{Contract, contract_docx, contract_pdf};
pub use hostile::hostile;
pub use invoice::{Format, Invoice, Line, Party, Planted, Subtotal, Totals, Vat, invoice};
pub use stream::{Stream, stream};
pub use wording::Language;

#[cfg(test)]
mod tests;
