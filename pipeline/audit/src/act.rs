//! The closed list of what can be done. To add an act, add a row here and the same row in the README.

/// Makes the enum and its tables from one list, so that no act can be without its description.
macro_rules! acts {
    ($($name:ident $text:literal, $meaning:literal, d: $d:literal, c: $c:literal;)+) => {
        /// What was done: `noun.verb`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Act { $(#[doc = concat!($meaning, "; `d`: ", $d, "; `c`: ", $c)] $name,)+ }

        impl Act {
            pub const ALL: &[Act] = &[$(Act::$name,)+];

            /// As it stands in an entry: `case.admit`.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Act::$name => $text,)+ }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Act> {
                match text { $($text => Some(Act::$name),)+ _ => None }
            }

            /// What it means, what `d` holds in the clear, and what `c` holds as commitments.
            #[must_use]
            pub fn meaning(self) -> (&'static str, &'static str, &'static str) {
                match self { $(Act::$name => ($meaning, $d, $c),)+ }
            }
        }
    };
}

acts! {
    CaseAdmit "case.admit", "a document arrived and became a case",
        d: "size_bytes; of what came with a mail, the mail's case and its part", c: "channel, digest, source name";
    CaseDuplicate "case.duplicate", "the same bytes arrived again",
        d: "twin case; of what came with a mail, the mail's case and its part", c: "channel, digest, source name";
    CaseExtract "case.extract", "the reader answered",
        d: "kind, format, pictures", c: "digest of the values";
    CaseQuarantine "case.quarantine", "a document could not be read",
        d: "keep_until, delete_by and row", c: "reason";
    CaseValidate "case.validate", "a document was checked by itself",
        d: "codes, policy digest", c: "digest of the findings";
    CaseReconcile "case.reconcile", "a document was matched with the facts and routed",
        d: "codes, checkpoints, policy digest; where there is no checkpoint, sample_percent of the straight-through sample", c: "digest of the findings";
    CaseRematch "case.rematch", "a case in review was matched again, because facts that it rests on had changed",
        d: "codes, codes of the holds that this released, whose approvals it took away, checkpoints, policy digest; where there is no checkpoint, sample_percent", c: "digest of the findings";
    CaseReopen "case.reopen", "something came to light about a case that was booked, and it went back to review",
        d: "codes, checkpoints", c: "digest of the finding";
    CaseArchive "case.archive", "a case was closed and its retention clock started",
        d: "keep_until, delete_by and row; of a mail, the cases of what came with it", c: "of a mail, digest of the values";
    ReviewApprove "review.approve", "a person approved at a checkpoint",
        d: "checkpoints, policy digest", c: "digest of what was seen, reason";
    ReviewReject "review.reject", "a person rejected a case",
        d: "policy digest; keep_until, delete_by and row", c: "digest of what was seen, reason";
    ReviewCorrect "review.correct", "a person corrected values",
        d: "names of the fields, policy digest", c: "digest of what was seen, reason";
    ReviewRelease "review.release", "a person released a case from quarantine",
        d: "policy digest", c: "digest of what was seen, reason";
    ReviewComment "review.comment", "a person left a comment",
        d: "size_bytes", c: "comment";
    ReviewDenied "review.denied", "a decision was refused",
        d: "rule that refused it, or the deed", c: "–";
    PostingAnswer "posting.answer", "the ERP answered, or did not",
        d: "answer", c: "reference in the ledger, or why it refused";
    DocumentView "document.view", "a person looked at a document",
        d: "part", c: "–";
    HoldPlace "hold.place", "a case was put under legal hold",
        d: "–", c: "matter, reason";
    HoldRelease "hold.release", "a case was released from a legal hold",
        d: "–", c: "matter, reason";
    RetentionStart "retention.start", "a person said when a contract or its use ended",
        d: "ended; keep_until, delete_by and row", c: "reason";
    DisposalPropose "disposal.propose", "a person proposed to erase a case",
        d: "ground", c: "digest of what was seen, reason";
    DisposalWithdraw "disposal.withdraw", "such a proposal was taken back",
        d: "ground, proposed_by", c: "digest of what was seen, reason";
    DisposalApprove "disposal.approve", "a second person approved it, and the case was erased",
        d: "ground, proposed_by", c: "digest of what was seen, reason";
    LogExport "log.export", "the log was handed out",
        d: "size, root; of how many entries the openings, if they were", c: "–";
    LogHeartbeat "log.heartbeat", "nothing happened, and the log was on",
        d: "backlog, backlog age_us", c: "–";
    LogBegin "log.begin", "a new log begins where another had to end",
        d: "origin, size and root of the log before; the size that was at hand", c: "reason";
    LogProve "log.prove", "receipts for the entries of a case were handed out",
        d: "receipts; of how many of these entries the openings", c: "–";
    LogReport "log.report", "a report about a period was made",
        d: "from, to, size", c: "–";
    LogRefuse "log.refuse", "a waiting entry was refused before sealing: this program did not write it",
        d: "why", c: "–";
    SampleCommit "sample.commit", "a sample was committed to before it was drawn",
        d: "seed digest, size, first and last entry", c: "–";
    SampleDraw "sample.draw", "a sample was drawn as committed",
        d: "seed, commit entry, cases, drawn", c: "–";
    PrivacyErase "privacy.erase", "the openings of an object were destroyed, in all its entries up to here",
        d: "of how many entries the openings; ids of the sealed files, id of the record key", c: "reason";
    PrivacySearch "privacy.search", "it was looked up what is kept about a person",
        d: "cases, rows of imported data, what could not be opened", c: "whom it was about, reason";
    PrivacyAnswer "privacy.answer", "what is kept about a person was handed out",
        d: "cases, rows of imported data, what could not be opened, files, digest of their manifest", c: "whom it was about, reason";
    PolicyLoad "policy.load", "policies came into force",
        d: "policy digest, files", c: "–";
    PolicyRefuse "policy.refuse", "policies were refused; the old ones stay in force",
        d: "file, line", c: "reason";
    PolicyWait "policy.wait", "policies that let more through than those in force wait for two people",
        d: "policy digest, files; in how many respects they do", c: "–";
    PolicyReplay "policy.replay", "policies were tried on cases of the past; nothing was changed",
        d: "policy digest, from, to, cases", c: "–";
    PolicyPropose "policy.propose", "a person proposed policies that let more through",
        d: "policy digest; in how many respects they do", c: "–";
    PolicyApprove "policy.approve", "a second person approved them",
        d: "policy digest, proposed_by", c: "–";
    FactsImport "facts.import", "orders, receipts, vendors or other facts were brought in",
        d: "kind; rows new, changed and same", c: "digest of the rows";
    PaymentSettle "payment.settle", "a payment was compared with the bills it may be for",
        d: "how many bills it settles, how many are suggested; codes", c: "digest of the settlement";
    PayeePropose "payee.propose", "an account of a vendor was brought in, and waits to be confirmed",
        d: "–", c: "vendor, account";
    PayeeConfirm "payee.confirm", "a second person confirmed an account of a vendor, after asking the vendor",
        d: "–", c: "vendor, account, call-back";
    PayeeClose "payee.close", "nothing is paid any more to an account of a vendor",
        d: "–", c: "vendor, account";
    PayeeCheck "payee.check", "it was kept what the bank said of a vendor's name and account",
        d: "result", c: "vendor, account";
    SessionLink "session.link", "a link that signs in once was made",
        d: "–", c: "–";
    SessionOpen "session.open", "a person signed in",
        d: "method", c: "address";
    SessionClose "session.close", "a session ended",
        d: "cause", c: "–";
    SessionDenied "session.denied", "a sign-in was refused",
        d: "cause", c: "account name, address";
    AccountCreate "account.create", "an account was made",
        d: "roles", c: "account name";
    AccountChange "account.change", "an account was changed or closed",
        d: "roles, state, scope", c: "–";
    KeyCreate "key.create", "a key was made",
        d: "purpose; key id or public part; the key before it", c: "–";
    KeyRotate "key.rotate", "the log is signed by a new key from here on",
        d: "the verifier keys before and after", c: "–";
    KeyRewrap "key.rewrap", "every record key is wrapped by the vault key that leads",
        d: "key, records", c: "–";
    KeyRetire "key.retire", "a vault key that nothing needs was taken out of the key file",
        d: "key", c: "–";
    KeyProtect "key.protect", "the key file is given to another custodian, or to a new key of the same one",
        d: "custodian, the one before it", c: "–";
    KeyEscrow "key.escrow", "new shares were made that bring the key file back",
        d: "set", c: "–";
    KeyRecover "key.recover", "two shares brought the key file back",
        d: "set", c: "–";
    BackupTake "backup.take", "a backup of everything was begun",
        d: "snapshot; size and root of the newest signed head", c: "–";
    BackupRestore "backup.restore", "everything was restored from a backup",
        d: "snapshot; size and root of the log in it, how many entries it was known to have had; cases erased since", c: "–";
    ServiceStart "service.start", "the service started",
        d: "size and root of the log it found", c: "–";
    ServiceStop "service.stop", "the service was stopped in order",
        d: "cause", c: "–";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_reads_back_and_the_readme_lists_exactly_these() {
        let chapter = include_str!("../README.md").split("\n## ").find(|chapter| chapter.starts_with("Acts\n"));
        let rows: Vec<&str> = chapter.unwrap_or("").lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = Act::ALL
            .iter()
            .map(|act| {
                assert_eq!(Act::parse(act.text()), Some(*act));
                let (meaning, d, c) = act.meaning();
                format!("| `{}` | {meaning} | {d} | {c} |", act.text())
            })
            .collect();
        assert_eq!(rows, expected, "the table in README.md should be:\n{}", expected.join("\n"));
    }
}
