//! What the whole product promises, through its commands and through its store, on both databases. One program: what every
//! test uses is compiled once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../support/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

mod anchors;
mod backup;
mod canary;
mod crash;
mod erasure;
mod evidence;
mod handed_over;
mod imports;
mod journey;
mod keys;
mod ledger;
mod mail;
mod reconciling;
mod retention;
mod retention_commands;
mod rotation;
mod scenarios;
mod sequencers;
mod store;
mod tamper;
mod vault_keys;
