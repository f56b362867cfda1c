//! By what a failure is recognised: which promise broke, how, and in what kind of step. Failures of one
//! signature most likely have one cause.

use super::outcome::Violated;
use crate::kernel::digest::Digest;

/// The signature of a violation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Signature {
    /// The invariant.
    pub invariant: String,
    /// The message without what differs from run to run: its first clause, with `N` for every number.
    pub message: String,
    /// What kind of step it was.
    pub during: String,
}

impl Signature {
    /// The signature of this violation.
    pub fn of(violated: &Violated) -> Signature {
        Signature {
            invariant: violated.invariant.clone(),
            message: normalised(&violated.message),
            during: violated.during.clone(),
        }
    }

    /// A short name that is good for a file, too: the invariant and eight hexadecimal digits.
    pub fn name(&self) -> String {
        let mut digest = Digest::new();
        for part in [&self.invariant, &self.message, &self.during] {
            part.bytes().for_each(|byte| digest.word(u64::from(byte)));
            digest.word(u64::MAX);
        }
        let plain = |sign: char| if sign.is_ascii_alphanumeric() || ".-_".contains(sign) { sign } else { '-' };
        format!("{}-{:08x}", self.invariant.chars().map(plain).collect::<String>(), digest.low() >> 32)
    }
}

/// The first clause with `N` for every run of digits. What follows a semicolon lists particulars.
fn normalised(message: &str) -> String {
    let clause = message.split(';').next().unwrap_or_default().trim();
    let mut normal = String::new();
    for sign in clause.chars() {
        match sign {
            '0'..='9' if normal.ends_with('N') => {}
            '0'..='9' => normal.push('N'),
            _ => normal.push(sign),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(message: &str, during: &str) -> Signature {
        Signature::of(&Violated {
            invariant: "raft.vote-monotonic".to_owned(),
            time_ns: 7,
            step: 9,
            during: during.to_owned(),
            nodes: Vec::new(),
            message: message.to_owned(),
        })
    }

    #[test]
    fn failures_that_differ_in_numbers_and_nodes_only_have_one_signature() {
        let one = signature("n1 changed its vote in term 12 from n2 to n3; and more", "message RequestVote");
        assert_eq!(one.message, "nN changed its vote in term N from nN to nN");
        assert_eq!(one, signature("n4 changed its vote in term 3 from n22 to n1", "message RequestVote"));
        assert_ne!(one, signature("n1 changed its vote in term 12 from n2 to n3", "timer Election"));
        assert_eq!(one.name(), "raft.vote-monotonic-6fca8a1e");
    }
}
