//! Does a policy let through more than the one before it? Whoever activates one that does needs a second person.

mod routes;
mod rows;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Policy;

impl Policy {
    /// How this policy lets through more than `before`, a sentence each; none where it is as tight in every respect.
    /// INVARIANT (fail closed): what cannot be shown to be as tight counts as looser. How long documents are kept is not looked
    /// at, nor what is only worth a note, nor when a checkpoint is overdue.
    pub fn looser_than(&self, before: &Policy) -> Vec<String> {
        let mut said = Vec::new();
        if self.currency != before.currency {
            let (now, then) = (&self.currency, &before.currency);
            said.push(format!("its money is {now}, where it was {then}: no amount in it is what it was"));
        }
        self.limits(before, &mut said);
        rows::looser(&self.tolerances, &before.tolerances, &mut said);
        routes::looser(self, before, &mut said);
        for clause in &before.contracts.required_clauses {
            if !self.contracts.required_clauses.contains(clause) {
                said.push(format!("the clause `{clause}` is required of a contract no more"));
            }
        }
        if before.reading.error_rate_max < self.reading.error_rate_max {
            let (now, then) = (self.reading.error_rate_max, before.reading.error_rate_max);
            said.push(format!("`reading.error_rate_max` is {now}, where it was {then}"));
        }
        said
    }

    /// The limits that are one number each, and in which direction each is looser.
    fn limits(&self, before: &Policy, said: &mut Vec<String>) {
        let limits = |it: &Policy| {
            let (dates, near) = (it.dates, it.near_limits);
            [
                ("dates.future_days", Decimal::from(dates.future_days), Looser::More),
                ("dates.stale_days", dates.stale_days.into(), Looser::More),
                ("duplicates.days", it.duplicates.days.into(), Looser::Less),
                ("splits.days", it.splits.days.into(), Looser::Less),
                ("near_limits.from_percent", near.from_percent, Looser::More),
                ("near_limits.share_percent", near.share_percent, Looser::More),
                ("near_limits.invoices_min", near.invoices_min.into(), Looser::More),
                // A share of other months is another share.
                ("near_limits.months", near.months.into(), Looser::Other),
                ("taxes.rate_percent_max", it.taxes.rate_percent_max, Looser::More),
                ("taxes.stamp_duty_max", it.taxes.stamp_duty_max, Looser::More),
                // Only a note by itself, but for a vendor that is one person's work.
                ("notes.new_vendor_days", it.notes.new_vendor_days.into(), Looser::Less),
                ("straight_through.sample_percent", it.straight_through.sample_percent.into(), Looser::Less),
            ]
        };
        for ((name, now, looser), (_, then, _)) in limits(self).into_iter().zip(limits(before)) {
            let is_looser = match looser {
                Looser::More => then < now,
                Looser::Less => now < then,
                Looser::Other => now != then,
            };
            if is_looser {
                said.push(format!("`{name}` is {now}, where it was {then}"));
            }
        }
        let closed = |it: &Policy| it.dates.closed_until.unwrap_or(Date::MIN);
        if closed(self) < closed(before) {
            let now = self.dates.closed_until.map_or_else(|| "not written".to_owned(), |day| day.to_string());
            said.push(format!("`dates.closed_until` is {now}, where it was {}", closed(before)));
        }
    }
}

enum Looser {
    More,
    Less,
    Other,
}

#[cfg(test)]
mod tests;
