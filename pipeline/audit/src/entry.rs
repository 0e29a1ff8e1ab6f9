//! The body of an entry: who did what to which object, with what result.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::canonical::{DEPTH_MAX, INTEGER_MAX, KEY_BYTES_MAX, key_byte, write_text};
use crate::glance::{Glance, uuid_v7};
use crate::leaf::LEAF_BYTES_MAX;
use crate::{Act, Error, Hash, micros, rfc3339};

/// Largest body; the leaf around it needs less than the 256 bytes left to [`LEAF_BYTES_MAX`].
pub const BODY_BYTES_MAX: usize = LEAF_BYTES_MAX - 256;

/// What happened, before it is sealed. Any combination of fields can be held; [`Body::to_bytes`] refuses the wrong ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// UUIDv7 in its usual spelling.
    pub id: String,
    /// The clock of the node, microseconds since 1970.
    pub at: i64,
    pub act: Act,
    pub actor: Actor,
    /// What was acted on.
    pub obj: Option<Object>,
    /// The revision that the act left the object at. An entry with one is a link of its object's chain.
    pub rev: Option<u64>,
    /// [`body_hash`] of the link before; None in the first link.
    pub sprev: Option<Hash>,
    /// State before and after.
    pub from: Option<String>,
    pub to: Option<String>,
    pub res: Outcome,
    /// Commitments, see [`crate::commit`]: everything personal or guessable.
    pub c: BTreeMap<String, String>,
    /// The rest, readable by everyone who gets the log.
    pub d: BTreeMap<String, Value>,
    pub program: Program,
}

/// A random pseudonym, never a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub id: String,
    pub kind: ActorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    User,
    Service,
    System,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub id: String,
    pub kind: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Denied,
    Error,
}

/// Which program wrote the entry, and where it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub node: String,
    /// Version and commit.
    pub ver: String,
}

/// What can stand in `d`. There is no way to say a fraction: money is minor units, durations are `_us`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

/// SHA-256 of a body's bytes: what `sprev` of the object's next link says.
#[must_use]
pub fn body_hash(body: &[u8]) -> Hash {
    Hash(Sha256::digest(body).into())
}

impl Body {
    /// A body with outcome ok, no object, no commitments and no data; set the other fields afterwards.
    #[must_use]
    pub fn new(id: &str, at: i64, act: Act, actor: Actor, program: &Program) -> Body {
        Body {
            id: id.to_owned(),
            at,
            act,
            actor,
            obj: None,
            rev: None,
            sprev: None,
            from: None,
            to: None,
            res: Outcome::Ok,
            c: BTreeMap::new(),
            d: BTreeMap::new(),
            program: program.clone(),
        }
    }

    /// The canonical bytes, which are what is kept, hashed and sealed.
    /// Refuses ids and names outside their alphabets, a chain without an object, and more than [`BODY_BYTES_MAX`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut top = Members::default();
        top.text("act", self.act.text());
        let mut actor = Members::default();
        actor.name("actor.id", "id", &self.actor.id)?;
        actor.text("kind", self.actor.kind.text());
        top.value("actor", &actor.close());
        top.text("at", &rfc3339(self.at).ok_or(Error::Field { field: "at", why: "is not in the years 1970 to 9999" })?);
        if !self.c.is_empty() {
            top.value("c", &self.commitments()?);
        }
        if !self.d.is_empty() {
            let mut out = Vec::new();
            write_object(&self.d, 2, &mut out)?;
            top.value("d", &out);
        }
        if let Some(from) = &self.from {
            top.name("from", "from", from)?;
        }
        if !<&[u8; 36]>::try_from(self.id.as_bytes()).is_ok_and(uuid_v7) {
            return Err(Error::Field { field: "id", why: "is not a UUIDv7 in lower case" });
        }
        top.text("id", &self.id);
        top.name("node", "node", &self.program.node)?;
        if let Some(object) = &self.obj {
            let mut members = Members::default();
            members.name("obj.id", "id", &object.id)?;
            members.name("obj.kind", "kind", &object.kind)?;
            top.value("obj", &members.close());
        }
        top.text("res", self.res.text());
        self.check_chain()?;
        if let Some(rev) = self.rev {
            top.value("rev", rev.to_string().as_bytes());
        }
        if let Some(sprev) = &self.sprev {
            top.text("sprev", &sprev.to_string());
        }
        if let Some(to) = &self.to {
            top.name("to", "to", to)?;
        }
        top.value("v", b"1");
        top.name("ver", "ver", &self.program.ver)?;
        let bytes = top.close();
        if BODY_BYTES_MAX < bytes.len() {
            return Err(Error::TooLarge {
                what: "the body of the entry",
                size: bytes.len() as u64,
                max: BODY_BYTES_MAX as u64,
            });
        }
        Ok(bytes)
    }

    /// Refuses everything but the very bytes that [`Body::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Body, Error> {
        if BODY_BYTES_MAX < bytes.len() {
            return Err(Error::TooLarge {
                what: "the body of the entry",
                size: bytes.len() as u64,
                max: BODY_BYTES_MAX as u64,
            });
        }
        Glance::of(bytes)?;
        let mut members = Reader::of(bytes)?;
        let mut actor = members.object("actor")?;
        let body = Body {
            id: members.text("id")?,
            at: micros(members.text("at")?.as_bytes())
                .ok_or(Error::Field { field: "at", why: "is not a time with six decimals" })?,
            act: Act::parse(&members.text("act")?).ok_or(Error::Field { field: "act", why: "is not a known act" })?,
            actor: Actor { id: actor.text("id")?, kind: ActorKind::parse(&actor.text("kind")?)? },
            obj: match members.optional("obj") {
                None => None,
                Some(value) => {
                    let mut object = Reader::from_value("obj", value)?;
                    Some(Object { id: object.text("id")?, kind: object.text("kind")? })
                }
            },
            rev: members
                .optional("rev")
                .map(|rev| rev.as_u64().ok_or(Error::Field { field: "rev", why: "is not a whole number" }))
                .transpose()?,
            sprev: members.optional_text("sprev")?.map(|hex| Hash::parse("sprev", &hex)).transpose()?,
            from: members.optional_text("from")?,
            to: members.optional_text("to")?,
            res: Outcome::parse(&members.text("res")?)?,
            c: members.commitments()?,
            d: members.data()?,
            program: Program { node: members.text("node")?, ver: members.text("ver")? },
        };
        // Whatever was overlooked above, such as a key in `actor` that no one asked for, shows here.
        if body.to_bytes()? != bytes {
            return Err(Error::NotCanonical { at: 0, why: "the body says more than an entry of version 1 can" });
        }
        Ok(body)
    }

    fn check_chain(&self) -> Result<(), Error> {
        let moves = self.rev.is_some() || self.sprev.is_some() || self.from.is_some() || self.to.is_some();
        if moves && self.obj.is_none() {
            return Err(Error::Field { field: "obj", why: "is missing, but a revision or state of it is given" });
        }
        if (self.sprev.is_some() || self.to.is_some()) && self.rev.is_none() {
            return Err(Error::Field { field: "rev", why: "is missing, but a new state or an earlier body is given" });
        }
        if self.rev.is_some_and(|rev| INTEGER_MAX.unsigned_abs() < rev) {
            return Err(Error::Field { field: "rev", why: "is more than 2^53 − 1" });
        }
        Ok(())
    }

    fn commitments(&self) -> Result<Vec<u8>, Error> {
        let mut members = Members::default();
        for (path, commitment) in &self.c {
            check_key("c", path)?;
            Hash::parse("c", commitment)?;
            members.text(path, commitment);
        }
        Ok(members.close())
    }
}

impl ActorKind {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            ActorKind::User => "user",
            ActorKind::Service => "service",
            ActorKind::System => "system",
        }
    }

    fn parse(text: &str) -> Result<ActorKind, Error> {
        [ActorKind::User, ActorKind::Service, ActorKind::System]
            .into_iter()
            .find(|kind| kind.text() == text)
            .ok_or(Error::Field { field: "actor.kind", why: "is not user, service or system" })
    }
}

impl Outcome {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Denied => "denied",
            Outcome::Error => "error",
        }
    }

    fn parse(text: &str) -> Result<Outcome, Error> {
        [Outcome::Ok, Outcome::Denied, Outcome::Error]
            .into_iter()
            .find(|outcome| outcome.text() == text)
            .ok_or(Error::Field { field: "res", why: "is not ok, denied or error" })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Value {
        Value::Integer(integer)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Value {
        Value::List(list)
    }
}

/// The members of an object; whoever writes must come in the order of the keys.
#[derive(Default)]
struct Members {
    out: Vec<u8>,
}

impl Members {
    fn value(&mut self, key: &str, raw: &[u8]) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        write_text(key, &mut self.out);
        self.out.push(b':');
        self.out.extend(raw);
    }

    fn text(&mut self, key: &str, text: &str) {
        let mut raw = Vec::new();
        write_text(text, &mut raw);
        self.value(key, &raw);
    }

    /// `@` and the space are left out of the alphabet on purpose: neither a name nor a mail address fits.
    fn name(&mut self, field: &'static str, key: &str, text: &str) -> Result<(), Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:+-".contains(&byte);
        if text.is_empty() || 128 < text.len() || !text.bytes().all(fits) {
            return Err(Error::Field { field, why: "is not 1 to 128 of the characters A-Z a-z 0-9 _ . : + -" });
        }
        self.text(key, text);
        Ok(())
    }

    fn close(mut self) -> Vec<u8> {
        if self.out.is_empty() {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        self.out
    }
}

fn write_object(members: &BTreeMap<String, Value>, depth: u32, out: &mut Vec<u8>) -> Result<(), Error> {
    if DEPTH_MAX < depth {
        return Err(Error::Field { field: "d", why: "has lists and objects more than 16 deep" });
    }
    let mut written = Members::default();
    for (key, value) in members {
        check_key("d", key)?;
        let mut raw = Vec::new();
        write_value(value, depth, &mut raw)?;
        written.value(key, &raw);
    }
    out.extend(written.close());
    Ok(())
}

fn write_value(value: &Value, depth: u32, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Text(text) => write_text(text, out),
        Value::Integer(integer) if (-INTEGER_MAX..=INTEGER_MAX).contains(integer) => {
            out.extend(integer.to_string().bytes());
        }
        Value::Integer(_) => {
            return Err(Error::Field { field: "d", why: "has an integer outside ±(2^53 − 1)" });
        }
        Value::Bool(truth) => out.extend(truth.to_string().bytes()),
        Value::List(_) if DEPTH_MAX <= depth => {
            return Err(Error::Field { field: "d", why: "has lists and objects more than 16 deep" });
        }
        Value::List(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index != 0 {
                    out.push(b',');
                }
                write_value(value, depth + 1, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => write_object(members, depth + 1, out)?,
    }
    Ok(())
}

pub(crate) fn check_key(field: &'static str, key: &str) -> Result<(), Error> {
    if key.is_empty() || KEY_BYTES_MAX < key.len() || !key.bytes().all(key_byte) {
        return Err(Error::Field { field, why: "has a key that is not 1 to 64 of the characters a-z 0-9 _ ." });
    }
    Ok(())
}

/// Takes the members of an object one by one.
struct Reader {
    members: serde_json::Map<String, serde_json::Value>,
}

impl Reader {
    fn of(bytes: &[u8]) -> Result<Reader, Error> {
        match serde_json::from_slice(bytes) {
            Ok(serde_json::Value::Object(members)) => Ok(Reader { members }),
            _ => Err(Error::NotCanonical { at: 0, why: "not a JSON object" }),
        }
    }

    fn from_value(field: &'static str, value: serde_json::Value) -> Result<Reader, Error> {
        match value {
            serde_json::Value::Object(members) => Ok(Reader { members }),
            _ => Err(Error::Field { field, why: "is not an object" }),
        }
    }

    fn optional(&mut self, key: &'static str) -> Option<serde_json::Value> {
        self.members.remove(key)
    }

    fn optional_text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        match self.optional(key) {
            None => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::Field { field: key, why: "is not a text" }),
        }
    }

    fn text(&mut self, key: &'static str) -> Result<String, Error> {
        self.optional_text(key)?.ok_or(Error::Field { field: key, why: "is missing" })
    }

    fn object(&mut self, key: &'static str) -> Result<Reader, Error> {
        let value = self.optional(key).ok_or(Error::Field { field: key, why: "is missing" })?;
        Reader::from_value(key, value)
    }

    fn commitments(&mut self) -> Result<BTreeMap<String, String>, Error> {
        let Some(value) = self.optional("c") else { return Ok(BTreeMap::new()) };
        let commitments = Reader::from_value("c", value)?.members.into_iter().map(|(path, value)| match value {
            serde_json::Value::String(commitment) => Ok((path, commitment)),
            _ => Err(Error::Field { field: "c", why: "holds something that is not a commitment" }),
        });
        commitments.collect()
    }

    fn data(&mut self) -> Result<BTreeMap<String, Value>, Error> {
        let Some(value) = self.optional("d") else { return Ok(BTreeMap::new()) };
        let members = Reader::from_value("d", value)?.members;
        members.into_iter().map(|(key, value)| Ok((key, data(value)?))).collect()
    }
}

/// Recursion is bounded: the canonical check before has refused what lies deeper than [`DEPTH_MAX`].
fn data(value: serde_json::Value) -> Result<Value, Error> {
    Ok(match value {
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => {
            Value::Integer(number.as_i64().ok_or(Error::Field { field: "d", why: "holds a fraction" })?)
        }
        serde_json::Value::Array(values) => Value::List(values.into_iter().map(data).collect::<Result<_, _>>()?),
        serde_json::Value::Object(members) => Value::Object(
            members.into_iter().map(|(key, value)| Ok((key, data(value)?))).collect::<Result<_, Error>>()?,
        ),
        serde_json::Value::Null => return Err(Error::Field { field: "d", why: "holds null" }),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn body() -> Body {
        let program = Program { node: "node-1".into(), ver: "0.1.0+abc".into() };
        let actor = Actor { id: "u_5e1f".into(), kind: ActorKind::User };
        let mut body = Body::new(
            "0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b",
            1_795_342_944_123_456,
            Act::ReviewApprove,
            actor,
            &program,
        );
        body.obj = Some(Object { id: "case-7".into(), kind: "case".into() });
        (body.rev, body.from, body.to) = (Some(5), Some("InReview".into()), Some("Approved".into()));
        body.sprev = Some(body_hash(b"before"));
        body.c.insert("comment".into(), "ab".repeat(32));
        body.d.insert("checkpoint".into(), "legal".into());
        body.d.insert("fields".into(), Value::List(vec![Value::Integer(-3), true.into(), "geprüft \u{1}".into()]));
        body.d.insert("at_most".into(), Value::Object(BTreeMap::from([("minor".into(), 100_i64.into())])));
        body
    }

    #[test]
    fn a_body_has_one_spelling_which_reads_back() {
        let bytes = body().to_bytes().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(
            text.starts_with(
                r#"{"act":"review.approve","actor":{"id":"u_5e1f","kind":"user"},"at":"2026-11-22T10:22:24.123456Z","c":{"#
            ),
            "{text}"
        );
        assert!(text.ends_with(r#""to":"Approved","v":1,"ver":"0.1.0+abc"}"#), "{text}");
        assert_eq!(Body::parse(&bytes).unwrap(), body());
    }

    #[test]
    fn a_body_in_any_other_spelling_is_refused() {
        let text = String::from_utf8(body().to_bytes().unwrap()).unwrap();
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"v\":1,", ""),
            ("\"act\":", "\"Act\":"),
            ("\"act\":\"review.approve\"", "\"act\":\"review.bless\""),
            ("{\"act\"", "{ \"act\""),
            ("\"kind\":\"user\"", "\"kind\":\"user\",\"name\":\"x\""),
            ("\"rev\":5", "\"rev\":5.0"),
            ("\"rev\":5", "\"rev\":-5"),
            ("\"res\":\"ok\"", "\"res\":\"fine\""),
            ("\"to\"", "\"tp\""),
            ("\"sprev\":\"", "\"sprev\":\"A"),
            ("\"comment\":\"ab", "\"comment\":\"AB"),
            ("22T10", "22t10"),
            ("\"minor\":100", "\"minor\":1e2"),
            ("\"minor\":100", "\"minor\":null"),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text, "{from}");
            assert!(Body::parse(other.as_bytes()).is_err(), "{other}");
        }
        assert!(Body::parse(b"").is_err());
        assert!(Body::parse(&text.as_bytes()[..text.len() - 1]).is_err());
    }

    #[test]
    fn what_an_entry_must_not_say_is_refused_before_it_is_written() {
        #[track_caller]
        fn check(change: impl Fn(&mut Body), why: &str) {
            let mut body = body();
            change(&mut body);
            let error = body.to_bytes().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        check(|b| b.actor.id = "erika@example.com".into(), "`actor.id`");
        check(|b| b.actor.id = "Erika Mustermann".into(), "`actor.id`");
        check(|b| b.actor.id = String::new(), "`actor.id`");
        check(|b| b.id = "0193a2b4-c5d6-4e8f-9a0b-1c2d3e4f5a6b".into(), "UUIDv7");
        check(|b| b.at = -1, "1970");
        check(|b| b.obj = None, "`obj` is missing");
        check(|b| b.rev = None, "`rev` is missing");
        check(|b| b.rev = Some(1 << 53), "2^53");
        check(|b| drop(b.c.insert("x".into(), "secret".into())), "`c`");
        check(|b| drop(b.c.insert("Name".into(), "ab".repeat(32))), "`c` has a key");
        check(|b| drop(b.d.insert("x".into(), Value::Integer(1 << 53))), "±(2^53 − 1)");
        check(|b| drop(b.d.insert("x".into(), (0..20).fold(Value::Bool(true), |v, _| Value::List(vec![v])))), "deep");
        check(|b| drop(b.d.insert("x".into(), "x".repeat(BODY_BYTES_MAX).into())), "at most 32512 are allowed");
    }

    #[test]
    fn what_is_written_as_deep_as_allowed_is_read_again() {
        let mut body = body();
        body.d.insert("x".into(), (0..14).fold(Value::Bool(true), |v, _| Value::List(vec![v])));
        assert_eq!(Body::parse(&body.to_bytes().unwrap()).unwrap(), body);
        body.d.insert("x".into(), (0..15).fold(Value::Bool(true), |v, _| Value::List(vec![v])));
        assert!(body.to_bytes().is_err());
    }
}
