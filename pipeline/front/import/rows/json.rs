//! A list of objects (RFC 8259), read one by one.

use std::fmt;
use std::io::{self, BufReader, Read};

use anyhow::anyhow;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Columns, Meter, Refused, Row, Take, known, refused, shown};

/// What a double is sure to keep of a decimal number (IEEE 754, binary64).
const DIGITS_MAX: usize = 15;

pub(super) fn rows(file: impl Read, columns: &'static Columns, take: Take<'_>) -> anyhow::Result<()> {
    let meter = Meter::default();
    let mut read = serde_json::Deserializer::from_reader(BufReader::new(meter.around(file)));
    let mut stopped = None;
    let list = List { columns, meter: &meter, take, stopped: &mut stopped };
    let end = read.deserialize_seq(list).and_then(|()| read.end());
    match (stopped, end) {
        (Some(err), _) => Err(err),
        (None, Err(err)) if err.is_io() => Err(io::Error::from(err).into()),
        (None, Err(err)) => Err(anyhow!(err).context("it is not a JSON list of objects")),
        (None, Ok(())) => Ok(()),
    }
}

struct List<'a, 'b> {
    columns: &'static Columns,
    meter: &'a Meter,
    take: Take<'b>,
    /// Why whoever takes the rows wants no more.
    stopped: &'a mut Option<anyhow::Error>,
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 1;
        while let Some(row) = list.next_element_seed(Object { columns: self.columns, number })? {
            if let Err(err) = (self.take)(row) {
                *self.stopped = Some(err);
                return Err(A::Error::custom("stopped"));
            }
            self.meter.next_row();
            number += 1;
        }
        Ok(())
    }
}

struct Object {
    columns: &'static Columns,
    number: u64,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Result<Row, Refused>;

    fn deserialize<D: Deserializer<'de>>(self, object: D) -> Result<Self::Value, D::Error> {
        object.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Result<Row, Refused>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let Object { columns, number } = self;
        let mut cells: Vec<Option<String>> = vec![None; columns.names.len()];
        let mut wrong = None;
        while let Some(name) = object.next_key::<String>()? {
            let value = object.next_value_seed(Value)?;
            let Some(cell) = known(&name, columns).and_then(|place| cells.get_mut(place)) else {
                let text = value.unwrap_or_else(|(text, _)| text);
                wrong = wrong.or(Some(refused(number, &shown(&name), &text, &format!("is no column; {columns}"))));
                continue;
            };
            match value {
                Ok(text) if cell.is_none() => *cell = Some(text.trim().to_owned()),
                Ok(text) => wrong = wrong.or(Some(refused(number, &name, &text, "stands twice in one object"))),
                Err((text, why)) => wrong = wrong.or(Some(refused(number, &name, &text, why))),
            }
        }
        let cells = cells.into_iter().map(Option::unwrap_or_default).collect();
        Ok(wrong.map_or(Ok(Row { number, cells }), Err))
    }
}

/// A member as text, or as much as can be shown of it and why it is none.
struct Value;

type Text = Result<String, (String, &'static str)>;

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Text, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or null")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Ok(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Ok(String::new()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Text, E> {
        Ok(Ok(truth.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Ok(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Ok(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        let text = number.to_string();
        let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
        let kept = digits <= DIGITS_MAX;
        Ok(if kept { Ok(text) } else { Err((text, "has more digits than a number of JSON keeps; write it as a text")) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(("[…]".to_owned(), "is a list")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Text, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(("{…}".to_owned(), "is an object")))
    }
}
