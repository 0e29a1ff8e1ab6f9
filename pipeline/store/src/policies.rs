//! Policies that came into force. Their texts are kept, so that an old verdict can be understood.

use audit::Act;
use case::{Actor, POLICY_FILES, Policy, PolicyMistake, Timestamp};

use crate::db::Arg;
use crate::log::{Draft, signed};
use crate::{Error, Store};

impl Store {
    /// Enters that this policy is now in force; once, when it is the one that was in force before.
    pub async fn policy_loaded(
        &self,
        policy: &Policy,
        texts: [&str; 3],
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        let digest = policy.digest.to_string();
        let last = self.db.row("SELECT digest FROM policies ORDER BY loaded_at DESC LIMIT 1", &[]).await?;
        if last.map(|row| row.text(0).map(str::to_owned)).transpose()?.as_deref() == Some(&digest) {
            return Ok(());
        }
        let mut entry = Draft::new(Act::PolicyLoad, by);
        entry.tell("policy", &digest);
        entry.list("files", POLICY_FILES);
        let texts = serde_json::json!(POLICY_FILES.iter().zip(texts).collect::<Vec<_>>()).to_string();
        let mut tx = self.db.begin().await?;
        tx.execute(
            "INSERT INTO policies (digest, loaded_at, texts) VALUES ($1, $2, $3)
             ON CONFLICT (digest) DO UPDATE SET loaded_at = $2",
            &[Arg::Text(&digest), Arg::Int(now.0), Arg::Text(&texts)],
        )
        .await?;
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
