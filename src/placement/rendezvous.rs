//! Rendezvous hashing: a key belongs to the node that draws the highest number for it. Source: Thaler and Ravishankar,
//! "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM Transactions on Networking 6(1), 1998.

/// Nodes that draw numbers for keys.
///
/// The first number that a node draws for a key is the MD5 digest of its name followed by the key; each further one is
/// the digest of the one before. A node draws as many as its weight says, and its highest counts. That is what the formula
/// of weighted rendezvous hashing, -weight / ln(number), comes to, without logarithms: the highest of w numbers is
/// distributed as the w-th root of one. Of nodes with the same number the first by name wins.
#[derive(Clone, Debug)]
pub struct Rendezvous {
    /// Names and weights, in the order of the names, and where they stood in the list.
    nodes: Vec<(Vec<u8>, u32, u16)>,
}

impl Rendezvous {
    /// These nodes, by their names, with their weights.
    pub fn new<'a>(nodes: impl IntoIterator<Item = (&'a [u8], u32)>) -> Rendezvous {
        let mut nodes: Vec<_> =
            (0..).zip(nodes).map(|(place, (name, weight))| (name.to_vec(), weight, place)).collect();
        nodes.sort_unstable();
        Rendezvous { nodes }
    }

    /// The place in the list of the node to which a key belongs; `None` if no node has a weight. Cost: a digest for each
    /// number that is drawn.
    pub fn owner(&self, key: &[u8]) -> Option<u16> {
        let mut best = None;
        for (name, weight, place) in &self.nodes {
            let Some(drawn) = highest(name, key, *weight) else { continue };
            if best.is_none_or(|(highest, _)| drawn > highest) {
                best = Some((drawn, *place));
            }
        }
        best.map(|best| best.1)
    }
}

/// The highest of the numbers that a node draws; `None` if it draws none.
fn highest(name: &[u8], key: &[u8], weight: u32) -> Option<u128> {
    if weight == 0 {
        return None;
    }
    let mut context = md5::Context::new();
    context.consume(name);
    context.consume(key);
    let mut digest = context.finalize().0;
    let mut highest = u128::from_be_bytes(digest);
    for _ in 1..weight {
        digest = md5::compute(digest).0;
        highest = highest.max(u128::from_be_bytes(digest));
    }
    Some(highest)
}

#[cfg(test)]
mod tests {
    use super::Rendezvous;

    fn owners(nodes: &[(&str, u32)]) -> Vec<String> {
        let drawing = Rendezvous::new(nodes.iter().map(|(name, weight)| (name.as_bytes(), *weight)));
        let owner = |key: u32| nodes[usize::from(drawing.owner(key.to_string().as_bytes()).expect("a node"))].0;
        (0..20_000).map(|key| owner(key).to_owned()).collect()
    }

    #[test]
    fn only_keys_of_the_node_that_changes_move() {
        let before = owners(&[("a", 1), ("b", 2), ("c", 3)]);
        let share = |name: &str| before.iter().filter(|owner| *owner == name).count();
        // 3,333, 6,667 and 10,000 are expected; the standard deviation is at most 71.
        for (name, expected) in [("a", 3_333_usize), ("b", 6_667), ("c", 10_000)] {
            assert!(share(name).abs_diff(expected) < 300, "{name} has {} keys", share(name));
        }
        assert_eq!(before, owners(&[("c", 3), ("none", 0), ("a", 1), ("b", 2)]), "the order does not matter");
        for (is_gain, after) in [
            (true, owners(&[("a", 1), ("b", 3), ("c", 3)])),
            (true, owners(&[("a", 1), ("c", 3), ("b", 9)])),
            (false, owners(&[("a", 1), ("b", 1), ("c", 3)])),
            (false, owners(&[("a", 1), ("c", 3)])),
        ] {
            let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
            assert!(moved.clone().count() > 500);
            assert!(moved.into_iter().all(|(before, after)| if is_gain { after == "b" } else { before == "b" }));
        }
    }

    #[test]
    fn without_weights_there_is_no_owner() {
        assert_eq!(Rendezvous::new([(b"a".as_slice(), 0)]).owner(b"key"), None);
        assert_eq!(Rendezvous::new([]).owner(b"key"), None);
    }
}
