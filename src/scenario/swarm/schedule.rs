//! When the faults of a swarm happen, and how long they last.

use super::super::fault::FaultSpec;
use super::super::inject::{Duration, Inject};
use super::super::when::{CountRange, When};
use super::Storm;
use super::hand::{coin, one_of, share, span};
use crate::environment::fault::{Kind, Moment};
use crate::environment::text::{Rate, SpanRange};
use crate::kernel::rng::Dice;
use crate::kernel::time::{Span, Time};

/// In what way the faults of one kind come.
pub(super) struct Rhythm {
    pub(super) way: Way,
    /// One in so long a time, roughly.
    interval: Span,
    /// How long each lasts. Never longer than the interval, so that there is time between them.
    pub(super) lasts: SpanRange,
}

pub(super) enum Way {
    Once,
    Rate,
    Every,
    /// So many times, each time after such a moment.
    Moments(Moment, u64),
}

impl Way {
    /// Whether the fault waits for a moment, which is about somebody.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Way::Moments(..))
    }
}

impl Storm<'_> {
    /// No fault begins in the last eighth of the workload: by then there was something that it could harm.
    fn last(&self) -> Span {
        Span::us(self.length.as_ns() / 1_000 / 8 * 7)
    }

    pub(super) fn rhythm(&self, kind: Kind, dice: &mut Dice) -> Rhythm {
        let part = |share: u64| Span::us((self.length.as_ns() / 1_000 / share).max(1));
        let usual = self.rough.choose(Span::secs(3), Span::secs(2), Span::ms(1_500));
        // Neither none nor hundreds, however long the workload is.
        let interval = span(usual, usual.times(6), dice).clamp(part(40), part(2));
        let lasts = self.lasts(interval, dice);
        let way = match (kind, dice.below(8)) {
            (Kind::Destroy, _) => Way::Once,
            (_, 0..3) => Way::Rate,
            (_, 3..5) => Way::Every,
            _ => {
                let most = (self.length.as_ns() / interval.as_ns().max(1)).clamp(1, 5);
                Way::Moments(self.moment(dice), 1 + dice.below(most))
            }
        };
        Rhythm { way, interval, lasts }
    }

    /// A part of a timeout, a few timeouts, or many.
    fn lasts(&self, interval: Span, dice: &mut Dice) -> SpanRange {
        let pace = self.roster.pace;
        let part = Span::ns(pace.as_ns() / 20);
        let max = match dice.below(3) {
            0 => span(part, pace, dice),
            1 => span(pace, pace.times(6), dice),
            _ => span(pace.times(6), pace.times(24), dice),
        };
        let max = max.min(interval).max(Span::us(1));
        let min = Span::us((max.as_ns() / 1_000 / (1 + dice.below(4))).max(1));
        SpanRange { min, max }
    }

    fn moment(&self, dice: &mut Dice) -> Moment {
        let name = |names: &[&str], dice: &mut Dice| one_of(names, dice).map(str::to_owned);
        let of_system = match dice.below(8) {
            0..3 => name(self.roster.goals, dice).map(Moment::Goal),
            3 => name(self.roster.messages, dice).map(Moment::Message),
            _ => None,
        };
        let of_all = [Moment::Written, Moment::Syncing, Moment::Synced, Moment::Started, Moment::Crashed];
        of_system.or_else(|| one_of(&of_all, dice)).expect("there are some")
    }

    /// The faults of a scenario that inject this in such a rhythm.
    pub(super) fn scheduled(&self, rhythm: Rhythm, mut inject: Inject, dice: &mut Dice) -> Vec<FaultSpec> {
        let Rhythm { way, interval, lasts } = rhythm;
        if let Inject::Kill { restart_after, .. } | Inject::Wipe { restart_after, .. } = &mut inject {
            *restart_after = Some(lasts);
        }
        let mut spec = FaultSpec::once(Time::ZERO, inject);
        spec.at = None;
        spec.lasts = Some(lasts).filter(|_| spec.inject.duration() == Duration::Lasts);
        let last = self.last();
        // A cold start is a moment like no other, so sometimes faults begin at once.
        let first = if coin(8, dice) { Span::ZERO } else { Span::us(self.length.as_ns() / 1_000 / 16) };
        let instant = |dice: &mut Dice| Time::ZERO + first + Span::us(dice.below((last - first).as_ns() / 1_000));
        match way {
            Way::Once => vec![FaultSpec { at: Some(instant(dice)), ..spec }],
            Way::Rate => {
                let rate = Some(Rate { count: 1, per: interval });
                vec![FaultSpec { rate, from: from(first), until: Some(Time::ZERO + last), ..spec }]
            }
            Way::Every => {
                let jitter = Some(share(10, 1_000, dice));
                // The first comes a period after the beginning.
                let every = Some(interval.min(Span::us((last - first).as_ns() / 1_000 / 2)));
                vec![FaultSpec { every, jitter, from: from(first), until: Some(Time::ZERO + last), ..spec }]
            }
            Way::Moments(moment, times) => {
                (0..times).map(|_| self.waiting(&spec, &moment, instant(dice), dice)).collect()
            }
        }
    }

    /// The fault at one moment after this instant.
    fn waiting(&self, spec: &FaultSpec, moment: &Moment, from: Time, dice: &mut Dice) -> FaultSpec {
        let pass_by = match moment {
            Moment::Written | Moment::Syncing | Moment::Synced | Moment::Message(_) | Moment::Fact(_) => 100,
            Moment::Goal(_) | Moment::Started | Moment::Crashed => 2,
        };
        let skip = CountRange { min: 0, max: dice.below(pass_by + 1) as u32 };
        let after = span(Span::us(10), self.roster.pace, dice);
        FaultSpec {
            when: Some(When::Moment(moment.clone())),
            from: Some(from).filter(|from| *from > Time::ZERO),
            skip: Some(skip).filter(|skip| skip.max > 0),
            after: Some(after).filter(|_| coin(8, dice)),
            ..spec.clone()
        }
    }
}

fn from(first: Span) -> Option<Time> {
    Some(Time::ZERO + first).filter(|_| !first.is_zero())
}
