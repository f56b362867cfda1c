//! The shortest stretch of a history that shows a violation by itself.
//!
//! A stretch shows it if no order explains what returns in it, whatever the objects held at its beginning. A call that
//! began before it may have taken effect before it, whatever it answered, or in it, or not at all. What nothing explains
//! is then not explained either by what was before: an order of the whole history, cut at that place, would explain it.
//! For the same reason a stretch that shows it does so still when it begins earlier.

use super::Call;
use super::decide::{Found, Judged, judge, judge_anywhere};
use super::uses::Group;

/// The shortest stretch that ends with a violation and that no state at its beginning explains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The position of its first event: without that, there is an explanation.
    pub from: usize,
    /// The position of its last event, which is the return that nothing explains.
    pub upto: usize,
    /// Whether only the initial values make it one: it is then the whole history up to that return.
    pub is_whole: bool,
    /// Whether it is known that no shorter one ends there.
    pub is_shortest: bool,
    /// Calls that were open in it, in the order of their invocations.
    pub calls: Vec<usize>,
    /// Those of them that do not go together, whether or not any of the others took effect. None can be left out, as
    /// far as that could be found out. Empty if there are too many calls.
    pub core: Vec<usize>,
}

/// A stretch with more calls is not searched for those that matter.
const CALLS: usize = 256;
/// One question costs at most this part of the effort.
const PART: u64 = 32;
/// So many questions without an answer are enough, of where it begins and of what belongs to it.
const PATIENCE: usize = 4;

/// The shortest excerpt that ends with this return, of which it is known whether it is a violation or only foreseen as one.
/// `None` if that cannot be shown.
pub(super) fn excerpt(group: &Group<'_>, initial: &str, found: &Found, effort: u64) -> Option<Excerpt> {
    let effort = effort.div_ceil(PART);
    let ends = |(_, call): &(usize, &Call)| [Some(call.invoked), call.returned];
    let mut events: Vec<usize> = group.calls.iter().flat_map(ends).flatten().filter(|at| *at <= found.at).collect();
    events.sort_unstable();
    // What begins at the first of these places is broken, at the second it is not, or not known to be.
    let (mut broken, mut sound, mut is_shortest) = (None, events.len(), true);
    let (mut stride, mut unanswered) = (1, 0);
    // From the end in growing strides, then halfway between the two.
    while broken.is_none_or(|broken| sound - broken > 1) && sound > 0 && unanswered < PATIENCE {
        let place = broken.map_or(sound.saturating_sub(stride), |broken| usize::midpoint(broken, sound));
        stride *= 2;
        match judge_anywhere(group, events[place], found.at + 1, effort) {
            Judged::Broken(_) => broken = Some(place),
            Judged::Linearizable => (sound, is_shortest) = (place, true),
            Judged::Undecided => (sound, is_shortest, unanswered) = (place, false, unanswered + 1),
        }
    }
    if broken.is_none() && found.is_foreseen {
        return None;
    }
    let (from, upto) = (events[broken.unwrap_or(0)], found.at);
    let inside: Vec<(usize, &Call)> = group
        .calls
        .iter()
        .filter(|(_, call)| call.invoked <= upto && call.returned.is_none_or(|at| at >= from))
        .copied()
        .collect();
    let is_broken = |calls: &[(usize, Call)]| {
        let calls = calls.iter().map(|(number, call)| (*number, call)).collect();
        let group = Group { objects: group.objects.clone(), calls };
        let judged = match broken {
            Some(_) => judge_anywhere(&group, from, upto + 1, effort),
            None => judge(&group, initial, upto + 1, effort),
        };
        match judged {
            Judged::Broken(_) => Some(true),
            Judged::Linearizable => Some(false),
            Judged::Undecided => None,
        }
    };
    let core = if inside.len() <= CALLS { core(&inside, from, upto, is_broken) } else { Vec::new() };
    let mut calls: Vec<(usize, usize)> = inside.iter().map(|(number, call)| (call.invoked, *number)).collect();
    calls.sort_unstable();
    let calls = calls.into_iter().map(|(_, number)| number).collect();
    Some(Excerpt { from, upto, is_whole: broken.is_none(), is_shortest, calls, core })
}

/// Lets one call after the other be of unknown outcome, as long as what remains known is still broken.
fn core(
    inside: &[(usize, &Call)],
    from: usize,
    upto: usize,
    is_broken: impl Fn(&[(usize, Call)]) -> Option<bool>,
) -> Vec<usize> {
    let mut calls: Vec<(usize, Call)> = inside.iter().map(|(number, call)| (*number, (*call).clone())).collect();
    for (_, call) in &mut calls {
        call.returned = call.returned.filter(|at| *at <= upto && call.invoked >= from);
    }
    let mut unanswered = 0;
    for place in 0..calls.len() {
        let Some(returned) = calls[place].1.returned.take_if(|_| unanswered < PATIENCE) else { continue };
        let answer = is_broken(&calls);
        unanswered += usize::from(answer.is_none());
        if answer != Some(true) {
            calls[place].1.returned = Some(returned);
        }
    }
    let mut core: Vec<(usize, usize)> = calls
        .iter()
        .filter(|(_, call)| call.returned.is_some())
        .map(|(number, call)| (call.invoked, *number))
        .collect();
    core.sort_unstable();
    core.into_iter().map(|(_, number)| number).collect()
}
