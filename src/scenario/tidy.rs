//! A scenario as somebody would write it: what goes without saying is left out, a fault or an operation has a line.

use super::locate::{PathStep, Tree};
use super::model::Scenario;
use super::text::options;
use serde::Serialize;

/// The text of a scenario, without comments. What can be left out, as `is_as_good` says of such a text, is left out.
///
/// # Panics
/// As [`text::written`](super::text::written).
pub fn tidy<S: Serialize>(scenario: &Scenario<S>, is_as_good: impl Fn(&str) -> bool) -> String {
    let mut text = options().to_string(scenario).expect("a scenario can be written as RON");
    let mut field = 1;
    loop {
        let tree = Tree::of(&text);
        if field >= tree.nodes().len() {
            return laid_out(&tree, &text, 0, "") + "\n";
        }
        let shorter = may_go(&tree, field).then(|| without(&tree, &text, field));
        match shorter.filter(|shorter| is_as_good(shorter)) {
            Some(shorter) => text = shorter,
            None => field += 1,
        }
    }
}

/// Fields may go; what operations have, they need.
fn may_go(tree: &Tree, node: usize) -> bool {
    let in_operations = |step: &PathStep| *step == PathStep::Field("operations".to_owned());
    let path = tree.path_to(node);
    !tree.nodes()[node].key.is_empty() && path.last().is_some_and(in_operations) | !path.iter().any(in_operations)
}

/// The text without a field and the comma that belongs to it.
fn without(tree: &Tree, text: &str, node: usize) -> String {
    let node = &tree.nodes()[node];
    let (before, after) = (&text[..node.key.start], &text[node.span.end..]);
    match after.trim_start().strip_prefix(',') {
        Some(rest) => format!("{before}{}", rest.trim_start()),
        None => format!("{}{after}", before.trim_end().trim_end_matches(',')),
    }
}

/// The text of a value: the fields of the whole a line each, and so the elements of a list of structs.
fn laid_out(tree: &Tree, text: &str, node: usize, indent: &str) -> String {
    let value = &tree.nodes()[node];
    if !value.is_container {
        return text[value.span.clone()].to_owned();
    }
    let name = &text[value.name.clone()];
    let open = text[value.name.end.max(value.span.start)..].trim_start();
    let (open, close) = (&open[..1], &text[value.span.end - 1..value.span.end]);
    let is_struct = |child: usize| text[tree.nodes()[child].span.clone()].starts_with('(');
    let is_tall = node == 0 || open == "[" && tree.children(node).any(is_struct) && !is_of_links(tree, node);
    let deeper = if is_tall { format!("{indent}    ") } else { indent.to_owned() };
    let part = |child: usize| {
        let key = &text[tree.nodes()[child].key.clone()];
        let colon = if key.is_empty() { "" } else { ": " };
        format!("{key}{colon}{}", laid_out(tree, text, child, &deeper))
    };
    let parts: Vec<String> = tree.children(node).map(part).collect();
    if is_tall {
        let lines: String = parts.iter().map(|part| format!("{deeper}{part},\n")).collect();
        format!("{name}{open}\n{lines}{indent}{close}")
    } else {
        format!("{name}{open}{}{close}", parts.join(", "))
    }
}

/// Pairs of names are short.
fn is_of_links(tree: &Tree, node: usize) -> bool {
    tree.nodes()[node].key.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::{Rules, parse};
    use serde::Deserialize;

    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    struct Gossip {
        nodes: u16,
        #[serde(default)]
        fanout: u16,
    }

    #[test]
    fn what_goes_without_saying_is_left_out_and_faults_have_a_line_each() {
        let rules = Rules::<Gossip> {
            name: |_| "gossip",
            orders: |_| &[],
            members: |gossip, _| (1..=gossip.nodes).map(|node| format!("n{node}")).collect(),
            servers: |gossip, _| usize::from(gossip.nodes),
            complaints: |_| Vec::new(),
            exhibits: &[],
            vocabulary: |_| super::super::roster::Vocabulary::default(),
        };
        let text = r#"(
    squall: 1,
    system: (nodes: 3),
    network: (latency: Const("10ms"), regions: (of: {"east": ["n1"], "west": ["n2", "n3"]}, between: Const("40ms")), links: [
        (from: ["n1"], to: ["n2"], loss: "5%"),
    ]),
    workload: (until: "30s", operations: [
        (at: "1s", client: "c1", invoke: Read(key: 0)),
        (at: "2s", client: "c2", invoke: Write(key: 1, value: 7)),
    ]),
    faults: [
        (at: "1s", inject: Partition(shape: Links([("n1", "n2"), ("n2", "n3")]))),
        (at: "5s", lasts: "2s", inject: Pause(target: One)),
        (when: Written, skip: (0, 9), inject: Kill(target: Subject)),
    ],
    phases: [
        (lasts: "9s"),
        (lasts: "9s", faults: [
            (rate: "1/s", lasts: "1s", inject: Clog()),
        ]),
    ],
    swarm: true,
    settle: (heal: Core(Majority), within: "9s"),
)
"#;
        let read = |text: &str| parse("it.ron", text, &rules).ok();
        let scenario = read(text).expect("it is right");
        assert_eq!(tidy(&scenario, |shorter| read(shorter).as_ref() == Some(&scenario)), text);
    }
}
