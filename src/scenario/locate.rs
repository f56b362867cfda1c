//! Where a field stands in RON text: a scanner that knows nesting, strings and comments, and
//! nothing of types. It reads wrong text as far as it can, because that is when it is needed.

use super::token::{Token, tokens};
use std::fmt;
use std::ops::Range;

/// One step from a value to a value inside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PathStep {
    /// The field of a struct, or the key of a map.
    Field(String),
    /// The element of a list or a tuple, from 0. The content of `Isolate(Leader)` is its element 0.
    Index(usize),
}

/// The steps of `faults[2].until`.
pub fn path(text: &str) -> Vec<PathStep> {
    text.split(['.', '['])
        .filter(|step| !step.is_empty())
        .map(|step| match step.strip_suffix(']').and_then(|index| index.parse().ok()) {
            Some(index) => PathStep::Index(index),
            None => PathStep::Field(step.to_owned()),
        })
        .collect()
}

/// The steps as text, `faults[2].until`; the opposite of [`path`].
pub fn path_text(path: &[PathStep]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        PathStep::Field(name) if text.is_empty() => name.clone(),
        PathStep::Field(name) => format!("{text}.{name}"),
        PathStep::Index(index) => format!("{text}[{index}]"),
    })
}

/// A value in the text. Offsets are in bytes.
#[derive(Clone, Debug)]
pub struct Node {
    parent: usize,
    /// How its parent calls it; `None` for the whole text's value.
    pub step: Option<PathStep>,
    /// The field's name in the text, empty if it has none.
    pub key: Range<usize>,
    /// The name before a bracket, or the word it consists of; empty if there is none.
    pub name: Range<usize>,
    /// Whether it has brackets, and so may have values inside.
    pub is_container: bool,
    /// All of it.
    pub span: Range<usize>,
}

impl Node {
    /// The one token that stands for the value when a finger is pointed: all of a plain value, the
    /// name or the bracket of a container.
    pub fn token(&self) -> Range<usize> {
        match (self.is_container, self.name.is_empty()) {
            (false, _) => self.span.clone(),
            (true, false) => self.name.clone(),
            (true, true) => self.span.start..self.span.start + 1,
        }
    }
}

/// What is wrong with the brackets, quotes or comments, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// This bracket is never closed.
    Unclosed(Range<usize>),
    /// This bracket closes nothing.
    Stray(Range<usize>),
    /// The second bracket does not fit the first.
    Mismatched(Range<usize>, Range<usize>),
    /// Text that begins here has no closing quote.
    OpenText(Range<usize>),
    /// A comment that begins here is never closed.
    OpenComment(Range<usize>),
}

/// All values of a text, in the order in which they begin.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The first thing wrong with the text's shape.
    pub flaw: Option<Flaw>,
    /// The first value, by its place in [`nodes`](Tree::nodes), after which another one stands without a comma, and where that is.
    pub beside: Option<(usize, Range<usize>)>,
}

impl Tree {
    /// Reads the text. Takes time in proportion to it, and no stack however deep it nests.
    pub fn of(text: &str) -> Tree {
        let (tokens, flaw) = tokens(text);
        let mut builder = Builder { text, nodes: Vec::new(), open: Vec::new(), flaw, beside: None, suspect: None };
        let mut at = 0;
        while at < tokens.len() && builder.take(&tokens, &mut at) {}
        builder.finish()
    }

    /// The value of the whole text, if there is any.
    pub fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// All values, in the order in which they begin.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The value at the path, or the nearest one around the place where it would be. `None` for
    /// an empty text.
    pub fn nearest(&self, path: &[PathStep]) -> Option<&Node> {
        let mut here = 0;
        for step in path {
            match self.child(here, step) {
                Some(child) => here = child,
                None => break,
            }
        }
        self.nodes.get(here)
    }

    /// The value at the path.
    pub fn find(&self, path: &[PathStep]) -> Option<&Node> {
        let mut here = 0;
        for step in path {
            here = self.child(here, step)?;
        }
        self.nodes.get(here)
    }

    /// The value whose brackets a value of this tree stands in.
    pub fn around(&self, node: &Node) -> Option<&Node> {
        node.step.as_ref().and_then(|_| self.nodes.get(node.parent))
    }

    /// The path to a value of this tree, by its place in [`nodes`](Tree::nodes).
    pub fn path_to(&self, mut node: usize) -> Vec<PathStep> {
        let mut steps = Vec::new();
        while let Some(step) = &self.nodes[node].step {
            steps.push(step.clone());
            node = self.nodes[node].parent;
        }
        steps.reverse();
        steps
    }

    /// The names of the fields directly inside the value, by its place in [`nodes`](Tree::nodes).
    pub fn fields(&self, node: usize) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(move |child| child.parent == node).filter_map(|child| match &child.step {
            Some(PathStep::Field(name)) => Some(name.as_str()),
            Some(PathStep::Index(_)) | None => None,
        })
    }

    /// The values directly inside the value, all by their places in [`nodes`](Tree::nodes).
    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        (node + 1..self.nodes.len()).filter(move |child| self.nodes[*child].parent == node)
    }

    fn child(&self, node: usize, step: &PathStep) -> Option<usize> {
        (node + 1..self.nodes.len())
            .find(|child| self.nodes[*child].parent == node && self.nodes[*child].step.as_ref() == Some(step))
    }
}

struct Open {
    node: usize,
    bracket: char,
    count: usize,
    key: Option<Range<usize>>,
    /// The value that stands here since the last comma.
    latest: Option<usize>,
}

struct Builder<'a> {
    text: &'a str,
    nodes: Vec<Node>,
    open: Vec<Open>,
    flaw: Option<Flaw>,
    beside: Option<(usize, Range<usize>)>,
    /// A bracket whose partner begins a line at another depth of indentation: if brackets are
    /// missing in the end, they are probably missing there.
    suspect: Option<Range<usize>>,
}

impl Builder<'_> {
    /// Takes the token at `at`, and those that belong to it. False: the rest makes no sense.
    fn take(&mut self, tokens: &[(Token, Range<usize>)], at: &mut usize) -> bool {
        let (token, span) = tokens[*at].clone();
        let next = tokens.get(*at + 1).map(|(token, _)| *token);
        *at += 1;
        // What follows the end of the first value is for the reader of types to refuse.
        if self.open.is_empty() && !self.nodes.is_empty() && !matches!(token, Token::Close(_)) {
            return false;
        }
        match token {
            Token::Comma => {
                if let Some(open) = self.open.last_mut() {
                    open.count += 1;
                    (open.key, open.latest) = (None, None);
                }
            }
            Token::Colon => {
                if let Some(open) = self.open.last_mut() {
                    open.latest = None;
                }
            }
            Token::Word | Token::Other => {
                let is_key = next == Some(Token::Colon);
                match self.open.last_mut() {
                    Some(open) if is_key && open.bracket != '[' => open.key = Some(span),
                    _ if token == Token::Word && next == Some(Token::Open('(')) => {
                        self.value(span.clone(), span.start..tokens[*at].1.end, Some('('));
                        *at += 1;
                    }
                    _ => self.value(if token == Token::Word { span.clone() } else { 0..0 }, span, None),
                }
            }
            Token::Open(bracket) => self.value(0..0, span, Some(bracket)),
            Token::Close(bracket) => return self.close(bracket, span),
        }
        true
    }

    fn value(&mut self, name: Range<usize>, span: Range<usize>, bracket: Option<char>) {
        let (mut parent, mut step, mut key) = (0, None, 0..0);
        if let Some(open) = self.open.last_mut() {
            parent = open.node;
            key = open.key.take().unwrap_or(0..0);
            step = Some(match key.is_empty() {
                true => PathStep::Index(open.count),
                false => PathStep::Field(self.text[key.clone()].trim_start_matches("r#").trim_matches('"').to_owned()),
            });
            if let Some(before) = open.latest.replace(self.nodes.len()) {
                self.beside.get_or_insert((before, if name.is_empty() { span.clone() } else { name.clone() }));
            }
        }
        self.nodes.push(Node { parent, step, key, name, is_container: bracket.is_some(), span });
        if let Some(bracket) = bracket {
            self.open.push(Open { node: self.nodes.len() - 1, bracket, count: 0, key: None, latest: None });
        }
    }

    fn close(&mut self, bracket: char, span: Range<usize>) -> bool {
        let Some(open) = self.open.pop() else {
            self.flaw.get_or_insert(Flaw::Stray(span));
            return false;
        };
        let opening = self.bracket_of(open.node);
        self.nodes[open.node].span.end = span.end;
        if partner(open.bracket) != bracket {
            self.flaw.get_or_insert(Flaw::Mismatched(opening, span));
            return false;
        }
        if self.first_of_its_line(span.start) && self.indentation(opening.start) != self.indentation(span.start) {
            self.suspect.get_or_insert(opening);
        }
        true
    }

    fn finish(mut self) -> Tree {
        for open in std::mem::take(&mut self.open).iter().rev() {
            let bracket = self.bracket_of(open.node);
            self.nodes[open.node].span.end = self.text.trim_end().len();
            if self.flaw.is_none() {
                self.flaw = Some(Flaw::Unclosed(self.suspect.take().unwrap_or(bracket)));
            }
        }
        Tree { nodes: self.nodes, flaw: self.flaw, beside: self.beside }
    }

    fn bracket_of(&self, node: usize) -> Range<usize> {
        let Node { name, span, .. } = &self.nodes[node];
        let from = name.end.max(span.start);
        let bracket = from + self.text[from..].find(['(', '[', '{']).unwrap_or(0);
        bracket..bracket + 1
    }

    fn first_of_its_line(&self, offset: usize) -> bool {
        let before = self.text[..offset].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with('\n')
    }

    fn indentation(&self, offset: usize) -> usize {
        let start = self.text[..offset].rfind('\n').map_or(0, |end| end + 1);
        self.text[start..].len() - self.text[start..].trim_start().len()
    }
}

/// The bracket that closes this one.
pub(super) fn partner(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&path_text(std::slice::from_ref(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, at: &str) -> Option<String> {
        Tree::of(text).find(&path(at)).map(|node| text[node.span.clone()].to_owned())
    }

    #[test]
    fn a_path_leads_to_its_value_past_comments_strings_and_brackets_in_them() {
        let text = r####"
            // faults: [no]
            (a: "x), ]", /* b: 1 /* nested ) */ */ b: 'q', q: ')', raw: r##"a"#)"##,
             faults: [(at: 1), Kill(until: 2, who: Isolate(Leader),), (x: {"k": 3})],
             pair: (1, "two"))
        "####;
        assert_eq!(found(text, "a").as_deref(), Some(r#""x), ]""#));
        assert_eq!(found(text, "b").as_deref(), Some("'q'"));
        assert_eq!(found(text, "raw").as_deref(), Some(r###"r##"a"#)"##"###));
        assert_eq!(found(text, "faults[1].until").as_deref(), Some("2"));
        assert_eq!(found(text, "faults[1].who[0]").as_deref(), Some("Leader"));
        assert_eq!(found(text, "faults[2].x.k").as_deref(), Some("3"));
        assert_eq!(found(text, "pair[1]").as_deref(), Some("\"two\""));
        assert_eq!(found(text, "faults[3]"), None);
        assert_eq!(Tree::of(text).flaw, None);
    }

    #[test]
    fn a_path_that_ends_nowhere_leads_to_what_is_nearest() {
        let text = "(workload: (clients: 0))";
        let near = Tree::of(text).nearest(&path("workload.keys")).map(|node| node.token());
        assert_eq!(near, Some(11..12));
        assert!(Tree::of("").nearest(&path("a")).is_none());
    }

    #[test]
    fn an_unclosed_bracket_is_suspected_where_the_indentation_breaks() {
        let text = "(\n  network: (\n    loss: 1,\n  workload: (\n  ),\n)\n";
        assert_eq!(Tree::of(text).flaw, Some(Flaw::Unclosed(13..14)));
        assert_eq!(Tree::of("(a: [1, 2)").flaw, Some(Flaw::Mismatched(4..5, 9..10)));
        assert_eq!(Tree::of("(a: 1))").flaw, Some(Flaw::Stray(6..7)));
        assert_eq!(Tree::of("(a: \"x)").flaw, Some(Flaw::OpenText(4..7)));
        assert_eq!(Tree::of("(a /* b )").flaw, Some(Flaw::OpenComment(3..5)));
    }

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for text in ["faults[2].until", "system", "a[0][1].b"] {
            assert_eq!(path_text(&path(text)), text);
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = "(".repeat(1_000_000);
        assert!(matches!(Tree::of(&deep).flaw, Some(Flaw::Unclosed(_))));
    }
}
