#![doc = include_str!("../README.md")]

mod act;
mod canonical;
mod commitment;
mod cosignature;
mod entry;
mod error;
mod glance;
mod lanes;
mod leaf;
mod note;
mod opening;
mod proof;
mod receipt;
mod sample;
mod tile_reader;
mod tiles;
mod time;
mod timestamp;
mod tree;
mod verify;

pub use act::Act;
pub use commitment::{Opening, commit};
pub use cosignature::{Cosignature, WitnessKey, WitnessSigner, cosignatures, with_signatures};
pub use entry::{Actor, ActorKind, BODY_BYTES_MAX, Body, Object, Outcome, Program, Value, body_hash};
pub use error::Error;
pub use leaf::{LEAF_BYTES_MAX, Leaf, seal};
pub use note::{LogKey, TreeHead, VerifierKey, head_digest, open_checkpoint, sign, sign_by, signers};
pub use opening::{OPENING_LINE_BYTES_MAX, OpeningLine};
pub use proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};
pub use receipt::{EXTRA_BYTES_MAX, RECEIPT_BYTES_MAX, Verified, verify_receipt, write_receipt};
pub use sample::{SAMPLE_MAX, draw};
pub use tile_reader::TileReader;
pub use tiles::{TILE_WIDTH, TileFile, TileWriter, entries_path, tile_path};
pub use time::{micros, rfc3339};
pub use timestamp::{Stamped, TIMESTAMP_BYTES_MAX, TimestampAuthority, granted, timestamp_request, verify_timestamp};
pub use tree::{Frontier, Hash, leaf_hash, node_hash};
pub use verify::{
    Ask, Begun, Fault, FaultKind, KeptHead, Opened, Reference, ReferenceKind, Report, Rotation, Sample, samples, verify,
};
