//! What a server of leases knows that is not replicated: who watches which key, and, of a leader, which leases it has
//! found to have run out.

use super::Config;
use super::command::{Answer, Key, Question, Write};
use crate::kernel::digest::mix;
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::ensemble::machine::{Changes, Command, Done, Through, What};
use crate::protocols::lock::ensemble::{self, Proposal, Seen, Taken};
use crate::protocols::lock::message::{Call, Event, Reply, Request};
use crate::protocols::lock::node::Fact;
use crate::protocols::lock::service::Office;
use crate::servers::etcd::bytes::KeyRange;
use crate::servers::etcd::lessor::Renewal;
use crate::servers::etcd::server::LOOK_LIMIT;
use crate::servers::etcd::watchers::{Change, Told, Watch, Watchers};
use std::collections::{BTreeMap, BTreeSet};

/// A server, but for what is replicated.
#[derive(Clone, Debug)]
pub struct Front {
    config: Config,
    watchers: Watchers,
    /// Who has which watch, and which watch is whose.
    watches: BTreeMap<(NodeId, ClaimId), i64>,
    owners: BTreeMap<i64, Owner>,
    /// How many watches there have ever been.
    numbers: i64,
    /// The leases that it has found to have run out while it led, and in which term.
    ending: BTreeMap<i64, u64>,
    /// The leases of which checkpoints are on their way into the log.
    noted: BTreeSet<i64>,
}

/// Who watches what: a client, for one of its claims, the key of another.
#[derive(Clone, Copy, Debug)]
struct Owner {
    client: NodeId,
    waiter: ClaimId,
    key: Key,
}

impl Front {
    /// Nobody watches anything.
    pub fn new(config: Config) -> Front {
        Front {
            config,
            watchers: Watchers::new(),
            watches: BTreeMap::new(),
            owners: BTreeMap::new(),
            numbers: 0,
            ending: BTreeMap::new(),
            noted: BTreeSet::new(),
        }
    }

    /// Somebody watches a key, anew or again.
    fn watch(&mut self, owner: Owner, watch: Watch, see: &Seen<'_>, office: &mut Office<'_, '_>) {
        if let Some(number) = self.watches.remove(&(owner.client, owner.waiter)) {
            self.owners.remove(&number);
            self.watchers.cancel(number);
        }
        self.numbers += 1;
        self.watches.insert((owner.client, owner.waiter), self.numbers);
        self.owners.insert(self.numbers, owner);
        let told = self.watchers.watch(&see.machine.service.lease().etcd.store, self.numbers, watch);
        // What is past is told at once, and so is that it can be told no more.
        told.iter().for_each(|told| self.on_told(self.numbers, told, office));
    }

    fn on_told(&mut self, number: i64, told: &Told, office: &mut Office<'_, '_>) {
        match told {
            Told::Created { .. } => {}
            Told::Canceled { .. } => self.tell(number, None, office),
            Told::Changed(changes) => self.tell(number, revision(changes), office),
        }
    }

    /// What a watch was for has happened.
    fn tell(&mut self, number: i64, revision: Option<i64>, office: &mut Office<'_, '_>) {
        let Some(Owner { client, waiter, key }) = self.owners.remove(&number) else { return };
        self.watches.remove(&(client, waiter));
        self.watchers.cancel(number);
        office.event(client, Event::KeyGone { waiter, key, revision });
    }

    /// A lease lives on, if it is this server that says so. If a checkpoint says how long it had still to live, or is about to, that is
    /// forgotten before it is answered: a leader to come would go by it. Source: `lease.lessor.Renew` of etcd 3.4, which waits for its checkpointer.
    fn renew(&mut self, lease: i64, call: Call, see: &mut Seen<'_>, office: &mut Office<'_, '_>) -> Taken {
        let machine = see.machine.service.lease_mut();
        let now = machine.now();
        match machine.etcd.lessor.renew(now, lease) {
            Ok(Renewal::Renewed { forget, .. }) if forget || self.noted.contains(&lease) => {
                // It stands in no order with what goes over the line of the client.
                let apart = Through { server: office.io.me(), made: call, term: see.term };
                Taken::Proposed(What::Lease(Write::Checkpoint { lease, remaining: 0 }), Some(apart))
            }
            Ok(Renewal::Renewed { ttl, .. }) => Taken::Answered(Reply::Lease(Answer::Lives(ttl))),
            // It is answered when it has ended; until then the client asks again.
            Ok(Renewal::Ending) => Taken::Silent,
            Err(_) => {
                office.io.note(Fact::Denied { session: lease as u64 });
                Taken::Answered(Reply::Lease(Answer::Lives(0)))
            }
        }
    }
}

impl ensemble::Front for Front {
    fn take(
        &mut self,
        from: NodeId,
        call: Call,
        request: Request,
        see: &mut Seen<'_>,
        office: &mut Office<'_, '_>,
    ) -> Taken {
        let Request::Lease(question) = request else { unreachable!("a question for another kind of server") };
        match question {
            Question::Write(write) => Taken::Proposed(What::Lease(write), None),
            Question::Renew { lease } if see.leads => self.renew(lease, call, see, office),
            Question::Renew { .. } => Taken::Passed,
            Question::Watch { waiter, key, from: start } => {
                let watch = Watch { keys: KeyRange::one(key.name()), start, no_put: true, ..Watch::default() };
                self.watch(Owner { client: from, waiter, key }, watch, see, office);
                Taken::Answered(Reply::Lease(Answer::Done))
            }
        }
    }

    fn applied(&mut self, command: &Command, done: &Done, see: &mut Seen<'_>, office: &mut Office<'_, '_>) {
        if let What::Lease(Write::Revoke { lease }) = command.what {
            self.ending.remove(&lease);
        }
        if let What::Lease(Write::Checkpoint { lease, .. }) = command.what {
            self.noted.remove(&lease);
        }
        let Changes::Lease(events) = &done.changes else { return };
        let machine = see.machine.service.lease();
        let told = self.watchers.notify(&machine.etcd.store, events);
        for (number, changes) in told {
            self.tell(number, revision(&changes), office);
        }
    }

    /// What watchers have missed they are told; or that it is not known any more.
    fn restored(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>) {
        for (number, told) in self.watchers.restore(&see.machine.service.lease().etcd.store) {
            self.on_told(number, &told, office);
        }
        let lives = |lease: &i64| see.machine.service.knows(*lease as u64);
        self.ending.retain(|lease, _| lives(lease));
    }

    fn leads(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>) {
        self.noted.clear();
        if (office.config.rules.lease.expires_at_apply)() {
            return;
        }
        let machine = see.machine.service.lease_mut();
        let now = machine.now();
        if see.leads {
            // Nobody knows when the old leader has heard of them last.
            let extension = (office.config.rules.lease.extends)(self.config.raft.election_timeout_max);
            machine.etcd.lessor.promote(now, extension);
        } else {
            machine.etcd.lessor.demote();
        }
    }

    fn on_beat(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>) -> Vec<Proposal> {
        let mut proposals: Vec<Proposal> = Vec::new();
        if see.leads {
            let machine = see.machine.service.lease_mut();
            let now = machine.now();
            for lease in machine.etcd.lessor.due(now, LOOK_LIMIT) {
                office.io.note(Fact::RanOut { session: lease as u64 });
                self.ending.insert(lease, see.term);
            }
            for checkpoint in machine.etcd.lessor.due_checkpoints(now, 2 * LOOK_LIMIT) {
                let what = What::Lease(Write::Checkpoint { lease: checkpoint.id, remaining: checkpoint.remaining });
                self.noted.insert(checkpoint.id);
                proposals.push(Proposal { what, term: None });
            }
            self.ending.retain(|_, term| *term == see.term);
        }
        proposals.extend(
            self.ending.iter().map(|(lease, term)| Proposal {
                what: What::Lease(Write::Revoke { lease: *lease }),
                term: Some(*term),
            }),
        );
        proposals
    }

    fn proposes(&self, proposal: &Proposal, see: &mut Seen<'_>, office: &mut Office<'_, '_>) -> bool {
        proposal.term.is_none_or(|term| (office.config.rules.lease.revoke_is_current)(term, see.term))
    }
}

/// When it happened that a watcher is told of.
fn revision(changes: &[Change]) -> Option<i64> {
    changes.first().map(|change| change.event.kv.modified)
}

/// A number for what has happened to a lock at a revision.
pub fn happening(lock: LockId, revision: i64) -> u64 {
    mix(u64::from(lock.0), revision as u64)
}
