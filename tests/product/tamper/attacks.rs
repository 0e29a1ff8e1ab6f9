use super::*;

/// Statements that belong together; `;;` parts them.
struct Attack {
    name: &'static str,
    sql: &'static str,
    /// What the check speaks of, and what it says; `*` is anything.
    about: &'static str,
    says: &'static str,
}

const fn attack(name: &'static str, sql: &'static str, about: &'static str, says: &'static str) -> Attack {
    Attack { name, sql, about, says }
}

const ATTACKS: &[Attack] = &[
    // The log
    attack(
        "an entry is put in the place of another",
        "UPDATE log_entries SET leaf = (SELECT leaf FROM log_entries WHERE position = 10) WHERE position = 20",
        "entry 20",
        "it says it is entry 10",
    ),
    attack(
        "two entries change places",
        "CREATE TABLE kept AS SELECT leaf FROM log_entries WHERE position = 30;;
         UPDATE log_entries SET leaf = (SELECT leaf FROM log_entries WHERE position = 31) WHERE position = 30;;
         UPDATE log_entries SET leaf = (SELECT leaf FROM kept) WHERE position = 31",
        "entry 30",
        "it says it is entry 31",
    ),
    attack("an entry is deleted", "DELETE FROM log_entries WHERE position = 12", "entry 13", "entry 12 is missing before it"),
    attack("the first entry is deleted", "DELETE FROM log_entries WHERE position = 0", "entry 1", "entry 0 is missing before it"),
    attack(
        "the last entry is deleted",
        "DELETE FROM log_entries WHERE position = (SELECT MAX(position) FROM log_entries)",
        "the log's tail",
        "it says * entries, * are there",
    ),
    attack("the log is emptied", "DELETE FROM log_entries", "the log's tail", "it says * entries, 0 are there"),
    attack(
        "entries are numbered on to hide a deletion",
        "DELETE FROM log_entries WHERE position = 40;; UPDATE log_entries SET position = position + 1000000 WHERE position > 40;;
         UPDATE log_entries SET position = position - 1000001 WHERE position > 1000000",
        "entry 40",
        "it says it is entry 41",
    ),
    attack(
        "an entry is told to be about another object",
        "UPDATE log_entries SET object = 'other' WHERE position = 15",
        "entry 15",
        "the columns beside it name another entry or object",
    ),
    attack(
        "an entry gets another id",
        "UPDATE log_entries SET entry_id = '0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b' WHERE position = 16",
        "entry 16",
        "the columns beside it name another entry or object",
    ),
    attack(
        "an entry is told to be another revision",
        "UPDATE log_entries SET revision = 77 WHERE position = (SELECT MIN(position) FROM log_entries WHERE revision IS NOT NULL)",
        "entry *",
        "the columns beside it name another entry or object",
    ),
    attack("the log's end is set back", "UPDATE log_tail SET size = size - 1", "the log's tail", "*not written by this program"),
    attack("the log's clock is set ahead", "UPDATE log_tail SET sealed_at = sealed_at + 1", "the log's tail", "*not written by this program"),
    attack(
        "the log's root is replaced",
        "UPDATE log_tail SET frontier = last_leaf",
        "the log's tail",
        "*",
    ),
    attack("the log's end is signed with nonsense", "UPDATE log_tail SET mac = last_leaf", "the log's tail", "*not written by this program"),
    attack("the log is renamed", "UPDATE log_tail SET origin = 'audit.evil.example/x/1'", "*the log's tail", "*not written by this program"),
    attack(
        "the newest head is deleted",
        "DELETE FROM log_heads WHERE size = (SELECT MAX(size) FROM log_heads)",
        "head *",
        "it was signed here, and it is not there",
    ),
    attack("a head is moved to another size", "UPDATE log_heads SET size = size - 1 WHERE size = (SELECT MAX(size) FROM log_heads)", "head *", "it is the head of * entries"),
    attack("a head is scribbled over", "UPDATE log_heads SET note = 'nothing to see'", "head *", "*"),
    attack(
        "openings are deleted",
        "DELETE FROM log_openings WHERE object = (SELECT MIN(case_id) FROM cases)",
        "object *",
        "openings of its entries are gone, and no entry says that they were erased",
    ),
    attack(
        "the opening of why a case was erased is deleted",
        "DELETE FROM log_openings WHERE object IN (SELECT case_id FROM cases WHERE state = 'Erased')",
        "object *",
        "openings of its entries are gone, and no entry says that they were erased",
    ),
    attack(
        "openings are swapped",
        "UPDATE log_openings SET body = (SELECT body FROM log_openings WHERE entry_id = (SELECT MAX(entry_id) FROM log_openings))
         WHERE entry_id = (SELECT MIN(entry_id) FROM log_openings)",
        "entry *",
        "its openings: *",
    ),
    // Cases
    attack("a case is told to be approved", "UPDATE cases SET state = 'Approved' WHERE case_id = $HELD", "case *", "its row says Approved at revision *"),
    attack("a case is told to be another revision", "UPDATE cases SET revision = revision + 1 WHERE case_id = $HELD", "case *", "its row says *"),
    attack(
        "a case gets the values of another",
        "UPDATE cases SET body = (SELECT body FROM cases WHERE case_id = $BOOKED) WHERE case_id = $HELD",
        "case *",
        "its values cannot be opened: *",
    ),
    attack("a case's last entry is replaced", "UPDATE cases SET last_entry = digest_key WHERE case_id = $HELD", "case *", "its last entry is not the one that the log has"),
    attack("a case is told to be another kind", "UPDATE cases SET kind = 'order' WHERE case_id = $HELD", "case *", "its kind in the table is not the one*"),
    attack("a case is told to have come by another channel", "UPDATE cases SET channel = 'other' WHERE case_id = $HELD", "case *", "its channel in the table*"),
    attack("a case is told to have come later", "UPDATE cases SET received_at = received_at + 1 WHERE case_id = $HELD", "case *", "its time of arrival in the table*"),
    attack("a decision is given more time", "UPDATE cases SET due_at = due_at + 86400000000 WHERE case_id = $HELD", "case *", "its due time in the table*"),
    attack(
        "a document is made to be taken in a second time",
        "UPDATE cases SET digest_key = last_entry WHERE case_id = $BOOKED",
        "case *",
        "its digest in the table*",
    ),
    attack(
        "a case is deleted",
        "DELETE FROM work WHERE case_id = $HELD;; DELETE FROM waiting WHERE case_id = $HELD;; DELETE FROM woken WHERE case_id = $HELD;;
         DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $HELD);; DELETE FROM facts WHERE case_id = $HELD;;
         DELETE FROM case_terms WHERE case_id = $HELD;; DELETE FROM arrivals WHERE case_id = $HELD;; DELETE FROM cases WHERE case_id = $HELD",
        "case *",
        "the log knows it, and it is not there",
    ),
    attack("an arrival is deleted", "DELETE FROM arrivals WHERE case_id = $HELD AND duplicate = 0", "case *", "the files that arrived as it are not those that the log knows"),
    attack(
        "an arrival is invented",
        "INSERT INTO arrivals (arrival_id, channel, duplicate, case_id, arrived_at) SELECT 'x', channel, 1, case_id, received_at FROM cases WHERE case_id = $HELD",
        "case *",
        "the files that arrived as it are not those that the log knows",
    ),
    attack("a held case is sent to be booked", "INSERT INTO work (case_id, revision, action, attempt, ready_at) SELECT case_id, revision, 'Send', 0, 0 FROM cases WHERE case_id = $HELD", "case *", "it is InReview and has work"),
    attack(
        "a duplicate is made not to be found",
        "DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $BOOKED)",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack("a case is made not to be found", "DELETE FROM case_terms WHERE case_id = $BOOKED", "case *", "whoever searches for it would not find it*"),
    attack(
        "the key of a case is destroyed",
        "DELETE FROM record_keys WHERE owner = $BOOKED",
        "case *",
        "its values cannot be opened*",
    ),
    attack("a hold is taken off a case", "UPDATE cases SET n_holds = 0 WHERE n_holds = 1", "case *", "its number of holds*"),
    attack(
        "a case is made to look like a duplicate",
        "INSERT INTO fact_keys (lookup_key, fact_id) SELECT digest_key, fact_id FROM facts WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack(
        "what an order was billed is forgotten",
        "DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $BOOKED);;
         DELETE FROM facts WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack(
        "what an order was billed is told to be over",
        "UPDATE facts SET known_to = known_from WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack(
        "what an order was billed is replaced",
        "UPDATE facts SET body = (SELECT body FROM cases WHERE case_id = $BOOKED) WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    // Master data, policies, accounts
    attack(
        "a vendor gets the bank account of another",
        "UPDATE facts SET body = (SELECT body FROM facts WHERE kind = 'accounts' ORDER BY fact_id DESC LIMIT 1)
         WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'accounts')",
        "facts/*",
        "*",
    ),
    attack(
        "an order line gets the price of another",
        "UPDATE facts SET body = (SELECT body FROM facts WHERE kind = 'orders' ORDER BY fact_id DESC LIMIT 1)
         WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'orders')",
        "facts/*",
        "*",
    ),
    attack(
        "a receipt is said to be somebody else's word",
        "UPDATE facts SET known_by = 'usr_other' WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'receipts')",
        "facts/*",
        "*",
    ),
    attack(
        "a receipt is put under another order",
        "UPDATE fact_keys SET lookup_key = (SELECT lookup_key FROM fact_keys ORDER BY lookup_key DESC LIMIT 1)
         WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'receipts')",
        "facts/*",
        "it is not found under its keys",
    ),
    attack(
        "a receipt is given a digest",
        "UPDATE facts SET digest_key = fact_key WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'receipts')",
        "facts/*",
        "its digest or kind is not that of what was sealed",
    ),
    attack("a policy is rewritten after the fact", "UPDATE policies SET texts = '[]'", "policy *", "its texts are not those of*"),
    attack(
        "a vendor's account is told to be known no more",
        "UPDATE facts SET known_to = known_from + 1 WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'accounts')",
        "facts/*",
        "it is not known from its beginning until the next version of it",
    ),
    attack(
        "a policy is told to be approved",
        "UPDATE policies SET proposed_by = 'usr_a', approved_by = 'usr_b'",
        "policy *",
        "it stands as approved, and the log has nobody who approved it",
    ),
    attack(
        "a policy is told never to have come into force",
        "UPDATE policies SET loaded_at = 0",
        "the policy in force",
        "none stands as it, by the log it is *",
    ),
    attack("a policy is forgotten", "DELETE FROM policies", "policy *", "the log knows it, and its texts are not there"),
    attack("an account gets more roles", "UPDATE accounts SET roles = 'admin' WHERE account_id = (SELECT MIN(account_id) FROM accounts WHERE roles <> 'admin')", "the accounts", "*was changed by somebody who is not this program*"),
    attack(
        "an account gets the password of another",
        "UPDATE accounts SET password = 'x' WHERE account_id = (SELECT MIN(account_id) FROM accounts)",
        "the accounts",
        "*was changed by somebody who is not this program*",
    ),
    attack(
        "an account is invented",
        "INSERT INTO accounts (account_id, name_key, password, roles, level, failures, locked_until, body)
         SELECT 'usr_x', body, password, roles, level, 0, 0, body FROM accounts WHERE account_id = (SELECT MIN(account_id) FROM accounts)",
        "account usr_x",
        "the log does not know it",
    ),
    attack(
        "an account is deleted",
        "DELETE FROM sessions;; DELETE FROM accounts WHERE account_id = (SELECT MIN(account_id) FROM accounts)",
        "account usr_*",
        "the log knows it, and it is not there",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_on_the_database_is_found_and_named() {
    assert!(40 <= ATTACKS.len(), "{} attacks", ATTACKS.len());
    for original in Original::all().await {
        assert_eq!(original.copy().await.faults().await, [], "on {}: nothing was done yet", original.name());
        let mut unseen = Vec::new();
        for attack in ATTACKS {
            let victim = original.copy().await;
            victim.execute(attack.sql).await;
            let faults = victim.faults().await;
            let named = faults.iter().any(|(about, what)| fits(attack.about, about) && fits(attack.says, what));
            if !named {
                unseen.push(format!("{}: {faults:#?}", attack.name));
            }
        }
        assert!(unseen.is_empty(), "on {}:\n{}", original.name(), unseen.join("\n"));
    }
}
