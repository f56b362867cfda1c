//! A command as one would type it.

/// The word, in quotes if a shell would else take it apart.
pub fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "_-./=:,%@+".contains(sign);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("network.loss=2%"), "network.loss=2%");
        assert_eq!(quoted("expect=Breaks([\"a\"])"), "'expect=Breaks([\"a\"])'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
