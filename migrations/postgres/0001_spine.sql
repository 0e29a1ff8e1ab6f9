-- The same tables, columns and order as in ../sqlite. Columns are of three kinds only, BIGINT, TEXT and BYTEA, so that
-- one query text serves both databases. Times are microseconds since 1970, truth is 0 or 1. A column called `body` is
-- sealed; a column called `…_key` is a keyed digest, which tells equality and nothing else.

CREATE TABLE cases (
    case_id     TEXT   NOT NULL PRIMARY KEY,
    revision    BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    due_at      BIGINT,              -- the first open checkpoint's, while in review
    keep_until  BIGINT,              -- the beginning of the last day on which it must be there, once it is at its end
    delete_by   BIGINT,              -- and of the last day on which it should be there
    n_holds     BIGINT NOT NULL,     -- legal holds
    proposed    BIGINT NOT NULL,     -- somebody proposed to erase it
    digest_key  BYTEA   NOT NULL UNIQUE,
    last_entry  BYTEA   NOT NULL,     -- digest of the body of the last entry about this case
    body        BYTEA   NOT NULL
);
CREATE INDEX cases_by_state ON cases (state, received_at);
CREATE INDEX cases_by_clock ON cases (keep_until, case_id);
CREATE INDEX cases_proposed ON cases (proposed, case_id) WHERE proposed = 1;
CREATE INDEX cases_held ON cases (n_holds, case_id) WHERE 0 < n_holds;

-- The keys that `body` columns and sealed files are sealed with, wrapped by a vault key: one for each case, and the
-- house's, without an owner, for the rest. A case whose row is destroyed opens never again.
CREATE TABLE record_keys (
    owner       TEXT   NOT NULL PRIMARY KEY,
    wrapped_by  TEXT   NOT NULL,
    body        BYTEA   NOT NULL
);
CREATE INDEX record_keys_by_vault_key ON record_keys (wrapped_by, owner);

-- One row for every file that was seen; with `cases` it balances what came in against where it is.
CREATE TABLE arrivals (
    arrival_id  TEXT   NOT NULL PRIMARY KEY,
    channel     TEXT   NOT NULL,
    duplicate   BIGINT NOT NULL,
    case_id     TEXT   NOT NULL REFERENCES cases (case_id),
    mail        TEXT,                -- the case of the mail that it came with
    arrived_at  BIGINT NOT NULL
);
CREATE INDEX arrivals_by_case ON arrivals (case_id);
CREATE INDEX arrivals_by_mail ON arrivals (mail) WHERE mail IS NOT NULL;

CREATE TABLE work (
    case_id     TEXT   NOT NULL PRIMARY KEY REFERENCES cases (case_id),
    revision    BIGINT NOT NULL,
    action      TEXT   NOT NULL,
    attempt     BIGINT NOT NULL,     -- counted when it is leased, before the work begins
    ready_at    BIGINT NOT NULL      -- not before; a lease moves it into the future
);
CREATE INDEX work_by_time ON work (ready_at);

-- What a case is found by: keyed digests of its numbers, parties, orders and accounts.
CREATE TABLE case_terms (
    term_key    BYTEA   NOT NULL,
    case_id     TEXT   NOT NULL REFERENCES cases (case_id),
    PRIMARY KEY (term_key, case_id)
);
CREATE INDEX case_terms_by_case ON case_terms (case_id);

-- What the business knows: imported, or learned from a case. A row is one version of a fact, known from its import until
-- another replaced it. What it says, and of which days, is sealed; what it is looked up by stands in `fact_keys`.
CREATE TABLE facts (
    fact_id     BIGSERIAL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    fact_key    BYTEA  NOT NULL,     -- which fact it is a version of
    case_id     TEXT   REFERENCES cases (case_id),
    known_by    TEXT   NOT NULL,
    known_from  BIGINT NOT NULL,
    known_to    BIGINT NOT NULL,     -- the largest number there is, while nothing replaced it
    digest_key  BYTEA  NOT NULL,
    body        BYTEA  NOT NULL,
    remnant     BYTEA               -- sealed too: what is left of it when its case is erased
);
CREATE UNIQUE INDEX facts_known ON facts (fact_key) WHERE known_to = 9223372036854775807;
CREATE INDEX facts_by_case ON facts (case_id) WHERE case_id IS NOT NULL;

CREATE TABLE fact_keys (
    lookup_key  BYTEA  NOT NULL,
    fact_id     BIGINT NOT NULL REFERENCES facts (fact_id),
    PRIMARY KEY (lookup_key, fact_id)
);
CREATE INDEX fact_keys_by_fact ON fact_keys (fact_id);

-- Versions of what verdicts rest on: every key that facts are looked up by falls into one of a fixed number of these.
CREATE TABLE ledgers (
    ledger      BIGINT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL
);

-- The cases in review that are judged again when something is learned under one of these keys, and those of them that
-- something was learned about.
CREATE TABLE waiting (
    lookup_key  BYTEA  NOT NULL,
    case_id     TEXT   NOT NULL REFERENCES cases (case_id),
    PRIMARY KEY (lookup_key, case_id)
);
CREATE INDEX waiting_by_case ON waiting (case_id);

CREATE TABLE woken (
    case_id     TEXT   NOT NULL PRIMARY KEY REFERENCES cases (case_id),
    woken_at    BIGINT NOT NULL
);

-- What reviewers taught about a vendor's documents: under which label the value of a field stands.
CREATE TABLE lessons (
    vendor_key  BYTEA   NOT NULL,
    field       TEXT    NOT NULL,
    body        BYTEA   NOT NULL,
    PRIMARY KEY (vendor_key, field)
);

CREATE TABLE policies (
    digest      TEXT   NOT NULL PRIMARY KEY,
    loaded_at   BIGINT NOT NULL,     -- 0 of one that never came into force
    proposed_by TEXT,                -- of one that lets more through than the one before, and who approved that
    approved_by TEXT,
    texts       TEXT   NOT NULL
);

CREATE TABLE accounts (
    account_id   TEXT   NOT NULL PRIMARY KEY,
    name_key     BYTEA   NOT NULL UNIQUE,
    password     TEXT   NOT NULL,    -- an argon2id PHC string; empty: only a link can sign in
    roles        TEXT   NOT NULL,
    level        BIGINT NOT NULL,
    failures     BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    body         BYTEA   NOT NULL
);

CREATE TABLE sessions (
    token_digest BYTEA   NOT NULL PRIMARY KEY,
    account_id   TEXT   NOT NULL REFERENCES accounts (account_id),
    link         BIGINT NOT NULL,    -- a one-time link that has not been used yet
    expires_at   BIGINT NOT NULL,
    mac          BYTEA   NOT NULL     -- over the row: nobody signs in by writing to the database
);

-- The log. SQLite seals an entry in the transaction of its act. On PostgreSQL it waits in `log_outbox`, under a code that
-- only this program can make, until a node seals it, in order, into `log_entries`.
CREATE TABLE log_outbox (
    position    BIGSERIAL PRIMARY KEY,
    entry_id    TEXT   NOT NULL,
    object      TEXT   NOT NULL,
    revision    BIGINT,
    entered_at  BIGINT NOT NULL,
    entry       BYTEA   NOT NULL,
    mac         BYTEA   NOT NULL
);

-- What waited and was not written by this program. Kept for whoever looks into it.
CREATE TABLE log_refused (
    position    BIGINT NOT NULL PRIMARY KEY,
    refused_at  BIGINT NOT NULL,
    why         TEXT   NOT NULL,
    entry       BYTEA   NOT NULL
);

-- One row for each log, the newest the one in use: where it ends.
CREATE TABLE log_tail (
    log         BIGINT NOT NULL PRIMARY KEY,
    origin      TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    sealed_at   BIGINT NOT NULL,
    last_leaf   BYTEA   NOT NULL,
    frontier    BYTEA   NOT NULL,
    mac         BYTEA   NOT NULL     -- over the row, and thereby over every entry: nobody writes a log past this program
);

CREATE TABLE log_entries (
    log         BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    entry_id    TEXT   NOT NULL UNIQUE,
    object      TEXT   NOT NULL,
    revision    BIGINT,              -- of the object, when the entry is a link of its chain
    leaf        BYTEA   NOT NULL,
    PRIMARY KEY (log, position)
);
CREATE INDEX log_entries_by_object ON log_entries (object, log, position);

CREATE TABLE log_heads (
    log         BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    signed_at   BIGINT NOT NULL,
    note        TEXT   NOT NULL,
    PRIMARY KEY (log, size)
);

-- What others said about a head: a witness's line of signature, a time stamp, a copy that left the house.
CREATE TABLE log_anchors (
    log         BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    source      TEXT   NOT NULL,     -- the witness's name, or the address of the time stamping service
    kind        TEXT   NOT NULL,     -- `witness` or `timestamp`
    anchored_at BIGINT NOT NULL,
    body        BYTEA   NOT NULL,
    PRIMARY KEY (log, size, source)
);
CREATE INDEX log_anchors_by_kind ON log_anchors (kind, log, size);

CREATE TABLE log_openings (
    entry_id    TEXT   NOT NULL PRIMARY KEY,
    object      TEXT   NOT NULL,
    body        BYTEA   NOT NULL
);
CREATE INDEX log_openings_by_object ON log_openings (object);

-- Samples that were committed to, under the id of the entry that commits; the seed is told when they are drawn.
CREATE TABLE samples (
    sample_id   TEXT   NOT NULL PRIMARY KEY,
    draw_id     TEXT   NOT NULL,     -- the id of the entry that drew it; empty before
    body        BYTEA  NOT NULL
);

CREATE FUNCTION log_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'log_entries is append-only'; END $$;
CREATE TRIGGER log_entries_no_change BEFORE UPDATE OR DELETE ON log_entries
FOR EACH ROW EXECUTE FUNCTION log_entries_refuse();
