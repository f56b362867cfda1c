//! What can be wrong with links, and with which.

use crate::environment::distribution::Distribution;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;

/// What is always so on one directed link, other than on the rest: a flaky link, a region far away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkSetting {
    /// Who sends, by number.
    pub from: u16,
    /// Who receives, by number.
    pub to: u16,
    /// The time a message takes; that of the network if absent.
    pub latency: Option<Distribution>,
    /// How often a message is lost; that of the network if absent. Without effect unless both are members.
    pub loss: Option<Ratio>,
    /// How often a message arrives twice; that of the network if absent. Without effect unless both are members.
    pub duplicate: Option<Ratio>,
}

/// What is wrong with links while a fault lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disturbance {
    /// Messages are lost, also those under way.
    Cut,
    /// Messages are held back, also those under way, until the link is free again.
    Clog,
    /// Messages are lost.
    Loss {
        /// The additional probability, in the long run.
        probability: Ratio,
        /// How many messages in a row are lost on average, if more than 1: then each link is in a spell
        /// or not, and all that it carries in a spell is lost, as in the model of Gilbert and Elliott. A
        /// probability p above burst / (burst + 1) makes longer bursts, of p / (1 - p).
        burst: u32,
    },
    /// Messages arrive twice.
    Duplicate {
        /// The additional probability.
        probability: Ratio,
    },
    /// Messages take longer.
    Delay {
        /// The additional latency.
        extra: Distribution,
    },
    /// Some messages are held up, so that later ones overtake them.
    Reorder {
        /// How many.
        probability: Ratio,
        /// For how long at most; anything up to that is equally likely.
        within: Span,
    },
    /// Messages are damaged. Of a message that the network doubles, only the first copy can be.
    Corrupt {
        /// How many.
        probability: Ratio,
    },
    /// Each link carries one message at a time, at this speed; others queue up.
    Bandwidth {
        /// Bytes a second, more than zero.
        rate: u64,
        /// If more than so many bytes are waiting, also those of which a part has left, a further
        /// message is dropped. Zero: a message finds the link idle or is dropped.
        queue: u64,
    },
}

impl Disturbance {
    /// Whether nothing comes through while it lasts.
    pub(super) fn blocks(&self) -> bool {
        matches!(self, Disturbance::Cut | Disturbance::Clog)
    }
}

/// Which links a disturbance hits. Those of nodes that are not members it never hits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Every link between different members.
    All,
    /// These directed links, by numbers of nodes. One that is named twice is hit once.
    Links(Vec<(u16, u16)>),
}

impl Scope {
    /// The links between different members that it names.
    pub(super) fn links(&self, members: u16) -> Box<dyn Iterator<Item = (u16, u16)> + '_> {
        let strikes = move |link: &(u16, u16)| link.0 != link.1 && link.0 < members && link.1 < members;
        match self {
            Scope::All => {
                Box::new((0..members).flat_map(move |from| (0..members).map(move |to| (from, to))).filter(strikes))
            }
            Scope::Links(links) => Box::new(links.iter().copied().filter(strikes)),
        }
    }
}
