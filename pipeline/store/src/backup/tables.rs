//! What of the database goes into a snapshot: every table, but two.

/// The columns are of three kinds, on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

use Kind::{Bytes, Int, Text};

/// The database that these are the tables of: the number of its last migration.
pub(crate) const SCHEMA: i64 = 1;

/// In an order in which every row finds the rows that it refers to. Left out are `record_keys`, which goes apart, and
/// `sessions`: a person who signed out since, or a link that was used since, must not come to life again.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "cases",
        columns: &[
            ("case_id", Text),
            ("revision", Int),
            ("state", Text),
            ("kind", Text),
            ("channel", Text),
            ("received_at", Int),
            ("changed_at", Int),
            ("due_at", Int),
            ("keep_until", Int),
            ("delete_by", Int),
            ("n_holds", Int),
            ("proposed", Int),
            ("digest_key", Bytes),
            ("last_entry", Bytes),
            ("body", Bytes),
        ],
    },
    Table {
        name: "arrivals",
        columns: &[
            ("arrival_id", Text),
            ("channel", Text),
            ("duplicate", Int),
            ("case_id", Text),
            ("mail", Text),
            ("arrived_at", Int),
        ],
    },
    Table {
        name: "work",
        columns: &[("case_id", Text), ("revision", Int), ("action", Text), ("attempt", Int), ("ready_at", Int)],
    },
    Table { name: "case_terms", columns: &[("term_key", Bytes), ("case_id", Text)] },
    FACTS,
    FACT_KEYS,
    Table { name: "ledgers", columns: &[("ledger", Int), ("version", Int)] },
    Table { name: "waiting", columns: &[("lookup_key", Bytes), ("case_id", Text)] },
    Table { name: "woken", columns: &[("case_id", Text), ("woken_at", Int)] },
    Table { name: "lessons", columns: &[("vendor_key", Bytes), ("field", Text), ("body", Bytes)] },
    Table {
        name: "policies",
        columns: &[("digest", Text), ("loaded_at", Int), ("proposed_by", Text), ("approved_by", Text), ("texts", Text)],
    },
    Table {
        name: "accounts",
        columns: &[
            ("account_id", Text),
            ("name_key", Bytes),
            ("password", Text),
            ("roles", Text),
            ("level", Int),
            ("failures", Int),
            ("locked_until", Int),
            ("body", Bytes),
        ],
    },
    Table {
        name: "log_outbox",
        columns: &[
            ("position", Int),
            ("entry_id", Text),
            ("object", Text),
            ("revision", Int),
            ("entered_at", Int),
            ("entry", Bytes),
            ("mac", Bytes),
        ],
    },
    Table { name: "log_refused", columns: &[("position", Int), ("refused_at", Int), ("why", Text), ("entry", Bytes)] },
    Table {
        name: "log_tail",
        columns: &[
            ("log", Int),
            ("origin", Text),
            ("size", Int),
            ("sealed_at", Int),
            ("last_leaf", Bytes),
            ("frontier", Bytes),
            ("mac", Bytes),
        ],
    },
    Table {
        name: "log_entries",
        columns: &[
            ("log", Int),
            ("position", Int),
            ("entry_id", Text),
            ("object", Text),
            ("revision", Int),
            ("leaf", Bytes),
        ],
    },
    Table { name: "log_heads", columns: &[("log", Int), ("size", Int), ("signed_at", Int), ("note", Text)] },
    Table {
        name: "log_anchors",
        columns: &[
            ("log", Int),
            ("size", Int),
            ("source", Text),
            ("kind", Text),
            ("anchored_at", Int),
            ("body", Bytes),
        ],
    },
    Table { name: "log_openings", columns: &[("entry_id", Text), ("object", Text), ("body", Bytes)] },
    Table { name: "samples", columns: &[("sample_id", Text), ("draw_id", Text), ("body", Bytes)] },
];

pub(crate) const FACTS: Table = Table {
    name: "facts",
    columns: &[
        ("fact_id", Int),
        ("kind", Text),
        ("fact_key", Bytes),
        ("case_id", Text),
        ("known_by", Text),
        ("known_from", Int),
        ("known_to", Int),
        ("digest_key", Bytes),
        ("body", Bytes),
        ("remnant", Bytes),
    ],
};

pub(crate) const FACT_KEYS: Table = Table { name: "fact_keys", columns: &[("lookup_key", Bytes), ("fact_id", Int)] };

/// The key table, which goes apart.
pub(crate) const RECORD_KEYS: Table =
    Table { name: "record_keys", columns: &[("owner", Text), ("wrapped_by", Text), ("body", Bytes)] };

/// Where entries wait on PostgreSQL.
pub(crate) const OUTBOX: &str = "log_outbox";

impl Table {
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.names(), self.name)
    }

    /// For so many rows at once.
    pub(crate) fn insert(&self, n_rows: usize) -> String {
        let n_columns = self.columns.len();
        let row = |n: usize| {
            let places: Vec<String> = (1..=n_columns).map(|column| format!("${}", n * n_columns + column)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..n_rows).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.name, self.names(), rows.join(", "))
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::db::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};

    #[test]
    fn a_snapshot_has_every_table_and_column_but_the_keys_and_the_sessions() {
        for migrations in [SQLITE_MIGRATIONS, POSTGRES_MIGRATIONS] {
            assert_eq!(migrations.last().map(|it| it.0), Some(SCHEMA));
            let mut found: Vec<(String, Vec<(String, Kind)>)> = Vec::new();
            for line in migrations.iter().flat_map(|(_, _, sql)| sql.lines()) {
                let words: Vec<&str> =
                    line.split("--").next().unwrap_or("").split_whitespace().map(|it| it.trim_matches(',')).collect();
                match *words.as_slice() {
                    ["CREATE", "TABLE", name, "("] => found.push((name.to_owned(), Vec::new())),
                    [name, kind, ..] if line.starts_with("    ") && name != "PRIMARY" => {
                        let kind = match kind {
                            "BIGINT" | "INTEGER" | "BIGSERIAL" => Int,
                            "TEXT" => Text,
                            "BLOB" | "BYTEA" => Bytes,
                            _ => continue,
                        };
                        found.last_mut().unwrap().1.push((name.to_owned(), kind));
                    }
                    ["ALTER", ..] => panic!("a table changes: teach this test to follow"),
                    _ => {}
                }
            }
            found.retain(|(name, _)| !["record_keys", "sessions"].contains(&name.as_str()));
            let told: Vec<(String, Vec<(String, Kind)>)> = TABLES
                .iter()
                .map(|it| {
                    (it.name.to_owned(), it.columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect())
                })
                .collect();
            assert_eq!(told, found);
        }
    }
}
