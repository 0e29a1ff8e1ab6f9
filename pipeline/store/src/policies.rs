//! Policies that came into force, and those that wait for a second person. Their texts are kept, so that an old verdict can be
//! understood.

use audit::Act;
use case::{Actor, Deed, Denied, Digest, POLICY_FILES, Policy, PolicyMistake, Timestamp};

use crate::db::{Arg, Row, Tx};
use crate::log::{Draft, signed};
use crate::{Error, Store};

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

/// The responsibility that the second person must have.
const LEVEL: u8 = 2;

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
            tx.execute(FORGET_PROPOSALS, &[]).await?;
        }
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(if waits { Standing::Waits { looser, proposed_by } } else { Standing::InForce })
    }

    /// The policy that came into force last.
    pub async fn policy_in_force(&self) -> Result<Option<Policy>, Error> {
        self.db.row(IN_FORCE, &[]).await?.map(|row| parsed(row.text(1)?)).transpose()
    }

    /// Its digest, of one that this program cannot read too.
    pub async fn policy_digest_in_force(&self) -> Result<Option<String>, Error> {
        self.db.row(IN_FORCE, &[]).await?.map(|row| Ok(row.text(0)?.to_owned())).transpose()
    }

    /// The policy that a verdict was made under.
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

    /// A second person approves it: it comes into force the next time it is loaded.
    pub async fn approve_policy(&self, digest: &str, by: &Actor, now: Timestamp) -> Result<(), Error> {
        self.authorize(by, Deed::ApprovePolicy, now).await?;
        let row = self.db.row("SELECT proposed_by FROM policies WHERE digest = $1", &[Arg::Text(digest)]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "policy", name: digest.to_owned() })?;
        let Some(maker) = row.maybe_text(0)? else {
            let what = "nobody proposed this policy since the one in force came into force: let one person do so first, with `countersign policy propose`";
            return Err(Error::Unacceptable { what: what.to_owned() });
        };
        let mut entry = Draft::new(Act::PolicyApprove, by);
        entry.tell("policy", digest);
        entry.tell("proposed_by", maker);
        if by.level < LEVEL {
            entry.res = audit::Outcome::Denied;
            self.enter(entry, now).await?;
            return Err(Denied { needs: format!("reviewer or legal of level {LEVEL}") }.into());
        }
        if maker == by.id {
            entry.res = audit::Outcome::Denied;
            self.enter(entry, now).await?;
            let what = "whoever proposed a policy may not approve it; another person must";
            return Err(Error::Unacceptable { what: what.to_owned() });
        }
        let mut tx = self.db.begin().await?;
        tx.conn().hold_policies().await?;
        let sql = "UPDATE policies SET approved_by = $1 WHERE digest = $2 AND proposed_by = $3";
        if tx.execute(sql, &[Arg::Text(&by.id), Arg::Text(digest), Arg::Text(maker)]).await? == 0 {
            let what =
                "somebody else proposed it again just now, or another policy came into force; look again".to_owned();
            return Err(Error::Unacceptable { what });
        }
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    /// Enters that a policy was refused; the old one stays in force. What was wrong may quote the file: committed.
    pub async fn policy_refused(&self, mistake: &PolicyMistake, by: &Actor, now: Timestamp) -> Result<(), Error> {
        let mut entry = Draft::new(Act::PolicyRefuse, by);
        entry.res = audit::Outcome::Error;
        entry.tell("file", &mistake.file);
        entry.count("line", signed(mistake.line as u64)?);
        entry.hide("reason", mistake.message.clone());
        self.enter(entry, now).await
    }
}

/// Digest, texts and time of the policy that came into force last.
const IN_FORCE: &str =
    "SELECT digest, texts, loaded_at FROM policies WHERE 0 < loaded_at ORDER BY loaded_at DESC, digest LIMIT 1";

/// INVARIANT (an approval is for once): what was approved was compared with the policy that was in force then. When another one
/// comes into force, or a database is restored, it must be proposed and approved again.
pub(crate) const FORGET_PROPOSALS: &str = "UPDATE policies SET proposed_by = NULL, approved_by = NULL";

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
