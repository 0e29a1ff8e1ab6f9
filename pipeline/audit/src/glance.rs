//! What a verifier needs of a body, in one pass and without copying or building anything.

use crate::Hash;
use crate::canonical::{NotCanonical, Scan};
use crate::time::Calendar;
use crate::tree::lower_hex;

/// A body, read as far as a verifier needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glance<'a> {
    pub(crate) act: &'a [u8],
    /// The clock of the node, microseconds since 1970.
    pub(crate) at: i64,
    /// The raw bytes of `c`, `{"path":"<64 hex>",…}`.
    pub(crate) c: Option<&'a [u8]>,
    pub(crate) id: &'a [u8; 36],
    /// The raw bytes of `obj`, which as canonical bytes are one spelling of its kind and id.
    pub(crate) obj: Option<&'a [u8]>,
    pub(crate) rev: Option<u64>,
    pub(crate) sprev: Option<Hash>,
}

impl<'a> Glance<'a> {
    pub(crate) fn of(body: &'a [u8]) -> Result<Glance<'a>, NotCanonical> {
        let mut scan = Scan::new(body)?;
        let glance = Glance::scan(&mut scan, &mut Calendar::default())?;
        scan.end()?;
        Ok(glance)
    }

    /// Refuses what is not canonical, not version 1, lacks a key that every entry has, or has another one. An act that
    /// this program does not know is not refused: a log may be newer than its verifier.
    pub(crate) fn scan(scan: &mut Scan<'a>, calendar: &mut Calendar) -> Result<Glance<'a>, NotCanonical> {
        scan.literal(b"{\"act\":", "an entry begins with its `act`")?;
        let act = scan.string()?;
        scan.literal(b",\"actor\":{\"id\":", "`actor` with its `id` must follow `act`")?;
        scan.string()?;
        scan.literal(b",\"kind\":\"", "the `kind` of the actor must follow its `id`")?;
        let kind = scan.skip(b"user\"}") || scan.skip(b"system\"}") || scan.skip(b"service\"}");
        if !kind {
            return scan.refuse("the actor is not a user, a service or the system");
        }
        scan.literal(b",\"at\":\"", "`at` must follow `actor`")?;
        let Some(at) = calendar.micros(scan.take()?) else {
            return scan.refuse("`at` is not a time with six decimals");
        };
        scan.literal(b"\"", "`at` is not a time with six decimals")?;
        let c = if scan.skip(b",\"c\":") { Some(commitments(scan)?) } else { None };
        if scan.skip(b",\"d\":") {
            scan.object(|scan, _| scan.value(2))?;
        }
        let from = scan.skip(b",\"from\":");
        if from {
            scan.string()?;
        }
        scan.literal(
            b",\"id\":\"",
            "`id` must come next; the keys of an entry have one order and there are no others",
        )?;
        let id: &[u8; 36] = scan.take()?;
        if !uuid_v7(id) {
            return scan.refuse("`id` is not a UUIDv7 in lower case");
        }
        scan.literal(b"\",\"node\":", "`node` must follow `id`")?;
        scan.string()?;
        let obj = if scan.skip(b",\"obj\":") { Some(object(scan)?) } else { None };
        scan.literal(
            b",\"res\":\"",
            "`res` must come next; the keys of an entry have one order and there are no others",
        )?;
        if !(scan.skip(b"ok\"") || scan.skip(b"denied\"") || scan.skip(b"error\"")) {
            return scan.refuse("`res` is not ok, denied or error");
        }
        let rev = match scan.skip(b",\"rev\":") {
            true => match u64::try_from(scan.integer()?) {
                Ok(rev) => Some(rev),
                Err(_) => return scan.refuse("`rev` is not a whole number"),
            },
            false => None,
        };
        let sprev = match scan.skip(b",\"sprev\":\"") {
            true => match Hash::from_hex(scan.take::<64>()?) {
                Some(sprev) if scan.skip(b"\"") => Some(sprev),
                _ => return scan.refuse("`sprev` is not a hash in lower-case hex"),
            },
            false => None,
        };
        let to = scan.skip(b",\"to\":");
        if to {
            scan.string()?;
        }
        scan.literal(b",\"v\":1,\"ver\":", "an entry of version 1 ends with `v` and `ver`")?;
        scan.string()?;
        scan.literal(b"}", "nothing follows `ver`")?;
        if obj.is_none() && (rev.is_some() || from) || rev.is_none() && (sprev.is_some() || to) {
            return scan.refuse("a state, a revision or an earlier body is given without what it is of");
        }
        Ok(Glance { act, at, c, id, obj, rev, sprev })
    }
}

/// `{"id":…,"kind":…}`
fn object<'a>(scan: &mut Scan<'a>) -> Result<&'a [u8], NotCanonical> {
    let start = scan.at();
    scan.literal(b"{\"id\":", "an object begins with its `id`")?;
    scan.string()?;
    scan.literal(b",\"kind\":", "the `kind` of the object must follow its `id`")?;
    scan.string()?;
    scan.literal(b"}", "an object has `id` and `kind` only")?;
    Ok(scan.since(start))
}

fn commitments<'a>(scan: &mut Scan<'a>) -> Result<&'a [u8], NotCanonical> {
    let start = scan.at();
    scan.object(|scan, _| match scan.take::<66>()? {
        [b'"', hex @ .., b'"'] if lower_hex(hex) => Ok(()),
        _ => scan.refuse("`c` holds something that is not a commitment"),
    })?;
    Ok(scan.since(start))
}

pub(crate) fn uuid_v7(text: &[u8; 36]) -> bool {
    let [a @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *text;
    let [
        ..,
        b'-',
        b0,
        b1,
        b2,
        b3,
        b'-',
        b4 @ b'7',
        b5,
        b6,
        b7,
        b'-',
        c0 @ (b'8' | b'9' | b'a' | b'b'),
        c1,
        c2,
        c3,
        b'-',
        c4,
        c5,
        c6,
        c7,
        d0,
        d1,
        d2,
        d3,
        d4,
        d5,
        d6,
        d7,
    ] = *text
    else {
        return false;
    };
    let (b, c) = ([b0, b1, b2, b3, b4, b5, b6, b7], [c0, c1, c2, c3, c4, c5, c6, c7]);
    lower_hex([a, b, c, [d0, d1, d2, d3, d4, d5, d6, d7]].as_flattened())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const BODY: &str = concat!(
        r#"{"act":"review.approve","actor":{"id":"u_5e1f","kind":"user"},"at":"2026-11-22T10:22:24.123456Z","c":{"comment":"#,
        r#""abababababababababababababababababababababababababababababababab"},"d":{"codes":["BR-CO-10",-3,true]},"from":"InReview","#,
        r#""id":"0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","node":"node-1","obj":{"id":"case-7","kind":"case"},"res":"ok","rev":5,"sprev":"#,
        r#""cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","to":"Approved","v":1,"ver":"0.1.0"}"#,
    );

    #[test]
    fn a_glance_shows_what_the_body_says() {
        let glance = Glance::of(BODY.as_bytes()).unwrap();
        assert_eq!((glance.act, glance.at, glance.rev), (&b"review.approve"[..], 1_795_342_944_123_456, Some(5)));
        assert_eq!(glance.obj, Some(&br#"{"id":"case-7","kind":"case"}"#[..]));
        assert_eq!((glance.sprev, glance.id), (Some(Hash([0xcd; 32])), b"0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"));
        assert!(glance.c.unwrap().starts_with(br#"{"comment":"abab"#));
        crate::Body::parse(BODY.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_not_of_the_form_of_an_entry_is_refused() {
        for (from, to) in [
            // A key of every kind missing, twice, elsewhere, or of another type.
            (r#""act":"review.approve","#, ""),
            (r#""actor":{"id":"u_5e1f","kind":"user"},"#, ""),
            (r#""at":"2026-11-22T10:22:24.123456Z","#, ""),
            (r#""id":"0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","#, ""),
            (r#""node":"node-1","#, ""),
            (r#""res":"ok","#, ""),
            (r#""rev":5,"#, ""),
            (r#""v":1,"#, ""),
            (r#","ver":"0.1.0""#, ""),
            (r#""obj":{"id":"case-7","kind":"case"},"#, ""),
            (r#""res":"ok""#, r#""res":"ok","res":"ok""#),
            (r#""node":"node-1""#, r#""new":1,"node":"node-1""#),
            (r#""v":1,"ver":"0.1.0""#, r#""ver":"0.1.0","v":1"#),
            (r#""act":"review.approve""#, r#""act":7"#),
            (r#""node":"node-1""#, r#""node":null"#),
            (r#""rev":5"#, r#""rev":"5""#),
            (r#""rev":5"#, r#""rev":-5"#),
            (r#""rev":5"#, r#""rev":05"#),
            (r#""v":1"#, r#""v":2"#),
            (r#""v":1"#, r#""v":1.0"#),
            (r#""d":{"codes""#, r#""d":["codes""#),
            // Closed lists, and texts of one form.
            (r#""kind":"user""#, r#""kind":"usar""#),
            (r#""kind":"user""#, r#""kind":"user","name":"x""#),
            (r#""kind":"case""#, r#""kind":"case","name":"x""#),
            (r#""res":"ok""#, r#""res":"fine""#),
            ("22T10:22", "22t10:22"),
            ("11-22T", "13-22T"),
            ("24.123456Z", "24.12345Z"),
            ("0193a2b4", "0193A2b4"),
            ("0193a2b4-", "0193a2b4_"),
            ("0193a2b4-c5d6", "0193a2b-4c5d6"),
            ("-7e8f", "-4e8f"),
            ("-9a0b", "-7a0b"),
            ("5a6b\"", "5a6g\""),
            ("5a6b\"", "5a6\""),
            ("\"abab", "\"ABab"),
            ("\"abab", "\"ab"),
            ("\"abab", "\"gbab"),
            ("\"cdcd", "\"CDcd"),
            ("\"cdcd", "\"cdc"),
            (r#""comment":"#, r#""Comment":"#),
            // Canonical JSON.
            ("{\"act\"", "{ \"act\""),
            ("\"codes\":[", "\"codes\": ["),
            ("-3,", "-3.0,"),
            ("-3,", "null,"),
            ("BR-CO", "BR\\/CO"),
            ("BR-CO", "BR\nCO"),
            ("\"0.1.0\"}", "\"0.1.0\"} "),
            ("\"0.1.0\"}", "\"0.1.0\""),
        ] {
            let other = BODY.replacen(from, to, 1);
            assert_ne!(other, BODY, "{from}");
            assert!(Glance::of(other.as_bytes()).is_err(), "{from} as {to}");
        }
        for cut in 0..BODY.len() {
            assert!(Glance::of(&BODY.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_an_entry_may_leave_out_is_not_missed() {
        let short = BODY.split_once("\"c\":").unwrap().0.to_owned()
            + r#""id":"0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","node":"node-1","res":"ok","v":1,"ver":"0.1.0"}"#;
        let glance = Glance::of(short.as_bytes()).unwrap();
        assert!(glance.obj.is_none() && glance.c.is_none() && glance.rev.is_none() && glance.sprev.is_none());
        // An act that is not known here: the log may be newer.
        assert!(Glance::of(short.replace("review.approve", "moon.land").as_bytes()).is_ok());
    }
}
