//! Patterns of KEYS and SCAN (util.c, `stringmatchlen`).

/// Whether a text is as the pattern says: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before what is meant as it stands.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on if the rest does not fit: after the last star, one byte further.
    let (mut pattern, mut text, mut again) = (pattern, text, None);
    loop {
        if let [b'*', rest @ ..] = pattern {
            (pattern, again) = (rest, Some((rest, text)));
            continue;
        }
        match (text, one(pattern, text)) {
            ([], _) if pattern.is_empty() => return true,
            ([_, rest @ ..], Some(length)) => (pattern, text) = (&pattern[length..], rest),
            _ => {
                let Some((after_star, [_, rest @ ..])) = again else { return false };
                (pattern, text, again) = (after_star, rest, Some((after_star, rest)));
            }
        }
    }
}

/// How long the part of a pattern is that fits the first byte of a text.
fn one(pattern: &[u8], text: &[u8]) -> Option<usize> {
    let byte = text.first()?;
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (fits, length) = class_fits(class, *byte);
            fits.then_some(length + 1)
        }
        [b'\\', escaped, ..] => (escaped == byte).then_some(2),
        [plain, ..] => (plain == byte).then_some(1),
        [] => None,
    }
}

/// Whether a byte is in a class, and how long that is, its end included.
fn class_fits(class: &[u8], byte: u8) -> (bool, usize) {
    let is_negated = class.first() == Some(&b'^');
    let (mut place, mut fits) = (usize::from(is_negated), false);
    loop {
        match class[place.min(class.len())..] {
            [] => return (fits != is_negated, class.len()),
            [b']', ..] => return (fits != is_negated, place + 1),
            [b'\\', escaped, ..] => {
                fits |= escaped == byte;
                place += 2;
            }
            [low, b'-', high, ..] => {
                fits |= (low.min(high)..=low.max(high)).contains(&byte);
                place += 3;
            }
            [plain, ..] => {
                fits |= plain == byte;
                place += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_those_of_the_server() {
        for (pattern, text, is_match) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*a*b*", "xxaxxbx", true),
            ("h?llo", "hello", true),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h\\*", "h*", true),
            ("h\\*", "hx", false),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), is_match, "{pattern} {text}");
        }
    }
}
