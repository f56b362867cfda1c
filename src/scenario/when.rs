//! The moments that a fault can wait for, as a scenario names them.

use crate::environment::fault::Moment;
use serde::de::{self, Deserializer, EnumAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A kind of moment. `LeaderElected` is short for `Goal("raft.leader-elected")`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// A moment, spelled out.
    Moment(Moment),
    /// A goal of the system by the last part of its name, words joined. What is loaded and checked has none.
    Named(String),
}

/// The moments that are not about a system, as they are written.
const PLAIN: [(&str, Moment); 5] = [
    ("Written", Moment::Written),
    ("Syncing", Moment::Syncing),
    ("Synced", Moment::Synced),
    ("Started", Moment::Started),
    ("Crashed", Moment::Crashed),
];

impl When {
    /// The moment, if it is known.
    pub fn moment(&self) -> Option<&Moment> {
        match self {
            When::Moment(moment) => Some(moment),
            When::Named(_) => None,
        }
    }

    /// Replaces a short name by the goal of that name, if there is one.
    pub fn resolve(&mut self, goals: &[&str]) {
        if let When::Named(name) = self
            && let Some(goal) = goals.iter().find(|goal| short(goal) == *name)
        {
            *self = When::Moment(Moment::Goal((*goal).to_owned()));
        }
    }

    /// The names that need no quotes: of the moments of every system, and of these goals.
    pub fn names(goals: &[&str]) -> Vec<String> {
        PLAIN.iter().map(|(name, _)| (*name).to_owned()).chain(goals.iter().map(|goal| short(goal))).collect()
    }
}

/// `LeaderElected` for `raft.leader-elected`.
pub fn short(goal: &str) -> String {
    let last = goal.rsplit('.').next().unwrap_or(goal);
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    last.split('-').map(capital).collect()
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            When::Moment(moment) => moment.serialize(serializer),
            When::Named(name) => Moment::Goal(name.clone()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = When;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment such as LeaderElected, Written or Goal(\"raft.leader-elected\")")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<When, A::Error> {
                let (Name(name), content) = access.variant()?;
                let moment = match name.as_str() {
                    "Goal" => Moment::Goal(content.newtype_variant()?),
                    "Fact" => Moment::Fact(content.newtype_variant()?),
                    "Message" => Moment::Message(content.newtype_variant()?),
                    _ => {
                        content.unit_variant()?;
                        match PLAIN.iter().find(|(plain, _)| *plain == name) {
                            Some((_, moment)) => moment.clone(),
                            None => return Ok(When::Named(name)),
                        }
                    }
                };
                Ok(When::Moment(moment))
            }
        }
        deserializer.deserialize_enum("When", &[], Reader)
    }
}

/// The name of a variant, whatever it is.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name(name.to_owned()))
            }
        }
        deserializer.deserialize_identifier(Reader)
    }
}

/// An inclusive range of counts. Written `3` for one value, `(0, 300)` for a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CountRange {
    /// The least.
    pub min: u32,
    /// The most; never less than `min`.
    pub max: u32,
}

impl Serialize for CountRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.min == self.max { self.min.serialize(serializer) } else { (self.min, self.max).serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for CountRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CountRange, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = CountRange;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count such as 3 or a range such as (0, 300)")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<CountRange, E> {
                let count = u32::try_from(count).map_err(|_| E::custom(format!("count {count} is too large")))?;
                Ok(CountRange { min: count, max: count })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CountRange, A::Error> {
                let two = "a range has two ends: (0, 300)";
                let min: u32 = seq.next_element()?.ok_or_else(|| de::Error::custom(two))?;
                let max: u32 = seq.next_element()?.ok_or_else(|| de::Error::custom(two))?;
                if min > max {
                    let message = format!("range from {min} to {max} runs backwards; write ({max}, {min})");
                    return Err(de::Error::custom(message));
                }
                Ok(CountRange { min, max })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::options;
    use super::*;

    #[test]
    fn a_goal_is_named_in_one_word_or_in_full() {
        let goals = ["raft.leader-deposed", "raft.leader-elected"];
        let read = |text: &str| {
            let mut when: When = options().from_str(text).expect(text);
            when.resolve(&goals);
            when
        };
        let elected = When::Moment(Moment::Goal("raft.leader-elected".to_owned()));
        assert_eq!(read("LeaderElected"), elected);
        assert_eq!(read("Goal(\"raft.leader-elected\")"), elected);
        assert_eq!(read("Written"), When::Moment(Moment::Written));
        assert_eq!(read("Message(\"RequestVote\")"), When::Moment(Moment::Message("RequestVote".to_owned())));
        assert_eq!(read("LeaderErected"), When::Named("LeaderErected".to_owned()));
        for text in ["Goal(\"raft.leader-elected\")", "Synced", "Fact(\"Returned\")"] {
            assert_eq!(options().to_string(&read(text)).expect(text), text);
        }
    }

    #[test]
    fn counts_are_one_or_a_range() {
        let read = |text: &str| options().from_str::<CountRange>(text);
        assert_eq!(read("3"), Ok(CountRange { min: 3, max: 3 }));
        assert_eq!(read("(0, 300)"), Ok(CountRange { min: 0, max: 300 }));
        assert!(read("(5, 3)").is_err() && read("-1").is_err() && read("5000000000").is_err());
    }
}
