//! Reads EDN, and what JSON looks like to it, into values: <https://github.com/edn-format/edn>.
//!
//! Keywords become texts that begin with a colon, but not where they name a field; lists, vectors and sets become lists.
//! Tags are passed over.

use super::Mistake;
use serde_json::{Map, Number, Value};

/// How deeply values may be nested.
const DEPTH: usize = 64;

/// The values of a text, each with its line; of those that are vectors, what is in them.
///
/// # Errors
/// If it is no EDN, with the place.
pub(super) fn values(text: &str) -> Result<Vec<(usize, Value)>, Mistake> {
    let mut reader = Reader { text, at: 0, line: 1, line_start: 0, discarding: 0 };
    let mut values = Vec::new();
    let mut closers: Vec<char> = Vec::new();
    loop {
        reader.skip()?;
        match (reader.peek(), closers.last()) {
            (None, None) => return Ok(values),
            (None, Some(closer)) => {
                return Err(reader.wrong("the text ends too soon", &format!("close it with {closer}")));
            }
            (Some(sign), Some(closer)) if sign == *closer => {
                closers.pop();
                reader.next();
            }
            (Some(sign @ ('[' | '(')), None) => {
                reader.next();
                closers.push(if sign == '[' { ']' } else { ')' });
            }
            (Some(_), _) => {
                let line = reader.line;
                values.push((line, reader.value(0)?));
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
    /// How many discarded values it is in.
    discarding: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let sign = self.peek()?;
        self.at += sign.len_utf8();
        if sign == '\n' {
            (self.line, self.line_start) = (self.line + 1, self.at);
        }
        Some(sign)
    }

    fn wrong(&self, message: &str, cure: &str) -> Mistake {
        let column = self.text[self.line_start..self.at].chars().count() + 1;
        Mistake { line: self.line, column, message: message.to_owned(), cure: cure.to_owned() }
    }

    /// Goes over blanks, comments and what is to be discarded.
    fn skip(&mut self) -> Result<(), Mistake> {
        while let Some(sign) = self.peek() {
            if sign == ';' {
                while self.peek().is_some_and(|sign| sign != '\n') {
                    self.next();
                }
            } else if self.text[self.at..].starts_with("#_") {
                self.discard()?;
            } else if sign.is_whitespace() || sign == ',' {
                self.next();
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Goes over marks that stand one after the other, and as many values.
    fn discard(&mut self) -> Result<(), Mistake> {
        let mut count = 0;
        while self.text[self.at..].starts_with("#_") {
            self.next();
            self.next();
            count += 1;
            while self.peek().is_some_and(|sign| sign.is_whitespace() || sign == ',') {
                self.next();
            }
        }
        self.discarding += 1;
        if self.discarding > DEPTH {
            return Err(self.wrong("this is nested too deeply", "leave out what is to be discarded"));
        }
        for _ in 0..count {
            self.value(0)?;
        }
        self.discarding -= 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Mistake> {
        if depth > DEPTH {
            return Err(self.wrong("this is nested too deeply", "an event is a map of plain values"));
        }
        self.skip()?;
        match self.peek() {
            None => Err(self.wrong(
                "the text ends too soon",
                "an event is a map, for example {:process 0, :type :invoke, :f :read, :value nil}",
            )),
            Some('{') => self.map(depth),
            Some('[') => self.list(']', depth),
            Some('(') => self.list(')', depth),
            Some('"') => self.quoted().map(Value::String),
            Some('#') => {
                self.next();
                if self.peek() == Some('{') {
                    return self.list('}', depth);
                }
                match self.word() {
                    "" => Err(self.wrong("a tag has a name", "write a value")),
                    "#NaN" => {
                        Err(self.wrong("NaN is no value, for it is not the same as itself", "write nil, or a text"))
                    }
                    word if word.starts_with('#') => Ok(Value::String(format!("#{word}"))),
                    _ => self.value(depth + 1),
                }
            }
            Some('\\') => {
                self.next();
                let first = self.next().map(String::from).unwrap_or_default();
                Ok(Value::String(first + self.word()))
            }
            Some(sign) => match self.word() {
                "" => Err(self.wrong(&format!("no value begins with {sign}"), "write a value, or close what is open")),
                word => Ok(plain(word)),
            },
        }
    }

    fn list(&mut self, closer: char, depth: usize) -> Result<Value, Mistake> {
        self.next();
        let mut values = Vec::new();
        loop {
            self.skip()?;
            if self.peek() == Some(closer) {
                self.next();
                return Ok(Value::Array(values));
            }
            values.push(self.value(depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Mistake> {
        self.next();
        let mut fields = Map::new();
        loop {
            self.skip()?;
            if self.peek() == Some('}') {
                self.next();
                return Ok(Value::Object(fields));
            }
            let is_quoted = self.peek() == Some('"');
            let name = match self.value(depth + 1)? {
                Value::String(name) => name.strip_prefix(':').map(str::to_owned).unwrap_or(name),
                other => other.to_string(),
            };
            self.skip()?;
            // In JSON a colon stands between the two.
            if is_quoted && self.peek() == Some(':') {
                self.next();
                self.skip()?;
            }
            if self.peek() == Some('}') {
                return Err(self.wrong(&format!("`{name}` has no value"), "a map is pairs of a name and a value"));
            }
            fields.insert(name, self.value(depth + 1)?);
        }
    }

    fn quoted(&mut self) -> Result<String, Mistake> {
        let (line, start, line_start) = (self.line, self.at, self.line_start);
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => {
                    (self.line, self.at, self.line_start) = (line, start, line_start);
                    return Err(self.wrong("this text has no end", "close it with \""));
                }
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escaped()?),
                Some(sign) => text.push(sign),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Mistake> {
        match self.next() {
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some(sign @ ('"' | '\\' | '/')) => Ok(sign),
            Some('u') => {
                let wrong = self.wrong("this is no character", "write four hexadecimal digits after \\u");
                let unit = self.unit().ok_or_else(|| wrong.clone())?;
                // What needs more than four digits is written in two halves.
                let low = if (0xd800..0xdc00).contains(&unit) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    self.unit()
                } else {
                    None
                };
                let mut signs = char::decode_utf16([unit].into_iter().chain(low));
                signs.next().and_then(Result::ok).ok_or(wrong)
            }
            _ => Err(self.wrong("nothing is escaped like this", "write \\\\ for a backslash")),
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }

    fn word(&mut self) -> &'a str {
        let start = self.at;
        let ends = |sign: char| sign.is_whitespace() || ",;()[]{}\"".contains(sign);
        while self.peek().is_some_and(|sign| !ends(sign)) {
            self.next();
        }
        &self.text[start..self.at]
    }
}

/// A number, a keyword, a symbol.
fn plain(word: &str) -> Value {
    let whole = word.strip_prefix('+').or(word.strip_suffix('N')).unwrap_or(word);
    match word {
        "nil" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => {
            let is_number = word.trim_start_matches(['+', '-']).starts_with(|sign: char| sign.is_ascii_digit());
            let signed = whole.parse::<i64>().ok().map(Number::from);
            let number = signed.or_else(|| whole.parse::<u64>().ok().map(Number::from));
            let number = number.or_else(|| Number::from_f64(word.strip_suffix('M').unwrap_or(word).parse().ok()?));
            match number.filter(|_| is_number) {
                Some(number) => Value::Number(number),
                None => Value::String(word.to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::values;
    use serde_json::{Value, json};

    fn read(text: &str) -> Vec<(usize, Value)> {
        values(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
    }

    #[test]
    fn maps_stand_one_after_the_other_or_in_a_vector() {
        let event = json!({"process": 0, "type": ":invoke", "f": ":cas", "value": [1, null]});
        let text = "{:process 0, :type :invoke, :f :cas, :value [1 nil]}";
        assert_eq!(read(text), [(1, event.clone())]);
        let lines = format!("; recorded\n{text}\n#_{{:a 1}}\n#jepsen.history.Op{text}\n");
        assert_eq!(read(&lines), [(2, event.clone()), (4, event.clone())]);
        let vector = format!("[{text}\n {text}]");
        assert_eq!(read(&vector), [(1, event.clone()), (2, event)]);
        assert_eq!(read("[{\"f\": \"read\", \"value\":null}]"), [(1, json!({"f": "read", "value": null}))]);
    }

    #[test]
    fn plain_values_are_what_they_are_in_json() {
        let text = "-3 7N 1.5 true nil :a/b sym \"x\\n\\u00e9\" #{1 2} (1) #inst \"now\" \\a 18446744073709551615";
        let found: Vec<Value> = read(&format!("{{:a [{text}]}}")).into_iter().map(|(_, value)| value).collect();
        let expected =
            json!([-3, 7, 1.5, true, null, ":a/b", "sym", "x\né", [1, 2], [1], "now", "a", 18446744073709551615_u64]);
        assert_eq!(found, [json!({ "a": expected })]);
        let text = "{:a [##Inf \"\\ud83d\\ude00\" #_#_1 2 3]}";
        assert_eq!(read(text), [(1, json!({"a": ["##Inf", "\u{1f600}", 3]}))]);
    }

    #[test]
    fn what_is_no_edn_has_a_place() {
        for (text, line, column, part) in [
            ("{:a", 1, 4, "ends too soon"),
            ("{:a 1}\n{:b}", 2, 4, "`b` has no value"),
            ("{:a \"é", 1, 5, "no end"),
            ("\"é\" {:a \"x\\q\"}", 1, 13, "escaped"),
            ("[{:a 1}", 1, 8, "ends too soon"),
            ("[{:a 1})", 1, 8, "no value begins with )"),
            ("{:a 1}]", 1, 7, "no value begins with ]"),
            ("{:a \"\\ud800\"}", 1, 8, "no character"),
            ("# {}", 1, 2, "a tag has a name"),
            ("{:a ##NaN}", 1, 10, "not the same as itself"),
            ("{:a \"\\ud800\\u0041\"}", 1, 8, "no character"),
        ] {
            let mistake = values(text).expect_err(text);
            assert_eq!((mistake.line, mistake.column), (line, column), "{text}: {mistake}");
            assert!(mistake.message.contains(part), "{text}: {mistake}");
        }
        for deep in ["[", "{:a ", "#a ", "#_[", "[#_"] {
            let mistake = values(&deep.repeat(100_000)).expect_err(deep);
            assert!(mistake.message.contains("nested"), "{deep}: {mistake}");
        }
        assert!(values(&"#_".repeat(100_000)).expect_err("no value").message.contains("ends too soon"));
    }
}
