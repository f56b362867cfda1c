//! A published defect that can be planted in a protocol, to see whether it is found.

/// How many seeds of a scenario made for it an exhibit may need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rarity {
    /// Within about 100 seeds.
    Common,
    /// Needs a specific interleaving: within 100 to 10,000 seeds.
    Specific,
    /// More, or a directed profile.
    VeryRare,
}

impl Rarity {
    /// For a reader.
    pub const fn name(self) -> &'static str {
        match self {
            Rarity::Common => "common",
            Rarity::Specific => "specific",
            Rarity::VeryRare => "very rare",
        }
    }
}

/// A published defect, planted by replacing rules of `R`.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit<R: 'static> {
    /// Its name in a scenario.
    pub id: &'static str,
    /// What it does, against what a sound protocol does.
    pub story: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The invariants of which one breaks first.
    pub invariants: &'static [&'static str],
    /// How rare that is.
    pub rarity: Rarity,
    /// Plants it.
    pub plant: fn(&mut R),
}

/// One list of those of all kinds.
///
/// # Panics
/// If there are not so many.
pub const fn all<R: Copy, const COUNT: usize>(kinds: &[&[Exhibit<R>]]) -> [Exhibit<R>; COUNT] {
    let (mut all, mut count) = ([kinds[0][0]; COUNT], 0);
    let mut kind = 0;
    while kind < kinds.len() {
        let mut place = 0;
        while place < kinds[kind].len() {
            all[count] = kinds[kind][place];
            (place, count) = (place + 1, count + 1);
        }
        kind += 1;
    }
    assert!(count == COUNT, "an exhibit was left out");
    all
}

/// Plants those of these names, in their order.
///
/// # Panics
/// If there is none of a name: the loader of scenarios checks that.
pub fn plant<R>(exhibits: &[Exhibit<R>], ids: &[String], rules: &mut R) {
    for id in ids {
        let exhibit = exhibits.iter().find(|exhibit| exhibit.id == id);
        (exhibit.unwrap_or_else(|| panic!("there is no exhibit {id:?}")).plant)(rules);
    }
}

/// What is wrong with a list of exhibits: names that stand twice, invariants that do not exist. That a handler panics may
/// come of any defect.
#[cfg(test)]
pub(super) fn check<R>(exhibits: &[Exhibit<R>], invariants: &[(&str, &str)]) {
    for (place, exhibit) in exhibits.iter().enumerate() {
        assert!(!exhibit.invariants.is_empty(), "{}", exhibit.id);
        for invariant in exhibit.invariants {
            let exists = *invariant == "protocol.panic" || invariants.iter().any(|(name, _)| name == invariant);
            assert!(exists, "{invariant}");
        }
        assert!(exhibits[..place].iter().all(|other| other.id != exhibit.id), "{}", exhibit.id);
    }
}
