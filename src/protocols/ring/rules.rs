//! The decisions on which the ring's promises rest, one small function each, with its source. A planted defect replaces
//! one of them.

use super::cell::{Cell, Rank, Version};
use super::epoch::{FOUNDER, Identity, Phase};
use super::message::Beat;
use super::store::{HintKey, Store, Wish};
use crate::kernel::time::{Span, Time};
use crate::placement::rules as placement;
use crate::protocol::{NodeId, Order};

/// All decisions. [`Rules::SOUND`] has those of the literature.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Where keys and points are.
    pub placement: placement::Rules,
    /// Of who coordinates requests.
    pub request: RequestRules,
    /// Of replicas.
    pub replica: ReplicaRules,
    /// Of changes of the members.
    pub change: ChangeRules,
    /// May a step that was decided looking at epoch `from` follow the latest epoch? Source: compare-and-swap, as Redis'
    /// slot migration lacks it (commits a1349728e, 44f7afe28 speak of the danger).
    pub may_follow: fn(from: u64, latest: u64) -> bool,
}

/// The decisions of who coordinates requests.
#[derive(Clone, Copy, Debug)]
pub struct RequestRules {
    /// The version of a write whose coordinator has seen `seen` as the highest counter, at `wall`.
    pub next_counter: fn(seen: u32, wall: Time) -> u32,
    /// May a read answer at once that has found the same at so many, where a read quorum cannot miss `enough`? Where keys are
    /// moved, others will be asked next.
    pub is_settled: fn(count: usize, enough: usize, phase: Phase) -> bool,
    /// While keys are moved, are they written at those, too, who come to own them?
    pub writes_to_next: fn() -> bool,
    /// Must a quorum of the next owners have a write, beside a quorum of the owners?
    pub needs_both: fn() -> bool,
    /// Does a hint that was left count as a copy?
    pub hint_counts: fn() -> bool,
    /// Are hints dropped when an epoch begins that forgets deletions?
    pub hint_is_cleared: fn() -> bool,
    /// Must a hint be on disk?
    pub hint_is_kept: fn() -> bool,
    /// How many hints are kept, where the limit is this?
    pub hints: fn(limit: usize) -> usize,
    /// Is whoever comes to own a key left the hints that are kept about it?
    pub hint_follows: fn() -> bool,
    /// Does a hint go that was delivered?
    pub hint_goes: fn() -> bool,
    /// Under what a hint is filed.
    pub hint_key: fn(target: NodeId, rank: Rank) -> HintKey,
}

/// The decisions of replicas.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaRules {
    /// Does a server in epoch `mine` take a message of epoch `theirs`?
    pub takes_epoch: fn(theirs: u64, mine: u64) -> bool,
    /// Must a cell be durable before it is acknowledged or shown?
    pub waits_for_disk: fn() -> bool,
    /// Is a cell kept, where that one is?
    pub is_kept: fn(new: &Cell, kept: Option<&Cell>) -> bool,
    /// May a deletion be forgotten, of which all owners have said that they know, or not?
    pub may_forget: fn(all_know: bool) -> bool,
    /// Does somebody who is told sums look where they differ from its own?
    pub compares: fn() -> bool,
    /// What is kept at the beginning of a new journal.
    pub checkpoint: fn(store: &Store) -> Store,
    /// Which version of a deletion is confirmed to somebody who asks for `asked`, by one who has `kept`.
    pub confirms: fn(asked: Version, kept: Option<&Cell>) -> bool,
}

/// The decisions of changes of the members.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRules {
    /// Does a server in epoch `mine` go on to epoch `news`?
    pub is_next: fn(news: u64, mine: u64) -> bool,
    /// Is a member given up that is taken for dead?
    pub gives_up_dead: fn() -> bool,
    /// Is somebody with a new disk what it is by the latest epoch that it knows, if it was told nothing, and not what it was in the
    /// beginning?
    pub new_disk_asks_epoch: fn() -> bool,
    /// How many members must stay, whoever wants to go, where a key has so many copies?
    pub least_members: fn(copies: usize) -> usize,
    /// Must others have missed somebody, too, who is taken for dead?
    pub asks_others: fn() -> bool,
    /// For how long must somebody have called a suspect in vain, who was asked to do so for this long?
    pub patience: fn(asked: Span) -> Span,
    /// What a server wants after an order, if that is something about its place in the ring, where somebody who is told
    /// nothing else has so many points and this zone.
    pub order: fn(wish: Wish, order: Order, usual: (u32, u16)) -> Option<Wish>,
    /// May an epoch forget deletions, when the last that did was decided so long ago, and the least time between two is `every`?
    pub may_clear: fn(ago: Span, every: Span) -> bool,
    /// Must what a server says of itself be durable?
    pub beat_waits_for_disk: fn() -> bool,
    /// Are the owners worked out anew with the epoch?
    pub ring_follows: fn() -> bool,
    /// From how many of the owners must be fetched, where so many answer to a read?
    pub sources: fn(read_quorum: usize) -> usize,
    /// Must everybody have what it comes to own before it is read from there?
    pub waits_for_copies: fn() -> bool,
    /// Must nobody read by the old list any more before it is given up?
    pub waits_for_readers: fn() -> bool,
    /// Does what was fetched for a plan that was given up count for the next one, where `is_covered`: where it is gained by
    /// both, and all owners that need not fetch it are owners by both?
    pub counts_for_next_plan: fn(is_covered: bool) -> bool,
    /// From how many sources is fetched at a time, where the limit is this?
    pub transfers: fn(limit: usize) -> usize,
    /// Is there a time between two batches, also where the plan changes?
    pub keeps_pace: fn() -> bool,
    /// Does somebody who fetches learn the highest counter that its sources have forgotten?
    pub hands_floor_over: fn() -> bool,
    /// Does somebody who has been a member before fetch what it comes to own, having kept something?
    pub fetches_again: fn() -> bool,
    /// Does the cleanup of a fetch that was given up take what the next one has fetched, too?
    pub cleans_up_late: fn() -> bool,
    /// Does a member stay of whom nothing is known to who has begun to lead?
    pub keeps_unheard: fn() -> bool,
    /// Does every server tell of the epochs those who are behind? Those who decide do in any case.
    pub tells_epochs: fn() -> bool,
    /// Must a step be decided before the next one is thought of? Where it need not be, the next one may be void by then:
    /// [`Rules::may_follow`] says so.
    pub waits_for_last: fn() -> bool,
    /// Does a source give up what it has sent?
    pub gives_up_when_sent: fn() -> bool,
    /// Does a server that owns keys in the list that is left serve them still in this phase?
    pub serves: fn(phase: Phase) -> bool,
    /// Does a server give up keys that it owns no more?
    pub purges: fn() -> bool,
    /// Was a beat not sent before the one of the same server that is known?
    pub is_news: fn(beat: &Beat, known: &Beat) -> bool,
    /// Which disk a server has that starts again with this one, undamaged.
    pub identity: fn(found: Identity, drawn: Identity) -> Identity,
}

impl Rules {
    /// Those of the literature.
    pub const SOUND: Rules = Rules {
        placement: placement::Rules::SOUND,
        request: RequestRules {
            next_counter: |seen, _| seen + 1,
            is_settled: |count, enough, phase| count >= enough && phase == Phase::Settled,
            writes_to_next: always,
            needs_both: always,
            hint_counts: never,
            hint_is_cleared: always,
            hint_is_kept: always,
            hints: |limit| limit,
            hint_follows: always,
            hint_goes: always,
            hint_key: |target, rank| (target, rank),
        },
        replica: ReplicaRules {
            takes_epoch: |theirs, mine| theirs == mine,
            waits_for_disk: always,
            is_kept: Cell::is_newer_than,
            may_forget: |all_know| all_know,
            compares: always,
            checkpoint: Store::clone,
            confirms,
        },
        change: ChangeRules {
            is_next: |news, mine| news == mine + 1,
            gives_up_dead: always,
            new_disk_asks_epoch: always,
            least_members: |copies| copies,
            asks_others: always,
            patience: |asked| asked,
            order: Wish::after,
            may_clear: |ago, every| ago >= every,
            beat_waits_for_disk: always,
            ring_follows: always,
            sources: |read_quorum| read_quorum,
            waits_for_copies: always,
            waits_for_readers: always,
            counts_for_next_plan: |is_covered| is_covered,
            transfers: |limit| limit,
            keeps_pace: always,
            hands_floor_over: always,
            fetches_again: always,
            cleans_up_late: never,
            keeps_unheard: always,
            tells_epochs: always,
            waits_for_last: always,
            gives_up_when_sent: never,
            serves: |_| true,
            purges: always,
            is_news: Beat::is_as_late_as,
            identity: |found, _| found,
        },
        may_follow: |from, latest| from == latest,
    };
}

/// Where a rule is only asked whether it holds: it does.
fn always() -> bool {
    true
}

/// It does not.
fn never() -> bool {
    false
}

/// The very deletion that is asked for, and not an older value, nor nothing: that could still arrive.
fn confirms(asked: Version, kept: Option<&Cell>) -> bool {
    kept.is_some_and(|kept| kept.version == asked && kept.is_tombstone())
}

/// Whether the server of Raft beside this disk may take part: it may not with another disk than it began with.
pub fn may_coordinate(identity: Identity) -> bool {
    identity == FOUNDER
}
