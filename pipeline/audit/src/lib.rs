#![doc = include_str!("../README.md")]

mod act;
mod canonical;
mod commitment;
mod entry;
mod error;
mod glance;
mod lanes;
mod leaf;
mod note;
mod proof;
mod tiles;
mod time;
mod tree;
mod verify;

pub use act::Act;
pub use commitment::{Opening, commit};
pub use entry::{Actor, ActorKind, BODY_BYTES_MAX, Body, Object, Outcome, Program, Value, body_hash};
pub use error::Error;
pub use leaf::{LEAF_BYTES_MAX, Leaf, seal};
pub use note::{LogKey, TreeHead, VerifierKey, open_checkpoint, sign};
pub use proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};
pub use tiles::{TILE_WIDTH, TileFile, TileWriter, entries_path, tile_path};
pub use time::{micros, rfc3339};
pub use tree::{Frontier, Hash, leaf_hash, node_hash};
pub use verify::{Ask, Fault, FaultKind, KeptHead, Report, verify};
