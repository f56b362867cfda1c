//! A cluster of one member: what a client of it sees.

use super::error::Error;
use super::ids::Ids;
use super::lessor::{Renewal, Settings, TimeToLive};
use super::primary::Checkpoint;
use super::request::{Range, RangeReply};
use super::state::{Command, Reply, State};
use super::watchers::{Told, Watch, Watchers};
use crate::kernel::time::{Span, Time};

/// How often a leader looks whether leases have run out. Source: `lessor.runLoop`.
pub const LOOK_EVERY: Span = Span::ms(500);
/// How many leases it ends each time. Source: `leaseRevokeRate / 2`.
pub const LOOK_LIMIT: usize = 500;

/// One etcd server that is its own leader.
///
/// Every call is told the time of the server's monotonic clock, which must not go back. Leases that have run out by
/// then end first, at the multiples of [`LOOK_EVERY`] at which the server looks.
#[derive(Clone, PartialEq, Debug)]
pub struct Server {
    state: State,
    watchers: Watchers,
    ids: Ids,
    now: Time,
    /// Up to here it was looked for leases that have run out.
    looked: Time,
    told: Vec<(i64, Told)>,
}

impl Default for Server {
    fn default() -> Server {
        Server::new(Settings::default())
    }
}

impl Server {
    /// A server without keys that has just begun to lead.
    pub fn new(settings: Settings) -> Server {
        let mut state = State::new(settings);
        state.lessor.promote(Time::ZERO, Span::ZERO);
        let ids = Ids::new(0, 0);
        Server { state, watchers: Watchers::new(), ids, now: Time::ZERO, looked: Time::ZERO, told: Vec::new() }
    }

    /// The keys and leases.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Lets the time be `now`.
    ///
    /// # Panics
    ///
    /// If it was later before.
    pub fn advance(&mut self, now: Time) {
        assert!(now >= self.now, "the clock goes back from {} to {now}", self.now);
        self.now = now;
        while let Some(due) = self.state.lessor.next_due() {
            // A limit may have left leases over, for which it is looked again a while later.
            let look = next_look(due).max(self.looked + LOOK_EVERY);
            if look > now {
                break;
            }
            self.looked = look;
            for id in self.state.lessor.due(look, LOOK_LIMIT) {
                self.perform(look, &Command::Revoke { id }).expect("only leases that are there run out");
            }
            let checkpoints = self.state.lessor.due_checkpoints(look, 2 * LOOK_LIMIT);
            self.perform(look, &Command::Checkpoint(checkpoints)).expect("a checkpoint is never refused");
        }
    }

    /// Does what a client asks for. For a lease whose id is 0 the server chooses one.
    ///
    /// # Errors
    ///
    /// The refusal that the client is sent.
    pub fn call(&mut self, now: Time, command: &Command) -> Result<Reply, Error> {
        self.advance(now);
        command.check()?;
        match command {
            Command::Grant { id: 0, ttl } => {
                let command = Command::Grant { id: self.ids.choose(), ttl: *ttl };
                self.perform(now, &command)
            }
            command => self.perform(now, command),
        }
    }

    fn perform(&mut self, at: Time, command: &Command) -> Result<Reply, Error> {
        let applied = self.state.apply(at, command)?;
        for (watch, changes) in self.watchers.notify(&self.state.store, &applied.events) {
            self.told.push((watch, Told::Changed(changes)));
        }
        Ok(applied.reply)
    }

    /// Reads keys.
    ///
    /// # Errors
    ///
    /// The refusal that the client is sent.
    pub fn range(&mut self, now: Time, range: &Range) -> Result<RangeReply, Error> {
        self.advance(now);
        self.state.range(range)
    }

    /// Renews a lease.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseNotFound`], which the client is told as a time to live of 0.
    pub fn keep_alive(&mut self, now: Time, id: i64) -> Result<Renewal, Error> {
        self.advance(now);
        let renewal = self.state.lessor.renew(now, id)?;
        if let Renewal::Renewed { forget: true, .. } = renewal {
            let undone = Command::Checkpoint(vec![Checkpoint { id, remaining: 0 }]);
            self.perform(now, &undone).expect("a checkpoint is never refused");
        }
        Ok(renewal)
    }

    /// How long a lease has still to live.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseNotFound`], which the client is told as a time to live of -1.
    pub fn time_to_live(&mut self, now: Time, id: i64) -> Result<TimeToLive, Error> {
        self.advance(now);
        self.state.lessor.time_to_live(now, id)
    }

    /// The ids of all leases: the one that runs out first comes first.
    pub fn leases(&mut self, now: Time) -> Vec<i64> {
        self.advance(now);
        self.state.lessor.by_expiry()
    }

    /// Begins to watch, under a number of the caller's choosing.
    pub fn watch(&mut self, now: Time, id: i64, watch: Watch) {
        self.advance(now);
        let told = self.watchers.watch(&self.state.store, id, watch);
        self.told.extend(told.into_iter().map(|told| (id, told)));
    }

    /// Stops to watch; says whether there was such a watcher.
    pub fn cancel(&mut self, now: Time, id: i64) -> bool {
        self.advance(now);
        let canceled = self.watchers.cancel(id);
        if canceled {
            self.told.push((id, Told::Canceled { reason: "", compact_revision: 0 }));
        }
        canceled
    }

    /// What watchers were sent since this was last asked, in the order in which it was sent.
    pub fn take_told(&mut self) -> Vec<(i64, Told)> {
        std::mem::take(&mut self.told)
    }
}

/// When the server looks first, from `time` on.
fn next_look(time: Time) -> Time {
    let every = LOOK_EVERY.as_ns();
    Time::from_ns(time.ns().div_ceil(every) * every)
}
