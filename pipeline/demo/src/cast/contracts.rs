use jiff::ToSpan;

use super::{Book, Outcome};
use crate::companies::*;
use crate::contract::{Contract, contract_docx, contract_pdf};

impl Book {
    pub(super) fn contracts(&mut self) {
        let clean = Contract {
            title: "Consulting Services Agreement".into(),
            supplier: BLUE_HARBOUR.party(),
            customer: buyer(),
            agreement_date: self.day(45),
            effective_date: self.day(31),
            expiration_date: self.day(31).saturating_add(2.years()),
            notice_days: 60,
            subject: "consulting services for the Customer’s production processes, as described in each purchase order"
                .into(),
            price: "The Supplier charges EUR 95.00 per hour. The rate is fixed until the end of this Agreement.".into(),
            payment_days: 30,
            liability: Some(CAPPED.into()),
            governing_law: Some("Germany".into()),
            signed_by: ["Ida Sommer".into(), "Jonas Albrecht".into()],
        };
        let unlimited = Contract {
            title: "Packaging Supply Agreement".into(),
            supplier: VAN_DER_MEER.party(),
            subject: "paper sacks and bags for the Customer’s mills, as described in each purchase order".into(),
            price:
                "The Supplier charges EUR 1.12 for a kraft paper bag of 25 kg and EUR 0.71 for a paper sack of 10 kg."
                    .into(),
            liability: Some(UNLIMITED.into()),
            signed_by: ["Pieter van der Meer".into(), "Jonas Albrecht".into()],
            ..clean.clone()
        };
        let silent = Contract {
            title: "Stationery Supply Agreement".into(),
            supplier: LEFEVRE.party(),
            subject: "filter paper and stationery, as described in each purchase order".into(),
            price: "The Supplier charges the prices of its list of the day of the order, less 12 per cent.".into(),
            liability: None,
            governing_law: None,
            signed_by: ["Élise Lefèvre".into(), "Jonas Albrecht".into()],
            ..clean.clone()
        };
        self.file(
            "Blue Harbour Consulting Services Agreement (signed).docx",
            "contracts",
            contract_docx(&clean),
            Outcome::LegalReview,
            "a contract on acceptable terms",
        );
        self.file(
            "Van der Meer Packaging Supply Agreement.pdf",
            "contracts",
            contract_pdf(&unlimited),
            Outcome::Held("LIABILITY_UNLIMITED"),
            "a contract with unlimited liability: legal and general counsel, hard stop",
        );
        self.file(
            "Papeterie Lefèvre Supply Agreement.docx",
            "contracts",
            contract_docx(&silent),
            Outcome::Held("ABSENT"),
            "a contract that is silent on liability and on governing law",
        );
    }
}

const CAPPED: &str = "Each party’s total liability under this Agreement, for whatever cause, is limited to the fees paid \
    or payable under this Agreement in the twelve (12) months before the event that gave rise to the claim. This limit \
    applies to both parties alike. Nothing in this Agreement limits liability for intent, gross negligence, death or \
    personal injury.";

const UNLIMITED: &str = "The liability of the Customer under this Agreement shall be unlimited. In particular the \
    Customer’s liability for a breach of its confidentiality obligations shall be unlimited and no limitation of \
    liability shall apply to it.";
