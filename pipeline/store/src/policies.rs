//! Policies that came into force, and those that wait for a second person. Their texts are kept, so that an old verdict can be
//! understood.

use audit::Act;
use case::{Actor, Deed, Digest, POLICY_FILES, Policy, PolicyMistake, Proposal, ProposalRefusal, Timestamp};

use crate::db::{Arg, Row, Tx};
use crate::log::{Draft, signed};
use crate::{Error, Store, boxed};

/// What became of a policy that was to come into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    InForce,
    /// It lets more through than the one in force, in these respects, which stays in force until two people have said so.
    Waits {
        looser: Vec<String>,
        proposed_by: Option<String>,
    },
}

/// What is in force, and what one person proposed and no second one let through yet.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    pub in_force: Option<InForce>,
    pub proposed: Vec<Proposed>,
}

#[derive(Clone, Debug)]
pub struct InForce {
    pub digest: String,
    pub since: Timestamp,
    /// Nobody, where it came into force by itself, being as tight as the one before, or was brought back from a backup.
    pub by: Proposal,
}

#[derive(Clone, Debug)]
pub struct Proposed {
    pub digest: String,
    pub by: Proposal,
    /// How it lets through more than the one in force, a sentence each.
    pub looser: Vec<String>,
}

/// The texts of [`POLICY_FILES`], in that order.
type Texts<'a> = [&'a str; POLICY_FILES.len()];

impl Store {
    /// Puts this policy in force and enters it; once, when it is the one that was in force before.
    ///
    /// INVARIANT (two people loosen): one that lets more through than the one in force comes into force only when one person
    /// proposed it and another one approved it.
    pub async fn policy_loaded(
        &self,
        policy: &Policy,
        texts: Texts<'_>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        let digest = policy.digest.to_string();
        if self.policy_digest_in_force().await?.as_ref() == Some(&digest) {
            return Ok(Standing::InForce);
        }
        let mut tx = self.db.begin().await?;
        tx.conn().hold_policies().await?;
        let before = tx.row(IN_FORCE, &[]).await?;
        let looser = looser_than(policy, before.as_ref())?;
        let sql = "SELECT proposed_by, approved_by FROM policies WHERE digest = $1";
        let row = tx.row(sql, &[Arg::Text(&digest)]).await?;
        let (proposed_by, approved_by) = match &row {
            Some(row) => (row.maybe_text(0)?.map(str::to_owned), row.maybe_text(1)?),
            None => (None, None),
        };
        let waits = !looser.is_empty() && approved_by.is_none();
        let known = row.is_some();
        if waits && known {
            return Ok(Standing::Waits { looser, proposed_by });
        }
        let mut entry = Draft::new(if waits { Act::PolicyWait } else { Act::PolicyLoad }, by);
        entry.tell("policy", &digest);
        entry.list("files", POLICY_FILES);
        if !looser.is_empty() {
            entry.count("looser", signed(looser.len() as u64)?);
        }
        if waits {
            write(&mut tx, &digest, texts, 0).await?;
        } else {
            // After the one before it, whatever the clocks of two nodes say.
            let after = before.map(|before| before.int(2)).transpose()?.unwrap_or(0);
            write(&mut tx, &digest, texts, now.0.max(after + 1)).await?;
            tx.execute(FORGET_OTHERS, &[Arg::Text(&digest)]).await?;
        }
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(if waits { Standing::Waits { looser, proposed_by } } else { Standing::InForce })
    }

    /// The policy that came into force last, and those that wait for a second person, or for the folder since one let them
    /// through.
    #[boxed]
    pub async fn policies(&self) -> Result<Policies, Error> {
        let before = self.db.row(IN_FORCE, &[]).await?;
        let in_force = before.as_ref().map(|row| {
            let by = Proposal { proposed_by: owned(row, 3)?, approved_by: owned(row, 4)? };
            Ok::<_, Error>(InForce { digest: row.text(0)?.to_owned(), since: Timestamp(row.int(2)?), by })
        });
        let in_force = in_force.transpose()?;
        let mut proposed = Vec::new();
        for row in self.db.rows(PROPOSED, &[]).await? {
            let digest = row.text(0)?.to_owned();
            if in_force.as_ref().is_some_and(|it| it.digest == digest) {
                continue;
            }
            let looser = match parsed(row.text(1)?) {
                Ok(policy) => looser_than(&policy, before.as_ref())?,
                Err(Error::Unacceptable { what }) => vec![what],
                Err(err) => return Err(err),
            };
            let by = Proposal { proposed_by: owned(&row, 2)?, approved_by: owned(&row, 3)? };
            proposed.push(Proposed { digest, by, looser });
        }
        Ok(Policies { in_force, proposed })
    }

    /// How many policies wait for a second person.
    #[boxed]
    pub async fn n_policies_waiting(&self) -> Result<u64, Error> {
        let sql = "SELECT COUNT(*) FROM policies WHERE proposed_by IS NOT NULL AND approved_by IS NULL";
        Ok(self.db.row(sql, &[]).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
    }

    /// The policy that came into force last.
    #[boxed]
    pub async fn policy_in_force(&self) -> Result<Option<Policy>, Error> {
        self.db.row(IN_FORCE, &[]).await?.map(|row| parsed(row.text(1)?)).transpose()
    }

    /// How a policy lets through more than the one in force, a sentence each; nothing is written.
    #[boxed]
    pub async fn looser_than_in_force(&self, policy: &Policy) -> Result<Vec<String>, Error> {
        looser_than(policy, self.db.row(IN_FORCE, &[]).await?.as_ref())
    }

    /// Its digest, of one that this program cannot read too.
    #[boxed]
    pub async fn policy_digest_in_force(&self) -> Result<Option<String>, Error> {
        self.db.row(IN_FORCE, &[]).await?.map(|row| Ok(row.text(0)?.to_owned())).transpose()
    }

    /// The policy that a verdict was made under.
    #[boxed]
    pub async fn policy_of(&self, digest: &Digest) -> Result<Policy, Error> {
        let digest = digest.to_string();
        let row = self.db.row("SELECT texts FROM policies WHERE digest = $1", &[Arg::Text(&digest)]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "policy", name: digest.clone() })?;
        parsed(row.text(0)?)
    }

    /// One person proposes a policy that lets more through. It waits for another one.
    pub async fn propose_policy(
        &self,
        policy: &Policy,
        texts: Texts<'_>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        self.authorize(by, Deed::LoadPolicy, now).await?;
        let mut tx = self.db.begin().await?;
        tx.conn().hold_policies().await?;
        let looser = looser_than(policy, tx.row(IN_FORCE, &[]).await?.as_ref())?;
        if looser.is_empty() {
            drop(tx);
            return self.policy_loaded(policy, texts, by, now).await;
        }
        let digest = policy.digest.to_string();
        let mut entry = Draft::new(Act::PolicyPropose, by);
        entry.tell("policy", &digest);
        entry.count("looser", signed(looser.len() as u64)?);
        write(&mut tx, &digest, texts, 0).await?;
        let sql = "UPDATE policies SET proposed_by = $1, approved_by = NULL WHERE digest = $2";
        tx.execute(sql, &[Arg::Text(&by.id), Arg::Text(&digest)]).await?;
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        Ok(Standing::Waits { looser, proposed_by: Some(by.id.clone()) })
    }

    /// A second person approves it: it comes into force the next time it is loaded. `over` is the digest of the policy in force
    /// that they saw it compared with, where they looked at that.
    #[boxed]
    pub async fn approve_policy(
        &self,
        digest: &str,
        over: Option<&str>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.authorize(by, Deed::ApprovePolicy, now).await?;
        let mut tx = self.db.begin().await?;
        tx.conn().hold_policies().await?;
        let sql = "SELECT proposed_by, approved_by FROM policies WHERE digest = $1";
        let row = tx.row(sql, &[Arg::Text(digest)]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "policy", name: digest.to_owned() })?;
        let proposal = Proposal { proposed_by: owned(&row, 0)?, approved_by: owned(&row, 1)? };
        let in_force = tx.row(IN_FORCE, &[]).await?.map(|row| Ok::<_, Error>(row.text(0)?.to_owned())).transpose()?;
        let mut entry = Draft::new(Act::PolicyApprove, by);
        entry.tell("policy", digest);
        if let Some(maker) = &proposal.proposed_by {
            entry.tell("proposed_by", maker);
        }
        let stale = over.is_some() && in_force.as_deref() != over;
        let refusal = match proposal.may_approve(by) {
            Ok(()) if stale => Some(ProposalRefusal::Stale),
            other => other.err(),
        };
        if let Some(refusal) = refusal {
            if matches!(refusal, ProposalRefusal::Level { .. } | ProposalRefusal::Maker) {
                entry.res = audit::Outcome::Denied;
                self.write_entry(&mut tx, entry, now).await?;
                tx.commit().await?;
                self.bell.notify_one();
            }
            return Err(refusal.into());
        }
        let sql = "UPDATE policies SET approved_by = $1 WHERE digest = $2";
        tx.execute(sql, &[Arg::Text(&by.id), Arg::Text(digest)]).await?;
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    /// Enters that a policy was refused; the old one stays in force. What was wrong may quote the file: committed.
    #[boxed]
    pub async fn policy_refused(&self, mistake: &PolicyMistake, by: &Actor, now: Timestamp) -> Result<(), Error> {
        let mut entry = Draft::new(Act::PolicyRefuse, by);
        entry.res = audit::Outcome::Error;
        entry.tell("file", &mistake.file);
        entry.count("line", signed(mistake.line as u64)?);
        entry.hide("reason", mistake.message.clone());
        self.enter(entry, now).await
    }
}

/// Digest, texts, time and people of the policy that came into force last.
const IN_FORCE: &str = "SELECT digest, texts, loaded_at, proposed_by, approved_by FROM policies WHERE 0 < loaded_at
                        ORDER BY loaded_at DESC, digest LIMIT 1";

const PROPOSED: &str =
    "SELECT digest, texts, proposed_by, approved_by FROM policies WHERE proposed_by IS NOT NULL ORDER BY digest";

/// INVARIANT (an approval is for once): what was approved was compared with the policy that was in force then. When another one
/// comes into force, or a database is restored, it must be proposed and approved again.
pub(crate) const FORGET_PROPOSALS: &str = "UPDATE policies SET proposed_by = NULL, approved_by = NULL";
/// Who let the one through that comes into force is kept until the next one does.
const FORGET_OTHERS: &str = "UPDATE policies SET proposed_by = NULL, approved_by = NULL WHERE digest <> $1";

/// How the policy lets through more than the one in force. With one that this program cannot read, such as one of an older
/// version, it cannot be compared: that counts as looser.
fn looser_than(policy: &Policy, in_force: Option<&Row>) -> Result<Vec<String>, Error> {
    let Some(row) = in_force else { return Ok(Vec::new()) };
    match parsed(row.text(1)?) {
        Ok(before) => Ok(policy.looser_than(&before)),
        Err(Error::Unacceptable { what }) => Ok(vec![format!("nothing shows that it lets no more through: {what}")]),
        Err(err) => Err(err),
    }
}

/// Keeps the texts; `loaded_at` 0 is a policy that is not in force.
async fn write(tx: &mut Tx, digest: &str, texts: Texts<'_>, loaded_at: i64) -> Result<(), Error> {
    let texts = serde_json::json!(POLICY_FILES.iter().zip(texts).collect::<Vec<_>>()).to_string();
    let sql = "INSERT INTO policies (digest, loaded_at, texts) VALUES ($1, $2, $3)
               ON CONFLICT (digest) DO UPDATE SET loaded_at = CASE WHEN $2 = 0 THEN policies.loaded_at ELSE $2 END";
    tx.execute(sql, &[Arg::Text(digest), Arg::Int(loaded_at), Arg::Text(&texts)]).await?;
    Ok(())
}

fn owned(row: &Row, column: usize) -> Result<Option<String>, Error> {
    Ok(row.maybe_text(column)?.map(str::to_owned))
}

fn parsed(texts: &str) -> Result<Policy, Error> {
    let files: Vec<(String, String)> = serde_json::from_str(texts).map_err(|err| Error::json("a policy", &err))?;
    let texts: Vec<&str> = POLICY_FILES
        .iter()
        .filter_map(|name| files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str()))
        .collect();
    let texts: Texts<'_> =
        texts.try_into().map_err(|_| Error::Row { what: "a policy lacks one of its files".to_owned() })?;
    Policy::parse(texts).map_err(|mistake| Error::Unacceptable {
        what: format!("the policy that was in force cannot be read by this program: {mistake}"),
    })
}
