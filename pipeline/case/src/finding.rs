use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::Basis;
use crate::{Evidence, Policy};

/// Something that is wrong with a document, or that a person should know. Data, never an error of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The published rule where one exists (`BR-CO-10`), else our own (`match.price`).
    pub rule: String,
    pub code: Code,
    pub severity: Severity,
    /// One English sentence with the figures in it.
    pub message: String,
    /// The figures by name, as decimal strings, so that the verdict can be recomputed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub operands: BTreeMap<String, String>,
    /// How the figures were compared, where that is what it comes from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub basis: Option<Box<Basis>>,
    /// The fields it is about, and where they stand.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// A finding with the severity its code has.
    pub fn new(code: Code, rule: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            rule: rule.into(),
            code,
            severity: code.severity(),
            message: message.into(),
            operands: BTreeMap::new(),
            basis: None,
            fields: Vec::new(),
            evidence: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Finding {
        self.operands.insert(name.to_owned(), value.to_string());
        self
    }

    #[must_use]
    pub fn at(mut self, field: impl Into<String>, evidence: Option<&Evidence>) -> Finding {
        self.fields.push(field.into());
        self.evidence.extend(evidence.cloned());
        self
    }
}

impl Finding {
    /// The verdict made again from the finding alone, under the limits that it names: the code that it then has, or none.
    /// What comes from no comparison stays what it is.
    pub fn again(&self) -> Option<Code> {
        self.basis.as_ref().map_or(Some(self.code), |basis| basis.judged(&self.operands))
    }

    /// The same under another policy.
    pub fn again_under(&self, policy: &Policy) -> Option<Code> {
        self.basis.as_ref().map_or(Some(self.code), |basis| basis.judged_under(&self.operands, policy))
    }
}

/// How much a finding weighs. `Info` is shown and holds nothing; `Stop` cannot be approved, only corrected or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Review,
    Hold,
    Stop,
}

macro_rules! codes {
    ($($variant:ident = $text:literal, $severity:ident, $title:literal;)+) => {
        /// The closed list of what a finding can be. Policies route by these names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[serde(rename = $text)] $variant),+ }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant),+];
            pub fn name(self) -> &'static str { match self { $(Code::$variant => $text),+ } }
            pub fn severity(self) -> Severity { match self { $(Code::$variant => Severity::$severity),+ } }
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title),+ } }
        }
    };
}

codes! {
    // The reading.
    Coverage = "COVERAGE", Hold, "Not every page was read";
    HiddenText = "HIDDEN_TEXT", Hold, "Text that no eye sees";
    HybridDiff = "HYBRID_DIFF", Hold, "The page says another amount than the data inside";
    NeedsOcr = "NEEDS_OCR", Hold, "A scan that needs text recognition";
    KindUnknown = "KIND_UNKNOWN", Stop, "Not recognised as an invoice, credit note or contract";
    Unreadable = "VALUE", Hold, "A value that cannot be understood";
    Altered = "ALTERED", Review, "The file was changed after it was signed";
    LowConfidence = "LOW_CONFIDENCE", Review, "A value that the reader is unsure of";
    ReaderNote = "READER_NOTE", Info, "A note of the reader";
    Corrected = "CORRECTED", Hold, "Corrected by a person: another one must approve";
    TrackedChanges = "TRACKED_CHANGES", Hold, "Tracked changes left in the document";
    // Required values.
    Missing = "MISSING", Hold, "A required value is missing";
    Br02 = "BR-02", Stop, "An invoice shall have an invoice number";
    Br03 = "BR-03", Stop, "An invoice shall have an issue date";
    Br05 = "BR-05", Stop, "An invoice shall have a currency";
    Br06 = "BR-06", Stop, "An invoice shall name the seller";
    Br07 = "BR-07", Stop, "An invoice shall name the buyer";
    Br12 = "BR-12", Stop, "An invoice shall have the sum of line net amounts";
    Br13 = "BR-13", Stop, "An invoice shall have a total without VAT";
    Br14 = "BR-14", Stop, "An invoice shall have a total with VAT";
    Br15 = "BR-15", Stop, "An invoice shall have an amount due";
    Br16 = "BR-16", Stop, "An invoice shall have at least one line";
    // Other published rules of the standard; the finding's rule says which.
    Standard = "STANDARD", Hold, "A rule of the invoice standard is broken";
    StandardHint = "STANDARD_HINT", Info, "The invoice standard warns of this";
    // Arithmetic.
    BrCo10 = "BR-CO-10", Stop, "The lines do not add up to their sum";
    BrCo13 = "BR-CO-13", Stop, "The total without VAT does not follow from lines, allowances and charges";
    BrCo14 = "BR-CO-14", Stop, "The VAT groups do not add up to the total VAT";
    BrCo15 = "BR-CO-15", Stop, "Total with VAT is not total without VAT plus VAT";
    BrCo16 = "BR-CO-16", Stop, "The amount due does not follow from the total";
    BrCo17 = "BR-CO-17", Stop, "A VAT group's tax is not its base times its rate";
    LineAmount = "LINE_AMOUNT", Hold, "A line's amount is not quantity times price";
    Arith = "ARITH", Hold, "The figures do not add up";
    SmallDiff = "SMALL_DIFF", Info, "A small difference, within tolerance";
    Sign = "SIGN", Hold, "An amount has the sign of the other kind of document";
    Tax = "TAX", Hold, "VAT differs from base times rate";
    TaxRate = "TAX_RATE", Hold, "The VAT rate is not the ordered one";
    // Identifiers and dates.
    Iban = "IBAN", Hold, "The IBAN's check digits are wrong";
    VatId = "VAT_ID", Review, "The VAT id's check digits are wrong";
    TaxId = "TAX_ID", Hold, "The taxpayer number's form or check digit is wrong";
    PersonalId = "PERSONAL_ID", Review, "A person's identity number stands in for a taxpayer number";
    DateFuture = "DATE_FUTURE", Hold, "Dated in the future";
    DueEarly = "DUE_EARLY", Review, "Due before it was issued";
    Stale = "STALE", Review, "Older than the policy accepts unseen";
    // Chinese invoices.
    FapiaoNumber = "FAPIAO_NUMBER", Hold, "The number is not one that the tax office gives";
    AmountWords = "AMOUNT_WORDS", Hold, "The amount in words is not the one in figures";
    QrDiff = "QR_DIFF", Hold, "The QR code says otherwise than the page";
    RedLetter = "RED_LETTER", Hold, "A reversal that does not name what it reverses";
    NoOriginal = "NO_ORIGINAL", Review, "The signed original is missing";
    Period = "PERIOD", Hold, "Dated in a period whose books are closed";
    // Twins.
    DuplicateD2 = "DUPLICATE_D2", Stop, "The same invoice is here already";
    DuplicateD3 = "DUPLICATE_D3", Hold, "The vendor's number was billed before, however it is written";
    DuplicateD4 = "DUPLICATE_D4", Hold, "The same amount within days under another number";
    DuplicateD5 = "DUPLICATE_D5", Hold, "The same invoice from another record of the vendor";
    DuplicateD6 = "DUPLICATE_D6", Hold, "The same lines on the same day under another number";
    NumberReused = "NUMBER_REUSED", Info, "The vendor used this number in another year";
    Resubmitted = "RESUBMITTED", Review, "Sent in again after it was cancelled";
    ResubmittedAgain = "RESUBMITTED_AGAIN", Hold, "Sent in again after it was cancelled more than once";
    // Matching.
    VendorUnknown = "VENDOR_UNKNOWN", Hold, "The seller is not a known vendor";
    VendorMismatch = "VENDOR_MISMATCH", Hold, "The order belongs to another vendor";
    NoPoRef = "NO_PO_REF", Review, "No order is named";
    Ambiguous = "AMBIGUOUS", Review, "It can be understood in more than one way";
    TooMany = "TOO_MANY", Hold, "There is more to compare with than is looked at";
    NoOrder = "NO_ORDER", Hold, "The order named is not known";
    OrderLine = "ORDER_LINE", Hold, "No order line fits this invoice line";
    Currency = "CURRENCY", Hold, "Invoiced in another currency than ordered";
    CurrencyLimits = "CURRENCY_LIMITS", Review, "The policy's limits are in another currency";
    Uom = "UOM", Hold, "Invoiced in another unit than ordered";
    Price = "PRICE", Hold, "Dearer than ordered, beyond tolerance";
    PriceTotal = "PRICE_TOTAL", Hold, "Everything billed of the order line is dearer than ordered, beyond tolerance";
    PriceBelow = "PRICE_BELOW", Info, "Cheaper than ordered";
    QtyOrd = "QTY_ORD", Hold, "More billed than ordered";
    QtyRec = "QTY_REC", Hold, "More billed than received";
    QtyAcc = "QTY_ACC", Hold, "More billed than accepted";
    NoGr = "NO_GR", Hold, "Billed before anything was received";
    CreditExceeds = "CREDIT_EXCEEDS", Hold, "More credited than billed";
    CreditedValue = "CREDITED_VALUE", Info, "Credits the price, and no goods";
    AmountLine = "AMOUNT_LINE", Hold, "A line without an order is above its limit";
    AmountDoc = "AMOUNT_DOC", Hold, "A document without an order is above its limit";
    Freight = "FREIGHT", Hold, "Delivery costs beyond what was planned or is tolerated";
    BlanketValue = "BLANKET_VALUE", Hold, "More billed than the blanket order is limited to";
    BlanketDate = "BLANKET_DATE", Hold, "Delivered outside the time of the blanket order";
    VendorBudget = "VENDOR_BUDGET", Hold, "The year's excesses of the vendor add up beyond its budget";
    BroughtLater = "BROUGHT_LATER", Review, "What it rests on came in or changed after it was judged first";
    // Who is paid.
    BankNew = "BANK_NEW", Hold, "To be paid to an account that is not the vendor's";
    IbanCountry = "IBAN_COUNTRY", Review, "The account is not in the vendor's country";
    BankPending = "BANK_PENDING", Hold, "To be paid to an account that two people have not confirmed yet";
    PayeeClose = "PAYEE_CLOSE", Review, "The bank says that name and account nearly match";
    PayeeMismatch = "PAYEE_MISMATCH", Hold, "The bank says that name and account do not match";
    PayeeUnchecked = "PAYEE_UNCHECKED", Review, "The bank could not compare name and account";
    AccountUnseen = "ACCOUNT_UNSEEN", Info, "Paid to an account that is not known here";
    Conflict = "CONFLICT", Hold, "To be paid to an account of an employee or of another vendor";
    PaidUnapproved = "PAID_UNAPPROVED", Hold, "Paid to an account that was not approved at that time";
    Overpaid = "OVERPAID", Hold, "More paid than is open";
    CreditOutstanding = "CREDIT_OUTSTANDING", Review, "Goods went back and were not credited";
    Split = "SPLIT", Hold, "Together with other invoices it is above a limit that each is below";
    ThresholdHug = "THRESHOLD_HUG", Review, "The vendor's invoices lie just below a limit too often";
    NewVendor = "NEW_VENDOR", Info, "The first invoices of a new vendor";
    OneHand = "ONE_HAND", Review, "One person brought in a new vendor and all that its payment rests on";
    RoundSum = "ROUND_SUM", Info, "A round amount";
    PriceCreep = "PRICE_CREEP", Info, "An item became dearer step by step";
    // Contracts that invoices are compared with.
    ContractUnknown = "CONTRACT_UNKNOWN", Hold, "The contract named is not known, or is another vendor's";
    ContractRate = "CONTRACT_RATE", Hold, "Dearer than the contract says";
    NotToExceed = "NOT_TO_EXCEED", Hold, "More billed than the contract is limited to";
    ContractExpired = "CONTRACT_EXPIRED", Hold, "Delivered outside the time of the contract";
    Terms = "TERMS", Info, "The contract says otherwise when it is due";
    // Contracts.
    Absent = "ABSENT", Hold, "A clause that must be there is missing";
    LiabilityUnlimited = "LIABILITY_UNLIMITED", Stop, "Unlimited liability";
    LiabilityOneSided = "LIABILITY_ONE_SIDED", Hold, "A cap on liability that protects one side only";
    // Posting.
    ErpRefused = "ERP_REFUSED", Hold, "The ledger refused the booking";
}

impl Code {
    pub fn named(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == text)
    }
}
