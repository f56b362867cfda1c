//! As much of Rust's grammar as it takes to see which paths and names a file uses.

/// A path that begins at a crate's root, resolved.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) line: usize,
    /// Whether it begins at our own root; at that of the standard library, if not.
    pub(crate) in_crate: bool,
    /// The names from the root on, `["world", "World"]`; `*` for all.
    pub(crate) target: Vec<String>,
}

/// What a file uses outside its tests.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file's place among the modules.
    pub(crate) module: Vec<String>,
    pub(crate) paths: Vec<Path>,
    /// The modules that are declared here, in files of their own, for tests only.
    pub(crate) tests: Vec<Vec<String>>,
    tokens: Vec<Token>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Token {
    line: usize,
    text: String,
}

/// The module that a file is: `src/a/b.rs` is `a::b`, `src/lib.rs` the root.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Whether a path lies in a place: `run::outcome::Verdict` in `run::outcome` and in `run`.
pub(crate) fn is_within(path: &[String], place: &str) -> bool {
    let mut names = path.iter();
    place.split("::").all(|part| names.next().is_some_and(|name| part == "*" || part == name))
}

impl Source {
    pub(crate) fn read(file: &str, text: &str) -> Source {
        let module = module_of(file);
        let (tokens, tests) = without_tests(tokens(text), &module);
        let paths = Reader { module: &module, tokens: &tokens, inner: Vec::new(), depth: 0, found: Vec::new() }.read();
        Source { module, paths, tests, tokens }
    }

    /// Where a name stands: a path of the standard library, a macro with its `!`, or a word. A
    /// number with a point is a `f64`.
    pub(crate) fn lines_with(&self, name: &str) -> Vec<usize> {
        if let Some(path) = name.strip_prefix("std::") {
            // Who imports what a name stands in has the name, too.
            let is_above = |found: &Path| path.starts_with(&format!("{}::", found.target.join("::")));
            let is_all = |found: &Path| found.target[0] == "*";
            let is_it =
                |found: &&Path| !found.in_crate && (is_within(&found.target, path) || is_above(found) || is_all(found));
            return self.paths.iter().filter(is_it).map(|found| found.line).collect();
        }
        let is_number = |text: &str| text.starts_with(|first: char| first.is_ascii_digit()) && !text.starts_with("0x");
        let is_float = |text: &str| {
            is_number(text) && (text.contains(['.', '-']) || (text.ends_with("f64") || text.ends_with("f32")))
        };
        let is_macro = |place: usize| self.tokens.get(place + 1).is_some_and(|next| next.text == "!");
        let is_it = |(place, token): &(usize, &Token)| match name.strip_suffix('!') {
            Some(word) => token.text == word && is_macro(*place),
            None => token.text == name || (name == "f64" && is_float(&token.text)),
        };
        self.tokens.iter().enumerate().filter(is_it).map(|(_, token)| token.line).collect()
    }
}

/// Words, numbers, `::` and single signs; no comments, no texts.
fn tokens(text: &str) -> Vec<Token> {
    let signs: Vec<char> = text.chars().collect();
    let at = |place: usize| signs.get(place).copied().unwrap_or('\0');
    let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
    let (mut tokens, mut place, mut line) = (Vec::<Token>::new(), 0, 1);
    while place < signs.len() {
        let start = place;
        let mut text = String::new();
        match (at(place), at(place + 1)) {
            ('/', '/') => place += (place..signs.len()).take_while(|place| at(*place) != '\n').count(),
            ('/', '*') => {
                let mut depth = 0;
                loop {
                    match (at(place), at(place + 1)) {
                        ('/', '*') => (depth, place) = (depth + 1, place + 2),
                        ('*', '/') => (depth, place) = (depth - 1, place + 2),
                        _ => place += 1,
                    }
                    if depth == 0 || place >= signs.len() {
                        break;
                    }
                }
            }
            ('r', '"' | '#') if raw_text(&signs, place + 1).is_some() => {
                place = raw_text(&signs, place + 1).expect("a raw text");
            }
            ('"', _) => {
                place += 1;
                while place < signs.len() && at(place) != '"' {
                    place += if at(place) == '\\' { 2 } else { 1 };
                }
                place += 1;
            }
            ('\'', '\\') => {
                place += 3;
                place += (place..signs.len()).take_while(|place| at(*place) != '\'').count() + 1;
            }
            ('\'', _) if at(place + 2) == '\'' => place += 3,
            // A lifetime is one token, so that `'static` is not `static`.
            ('\'', _) => place += 1 + (place + 1..signs.len()).take_while(|place| is_word(at(*place))).count(),
            (':', ':') => (text, place) = ("::".to_owned(), place + 2),
            (first, _) if is_word(first) => {
                // After a point stands the place in a tuple: in `pair.0.1` there is no number 0.1.
                let in_tuple = tokens.last().is_some_and(|last| last.text == ".");
                let is_hex = first == '0' && matches!(at(place + 1), 'x' | 'b' | 'o');
                let is_number = first.is_ascii_digit() && !in_tuple && !is_hex;
                while is_word(at(place))
                    || (is_number && at(place) == '.' && at(place + 1).is_ascii_digit())
                    || (is_number && at(place) == '-' && matches!(at(place - 1), 'e' | 'E'))
                {
                    place += 1;
                }
                text = signs[start..place].iter().collect();
            }
            (first, _) => {
                place += 1;
                if !first.is_whitespace() {
                    text = first.to_string();
                }
            }
        }
        if !text.is_empty() {
            tokens.push(Token { line, text });
        }
        line += signs[start..place.min(signs.len())].iter().filter(|sign| **sign == '\n').count();
    }
    tokens
}

/// Where a raw text ends whose signs `#` or `"` begin here.
fn raw_text(signs: &[char], start: usize) -> Option<usize> {
    let hashes = signs[start..].iter().take_while(|sign| **sign == '#').count();
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let text = signs[start + hashes..].strip_prefix(&['"'])?;
    let length = text.windows(end.len()).position(|window| window == end)?;
    Some(start + hashes + 1 + length + end.len())
}

/// Takes away what stands under `#[cfg(test)]`, and tells which modules that declares elsewhere.
fn without_tests(tokens: Vec<Token>, module: &[String]) -> (Vec<Token>, Vec<Vec<String>>) {
    let text = |place: usize| tokens.get(place).map_or("", |token| token.text.as_str());
    let (mut kept, mut tests, mut place) = (Vec::new(), Vec::new(), 0);
    while place < tokens.len() {
        if (0..7).any(|ahead| text(place + ahead) != ["#", "[", "cfg", "(", "test", ")", "]"][ahead]) {
            kept.push(tokens[place].clone());
            place += 1;
            continue;
        }
        place += 7;
        while text(place) == "#" {
            place = closing(&tokens, place + 1) + 1;
        }
        if text(place) == "pub" {
            place = if text(place + 1) == "(" { closing(&tokens, place + 1) + 1 } else { place + 1 };
        }
        if text(place) == "mod" && text(place + 2) == ";" {
            tests.push(module.iter().cloned().chain([text(place + 1).to_owned()]).collect());
        }
        while place < tokens.len() && !matches!(text(place), ";" | "{") {
            place = if matches!(text(place), "(" | "[") { closing(&tokens, place) + 1 } else { place + 1 };
        }
        place = if text(place) == "{" { closing(&tokens, place) + 1 } else { place + 1 };
    }
    (kept, tests)
}

/// Where the bracket closes that opens here.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    tokens.len()
}

struct Reader<'a> {
    module: &'a [String],
    tokens: &'a [Token],
    /// The modules that are open within the file, each with the depth of its brace.
    inner: Vec<(String, usize)>,
    depth: usize,
    found: Vec<Path>,
}

impl Reader<'_> {
    fn text(&self, place: usize) -> &str {
        self.tokens.get(place).map_or("", |token| token.text.as_str())
    }

    fn read(mut self) -> Vec<Path> {
        let mut place = 0;
        while place < self.tokens.len() {
            match self.text(place) {
                // `impl Trait + use<'a>` imports nothing.
                "use" if self.text(place + 1) != "<" => {
                    // Leading `::` begins at a crate, as a name without it does here.
                    let start = place + 1 + usize::from(self.text(place + 1) == "::");
                    place = self.tree(start, Vec::new());
                    continue;
                }
                "mod" if self.text(place + 2) == "{" => {
                    self.inner.push((self.text(place + 1).to_owned(), self.depth));
                }
                "{" => self.depth += 1,
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.inner.pop_if(|inner| inner.1 == self.depth);
                }
                _ if self.text(place + 1) == "::" && !self.follows_a_name(place) => {
                    place = self.inline(place);
                    continue;
                }
                _ => {}
            }
            place += 1;
        }
        self.found
    }

    /// Whether the name here is not the first of its path.
    fn follows_a_name(&self, place: usize) -> bool {
        let is_name = |text: &str| text.starts_with(|first: char| first.is_alphanumeric() || first == '_');
        place >= 2 && self.text(place - 1) == "::" && is_name(self.text(place - 2))
    }

    /// A path in the midst of code.
    fn inline(&mut self, start: usize) -> usize {
        let (mut names, mut place) = (vec![self.text(start).to_owned()], start + 1);
        while self.text(place) == "::" && self.text(place + 1).starts_with(|first: char| first.is_alphabetic()) {
            names.push(self.text(place + 1).to_owned());
            place += 2;
        }
        self.found(start, &names);
        place
    }

    /// A branch of a `use`, after what stands before it. Answers where the next begins.
    fn tree(&mut self, start: usize, mut names: Vec<String>) -> usize {
        let mut place = start;
        loop {
            match self.text(place) {
                "{" => {
                    place += 1;
                    while !matches!(self.text(place), "}" | ";" | "") {
                        place = self.tree(place, names.clone());
                        place += usize::from(self.text(place) == ",");
                    }
                    return place + 1;
                }
                "::" => place += 1,
                "as" => place += 2,
                "," | "}" | ";" | "" => {
                    self.found(start, &names);
                    return place;
                }
                "self" if !names.is_empty() => place += 1,
                name => {
                    names.push(name.to_owned());
                    place += 1;
                }
            }
        }
    }

    /// Notes a path if it begins at a root that matters.
    fn found(&mut self, place: usize, names: &[String]) {
        let mut here: Vec<String> =
            self.module.iter().chain(self.inner.iter().map(|inner| &inner.0)).cloned().collect();
        let mut rest = names;
        let in_crate = match names[0].as_str() {
            "std" | "core" | "alloc" => {
                (here, rest) = (Vec::new(), &names[1..]);
                false
            }
            "crate" | "squall" => {
                (here, rest) = (Vec::new(), &names[1..]);
                true
            }
            "self" | "super" => {
                while let Some((first, others)) = rest.split_first()
                    && matches!(first.as_str(), "self" | "super")
                {
                    if first == "super" {
                        here.pop();
                    }
                    rest = others;
                }
                true
            }
            _ => return,
        };
        let mut target: Vec<String> = here.into_iter().chain(rest.iter().cloned()).collect();
        if target.first().is_some_and(|first| first == "*") {
            target.clear();
        }
        if target.is_empty() && !in_crate {
            target.push("*".to_owned());
        }
        self.found.push(Path { line: self.tokens[place].line, in_crate, target });
    }
}
