//! Are the account and the VAT ids formed as their countries form them? What they were given for, no check digit says.

use super::{Check, Examined};
use crate::{Code, FieldName, Finding};

impl Check<'_> {
    pub(super) fn identifiers(&self, examined: &mut Examined) {
        // BT-84 may hold an account of a country without IBANs: what does not begin as one is not measured as one.
        let shaped = |text: &&String| matches!(text.as_bytes(), [a, b, c, d, ..] if [a, b].iter().all(|it| it.is_ascii_uppercase()) && [c, d].iter().all(|it| it.is_ascii_digit()));
        if let Some(iban) = self.invoice.iban.as_ref().filter(shaped)
            && iban.parse::<iban::Iban>().is_err()
        {
            let message = "the IBAN is not valid: its length or check digits are wrong for its country";
            let finding = Finding::new(Code::Iban, "check.iban", message).with("iban", iban);
            examined.findings.push(finding.at("iban", self.evidence(FieldName::Iban)));
        }
        for (name, id) in
            [(FieldName::SellerVatId, &self.invoice.seller_vat_id), (FieldName::BuyerVatId, &self.invoice.buyer_vat_id)]
        {
            if let Some(id) = id
                && crate::vat_id::check(id) == crate::vat_id::Verdict::Wrong
            {
                let message = format!(
                    "`{}` is not a valid VAT id: its form or check digits are wrong for its country",
                    name.name()
                );
                let finding = Finding::new(Code::VatId, "check.vat_id", message).with("vat_id", id);
                examined.findings.push(finding.at(name.name(), self.evidence(name)));
            }
        }
    }
}
