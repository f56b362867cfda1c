//! The keys of `squall place`: words of the command line, or lines of standard input.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};

/// Where keys come from.
pub(super) enum Keys<'a> {
    /// The command line.
    Words(&'a [OsString]),
    /// Standard input, a line a key.
    Input,
    /// All that were there: one behind the other, and where each ends.
    Gathered(Vec<u8>, Vec<usize>),
}

impl Keys<'_> {
    /// Those of the command line, or, if these are a single `-`, of standard input.
    ///
    /// # Errors
    /// If there is a `-` among others.
    pub(super) fn of(words: &[OsString]) -> Result<Keys<'_>, String> {
        match words {
            [word] if word == "-" => Ok(Keys::Input),
            words if words.iter().any(|word| word == "-") => {
                Err("- reads keys from standard input and stands alone; to place the key - itself, send it there"
                    .to_owned())
            }
            words => Ok(Keys::Words(words)),
        }
    }

    /// How many there are, as far as that is known before they are read.
    pub(super) fn count(&self) -> u64 {
        match self {
            Keys::Words(words) => words.len() as u64,
            Keys::Input => 0,
            Keys::Gathered(_, ends) => ends.len() as u64,
        }
    }

    /// The same, all read.
    ///
    /// # Errors
    /// If standard input fails.
    pub(super) fn gathered(self) -> io::Result<Self> {
        let Keys::Input = self else { return Ok(self) };
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        self.each(|key, _| {
            bytes.extend_from_slice(key);
            ends.push(bytes.len());
            Ok(())
        })?;
        Ok(Keys::Gathered(bytes, ends))
    }

    /// Hands over one after the other, and whether the next one is not there yet: somebody may wait for the answer before
    /// asking on.
    ///
    /// # Errors
    /// If standard input fails, or what is done with a key does.
    pub(super) fn each(&self, mut take: impl FnMut(&[u8], bool) -> io::Result<()>) -> io::Result<()> {
        match self {
            Keys::Words(words) => words.iter().try_for_each(|word| take(word.as_encoded_bytes(), false)),
            Keys::Input => lines(BufReader::with_capacity(1 << 16, io::stdin().lock()), take),
            Keys::Gathered(bytes, ends) => {
                let starts = [0].iter().chain(ends);
                starts.zip(ends).try_for_each(|(start, end)| take(&bytes[*start..*end], false))
            }
        }
    }
}

/// Lines, without what ends them: a newline, or a carriage return and a newline. The last one may have no end.
fn lines<R: io::Read>(mut input: BufReader<R>, mut take: impl FnMut(&[u8], bool) -> io::Result<()>) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let said = |error: io::Error| io::Error::new(io::ErrorKind::InvalidData, format!("standard input: {error}"));
        if input.read_until(b'\n', &mut line).map_err(said)? == 0 {
            return Ok(());
        }
        if line.pop_if(|byte| *byte == b'\n').is_some() {
            line.pop_if(|byte| *byte == b'\r');
        }
        take(&line, input.buffer().is_empty())?;
    }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use std::io::BufReader;

    #[test]
    fn a_line_is_a_key_whatever_is_in_it() {
        let keys = |text: &[u8]| {
            let mut keys = Vec::new();
            let take = |key: &[u8], is_awaited| {
                keys.push((key.to_vec(), is_awaited));
                Ok(())
            };
            lines(BufReader::new(text), take).map(|()| keys).expect("a text does not fail")
        };
        let key = |key: &[u8], is_awaited| (key.to_vec(), is_awaited);
        assert_eq!(keys(b""), []);
        assert_eq!(keys(b"\n"), [key(b"", true)]);
        assert_eq!(
            keys(b"a\r\n\n\xff\0\rb\nc\r"),
            [key(b"a", false), key(b"", false), key(b"\xff\0\rb", false), key(b"c\r", true)]
        );
    }
}
