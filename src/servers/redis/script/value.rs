//! The values of a script, and its tables.

use super::super::double::Double;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value. Tables and functions are numbers into the machine's store.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Lua {
    Nil,
    Bool(bool),
    Number(Double),
    Text(Arc<[u8]>),
    Table(usize),
    Closure(usize),
    /// A function of the library, by its place there.
    Native(usize),
}

impl Lua {
    pub(super) fn text(bytes: &[u8]) -> Lua {
        Lua::Text(Arc::from(bytes))
    }

    pub(super) fn int(int: i64) -> Lua {
        Lua::Number(Double::from_int(int))
    }

    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Lua::Nil | Lua::Bool(false))
    }

    /// The word that `type` answers.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Lua::Nil => "nil",
            Lua::Bool(_) => "boolean",
            Lua::Number(_) => "number",
            Lua::Text(_) => "string",
            Lua::Table(_) => "table",
            Lua::Closure(_) | Lua::Native(_) => "function",
        }
    }

    /// A number, or a string that reads as one.
    pub(super) fn number(&self) -> Option<Double> {
        match self {
            Lua::Number(number) => Some(*number),
            Lua::Text(text) => Double::scripted(text),
            _ => None,
        }
    }

    /// A string, or a number as one.
    pub(super) fn bytes(&self) -> Option<Arc<[u8]>> {
        match self {
            Lua::Text(text) => Some(Arc::clone(text)),
            Lua::Number(number) => Some(Arc::from(number.short_text().as_bytes())),
            _ => None,
        }
    }
}

/// What can be a key: numbers first, in their order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Key {
    Number(Double),
    Text(Arc<[u8]>),
    Bool(bool),
    Table(usize),
    Closure(usize),
    Native(usize),
}

impl Key {
    /// None for nil and NaN.
    pub(super) fn of(value: &Lua) -> Option<Key> {
        match value {
            Lua::Nil => None,
            Lua::Number(number) => (!number.is_nan()).then_some(Key::Number(*number)),
            Lua::Text(text) => Some(Key::Text(Arc::clone(text))),
            Lua::Bool(is_true) => Some(Key::Bool(*is_true)),
            Lua::Table(table) => Some(Key::Table(*table)),
            Lua::Closure(closure) => Some(Key::Closure(*closure)),
            Lua::Native(native) => Some(Key::Native(*native)),
        }
    }

    fn value(&self) -> Lua {
        match self {
            Key::Number(number) => Lua::Number(*number),
            Key::Text(text) => Lua::Text(Arc::clone(text)),
            Key::Bool(is_true) => Lua::Bool(*is_true),
            Key::Table(table) => Lua::Table(*table),
            Key::Closure(closure) => Lua::Closure(*closure),
            Key::Native(native) => Lua::Native(*native),
        }
    }

    /// The place in a list, from 0, if it is one.
    fn place(&self) -> Option<usize> {
        let Key::Number(number) = self else { return None };
        let index = number.to_int();
        (index >= 1 && Double::from_int(index) == *number).then(|| usize::try_from(index - 1).ok()).flatten()
    }
}

/// A table: a list from 1 on, and the rest.
#[derive(Clone, Default, Debug)]
pub(super) struct Table {
    /// Its last element is not nil.
    list: Vec<Lua>,
    rest: BTreeMap<Key, Lua>,
    /// Whether scripts cannot change it.
    pub(super) is_fixed: bool,
}

impl Table {
    pub(super) fn list(mut list: Vec<Lua>) -> Table {
        while list.last() == Some(&Lua::Nil) {
            list.pop();
        }
        Table { list, rest: BTreeMap::new(), is_fixed: false }
    }

    /// What `#` answers.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, key: &Key) -> Lua {
        let listed = key.place().and_then(|place| self.list.get(place));
        listed.or_else(|| self.rest.get(key)).cloned().unwrap_or(Lua::Nil)
    }

    pub(super) fn field(&self, name: &str) -> Lua {
        self.get(&Key::Text(Arc::from(name.as_bytes())))
    }

    pub(super) fn at(&self, index: usize) -> Lua {
        self.get(&Key::Number(Double::from_int(i64::try_from(index).unwrap_or(i64::MAX))))
    }

    pub(super) fn set_field(&mut self, name: &str, value: Lua) {
        self.set(Key::Text(Arc::from(name.as_bytes())), value);
    }

    pub(super) fn set(&mut self, key: Key, value: Lua) {
        match key.place() {
            Some(place) if place < self.list.len() => {
                self.list[place] = value;
                while self.list.last() == Some(&Lua::Nil) {
                    self.list.pop();
                }
            }
            Some(place) if place == self.list.len() && value != Lua::Nil => {
                self.rest.remove(&key);
                self.list.push(value);
                // What came early now follows.
                let next = |list: &Vec<Lua>| Key::Number(Double::from_int(i64::try_from(list.len()).unwrap_or(0) + 1));
                while let Some(value) = self.rest.remove(&next(&self.list)) {
                    self.list.push(value);
                }
            }
            _ if value == Lua::Nil => _ = self.rest.remove(&key),
            _ => _ = self.rest.insert(key, value),
        }
    }

    /// The list, to be changed as a whole by who keeps its last element from being nil.
    pub(super) fn list_mut(&mut self) -> &mut Vec<Lua> {
        &mut self.list
    }

    /// The key after this one and its value; the first without one. None if there is no such key.
    pub(super) fn next(&self, key: Option<&Key>) -> Option<(Lua, Lua)> {
        let from = match key {
            None => Some(0),
            Some(key) => key.place().filter(|place| *place < self.list.len()).map(|place| place + 1),
        };
        if let Some(from) = from {
            let found = (from..self.list.len()).find(|place| self.list[*place] != Lua::Nil);
            if let Some(place) = found {
                return Some((Lua::int(i64::try_from(place).ok()? + 1), self.list[place].clone()));
            }
            return self.rest.first_key_value().map(|(key, value)| (key.value(), value.clone()));
        }
        let after = (std::ops::Bound::Excluded(key?), std::ops::Bound::Unbounded);
        self.rest.range(after).next().map(|(key, value)| (key.value(), value.clone()))
    }
}
