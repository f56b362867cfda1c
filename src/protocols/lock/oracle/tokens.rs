//! Fencing tokens of one lock: those that the service gives, and those that the resource accepts.

use super::REMEMBERED;
use crate::oracle::spec::{Verdict, Violation};
use crate::protocols::lock::claim::{Claim, ClaimId, Token};
use std::collections::{BTreeMap, VecDeque};

/// What is known of the tokens of one lock.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// The highest that anybody has entered with.
    highest: Option<Token>,
    /// Who seeks the lock, and what was the highest when it began.
    floors: BTreeMap<ClaimId, Option<Token>>,
    /// The latest that were given.
    given: VecDeque<(Token, ClaimId)>,
    /// The highest that a resource that checks them has accepted.
    accepted: Option<Token>,
}

impl Tokens {
    /// A client begins to seek the lock.
    pub fn sought(&mut self, claim: ClaimId) {
        self.floors.insert(claim, self.highest);
    }

    /// It seeks it no more, nor has it.
    pub fn forget(&mut self, claim: ClaimId) {
        self.floors.remove(&claim);
    }

    /// A client has entered with this token.
    ///
    /// # Errors
    /// `lock.token-monotonic`.
    pub fn entered(&mut self, claim: &Claim, token: Option<Token>) -> Verdict {
        let floor = self.floors.remove(&claim.id).flatten();
        let Some(token) = token else { return Ok(()) };
        if let Some(floor) = floor.filter(|floor| token <= *floor) {
            let message = format!(
                "{:?} got token {token} with lock {}, but {floor} had been given before it began to seek it",
                claim.client, claim.lock.0
            );
            return Err(Box::new(Violation::new("lock.token-monotonic", &[claim.client], message)));
        }
        if self.given.iter().any(|(other, holder)| *other == token && *holder != claim.id) {
            let message =
                format!("{:?} got token {token} with lock {}, which another has got", claim.client, claim.lock.0);
            return Err(Box::new(Violation::new("lock.token-monotonic", &[claim.client], message)));
        }
        self.given.push_back((token, claim.id));
        if self.given.len() > REMEMBERED {
            self.given.pop_front();
        }
        self.highest = self.highest.max(Some(token));
        Ok(())
    }

    /// A resource that checks tokens has accepted a write.
    ///
    /// # Errors
    /// `lock.fenced`.
    pub fn accepted(&mut self, claim: &Claim, token: Option<Token>) -> Verdict {
        if token < self.accepted {
            let (mine, highest) = (said(token), said(self.accepted));
            let message = format!(
                "a write of {:?} with {mine} under lock {} was accepted after one with {highest}",
                claim.client, claim.lock.0
            );
            return Err(Box::new(Violation::new("lock.fenced", &[claim.client], message)));
        }
        self.accepted = token;
        Ok(())
    }
}

fn said(token: Option<Token>) -> String {
    token.map_or("no token".to_owned(), |token| format!("token {token}"))
}
