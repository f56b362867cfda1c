//! The fields of a JSON object, each asked for by its names; what nobody asked for is a mistake.

use serde_json::{Map, Value};

/// The fields of one object.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

/// A field's name in transcripts, and its name in the API, if that is another. Either may be used.
pub(super) type Names = &'static [&'static str];

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Fields<'a>, String> {
        let object = value.as_object().ok_or_else(|| format!("expected an object, found {value}"))?;
        Ok(Fields { object, asked: Vec::new() })
    }

    /// The value of a field, if it is there.
    pub(super) fn value(&mut self, names: Names) -> Option<&'a Value> {
        self.asked.extend(names);
        names.iter().find_map(|name| self.object.get(*name))
    }

    /// The value of a field that must be there.
    pub(super) fn needed(&mut self, names: Names) -> Result<&'a Value, String> {
        self.value(names).ok_or_else(|| format!("`{}` is missing", names[0]))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, names: Names) -> Result<&'a str, String> {
        let value = self.needed(names)?;
        value.as_str().ok_or_else(|| wrong(names, "a text", value))
    }

    /// A text, empty if it is not there.
    pub(super) fn text_or_empty(&mut self, names: Names) -> Result<&'a str, String> {
        if self.value(names).is_none() { Ok("") } else { self.text(names) }
    }

    /// A whole number that must be there.
    pub(super) fn number(&mut self, names: Names) -> Result<i64, String> {
        let value = self.needed(names)?;
        value.as_i64().ok_or_else(|| wrong(names, "a whole number", value))
    }

    /// A whole number, 0 if it is not there.
    pub(super) fn number_or_zero(&mut self, names: Names) -> Result<i64, String> {
        if self.value(names).is_none() { Ok(0) } else { self.number(names) }
    }

    /// Whether a field is there and true.
    pub(super) fn flag(&mut self, names: Names) -> Result<bool, String> {
        match self.value(names) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| wrong(names, "true or false", value)),
        }
    }

    /// A list, empty if it is not there.
    pub(super) fn list(&mut self, names: Names) -> Result<&'a [Value], String> {
        match self.value(names) {
            None => Ok(&[]),
            Some(value) => Ok(value.as_array().ok_or_else(|| wrong(names, "a list", value))?),
        }
    }

    /// Complains if there is a field that was not asked for.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.object.keys().find(|name| !self.asked.contains(&name.as_str())) {
            Some(name) => Err(format!("`{name}` is not known here")),
            None => Ok(()),
        }
    }
}

fn wrong(names: Names, expected: &str, found: &Value) -> String {
    format!("`{}` is {found}, expected {expected}", names[0])
}
