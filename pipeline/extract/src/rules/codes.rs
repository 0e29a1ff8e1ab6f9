//! The code lists that EN 16931-1 and the CEF names, as of 2026, one file each: codes in the order of their bytes, with a space
//! or a line end between them. Sources: ISO 4217, ISO 3166-1 (with `1A` Kosovo and `XI` Northern Ireland), ISO 6523 ICD,
//! the CEF's EAS and VATEX lists, UNTDID 1001, 1153, 4451, 4461, 5189, 7143, 7161, and UNECE Recommendations 20 and 21.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Addresses,
    AllowanceReasons,
    ChargeReasons,
    Classifications,
    Countries,
    CreditNoteTypes,
    Currencies,
    Exemptions,
    InvoiceTypes,
    NoteSubjects,
    PaymentMeans,
    References,
    Schemes,
    Units,
    VatCategories,
}

impl List {
    /// For tests that look at all of them.
    #[cfg(test)]
    pub(crate) const ALL: [List; 15] = [
        List::Addresses,
        List::AllowanceReasons,
        List::ChargeReasons,
        List::Classifications,
        List::Countries,
        List::CreditNoteTypes,
        List::Currencies,
        List::Exemptions,
        List::InvoiceTypes,
        List::NoteSubjects,
        List::PaymentMeans,
        List::References,
        List::Schemes,
        List::Units,
        List::VatCategories,
    ];

    pub(crate) fn codes(self) -> &'static str {
        match self {
            List::Addresses => include_str!("codes/eas.txt"),
            List::AllowanceReasons => include_str!("codes/untdid_5189.txt"),
            List::ChargeReasons => include_str!("codes/untdid_7161.txt"),
            List::Classifications => include_str!("codes/untdid_7143.txt"),
            List::Countries => include_str!("codes/iso_3166.txt"),
            List::CreditNoteTypes => include_str!("codes/untdid_1001_credit_note.txt"),
            List::Currencies => include_str!("codes/iso_4217.txt"),
            List::Exemptions => include_str!("codes/vatex.txt"),
            List::InvoiceTypes => include_str!("codes/untdid_1001_invoice.txt"),
            List::NoteSubjects => include_str!("codes/untdid_4451.txt"),
            List::PaymentMeans => include_str!("codes/untdid_4461.txt"),
            List::References => include_str!("codes/untdid_1153.txt"),
            List::Schemes => include_str!("codes/iso_6523.txt"),
            List::Units => include_str!("codes/rec_20_21.txt"),
            List::VatCategories => "AE B E G K L M O S Z",
        }
    }
}

/// Is the code on the list? The lists are searched as they lie, because the reader lives for one document.
pub(crate) fn lists(list: List, code: &str) -> bool {
    let codes = list.codes().as_bytes();
    let gap = |it: &u8| *it == b' ' || *it == b'\n';
    let (mut from, mut to) = (0, codes.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let start = codes.get(from..middle).and_then(|it| it.iter().rposition(gap)).map_or(from, |at| from + at + 1);
        let end = codes.get(middle..to).and_then(|it| it.iter().position(gap)).map_or(to, |at| middle + at);
        let found = codes.get(start..end.max(start)).unwrap_or_default();
        match found.cmp(code.as_bytes()) {
            std::cmp::Ordering::Equal => return !code.is_empty(),
            std::cmp::Ordering::Less => from = end + 1,
            std::cmp::Ordering::Greater => to = start.saturating_sub(1).max(from),
        }
    }
    false
}
