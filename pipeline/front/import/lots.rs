//! A file as lots of facts. It is read twice: before anything goes in, its columns are known to be right, and so is which row
//! of an id is its last, so that the same file again changes nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use anyhow::ensure;
use case::Fact;

use super::rows::{self, Refused};
use super::{Kind, bank, kinds};

/// Facts, or refusals, of one lot.
const LOT_MAX: usize = 2_000;

/// What a first reading says of a file. Memory: some 20 to 40 bytes a row.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) n_rows: u64,
    /// The last row of every id that several have.
    last: HashMap<u128, u64>,
    digests: Digests,
}

#[derive(Debug, Default)]
pub(super) struct Lot {
    pub(super) facts: Vec<Fact>,
    pub(super) refused: Vec<Refused>,
    /// Rows in whose place a later one of the file goes in.
    pub(super) n_replaced: u64,
    pub(super) n_rows: u64,
}

/// Two keyed hashes: nobody can make two ids look like one.
#[derive(Debug, Default)]
struct Digests(RandomState, RandomState);

impl Digests {
    fn of(&self, fact: &Fact) -> u128 {
        let id = fact.id();
        (u128::from(self.0.hash_one(&id)) << 64) | u128::from(self.1.hash_one(&id))
    }
}

pub(super) fn plan(kind: Kind, file: &Path) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    let mut seen = HashSet::new();
    each(kind, file, &mut |row, fact| {
        plan.n_rows += 1;
        if let Ok(fact) = fact {
            let digest = plan.digests.of(&fact);
            if !seen.insert(digest) {
                plan.last.insert(digest, row);
            }
        }
        Ok(())
    })?;
    Ok(plan)
}

/// Hands the facts over in lots of at most [`LOT_MAX`]; an error of `take` ends the reading.
pub(super) fn lots(
    kind: Kind,
    file: &Path,
    plan: &Plan,
    take: &mut dyn FnMut(Lot) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut lot, mut n_rows) = (Lot::default(), 0);
    each(kind, file, &mut |row, fact| {
        n_rows += 1;
        lot.n_rows += 1;
        match fact {
            Err(refused) => lot.refused.push(refused),
            Ok(fact) if plan.last.get(&plan.digests.of(&fact)).is_some_and(|last| row < *last) => lot.n_replaced += 1,
            Ok(fact) => lot.facts.push(fact),
        }
        let full = LOT_MAX <= lot.facts.len().max(lot.refused.len());
        if full { take(std::mem::take(&mut lot)) } else { Ok(()) }
    })?;
    take(lot)?;
    ensure!(n_rows == plan.n_rows, "`{}` was changed while it was imported; import it again", file.display());
    Ok(())
}

fn each(
    kind: Kind,
    file: &Path,
    take: &mut dyn FnMut(u64, Result<Fact, Refused>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(columns) = kind.columns() else {
        let payments = bank::payments(file)?;
        return (1..).zip(payments).try_for_each(|(row, payment)| take(row, Ok(Fact::Payment(payment))));
    };
    rows::each(file, columns, &mut |row| match row {
        Ok(row) => take(row.number, kinds::fact(kind, &row, columns)),
        Err(refused) => take(refused.row, Err(refused)),
    })
}

#[cfg(test)]
mod tests;
