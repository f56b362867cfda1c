//! What one session can do to another, by the number of its process.

use super::SessionId;
use super::error::Error;
use super::lock::conflicts;
use super::server::Server;
use std::collections::BTreeSet;

impl Server {
    /// `pg_terminate_backend`. One that ends itself gets an error.
    pub(super) fn terminate(&mut self, me: SessionId, pid: i64) -> Result<bool, Error> {
        let error = Error::fatal("57P01", "terminating connection due to administrator command");
        match self.by_pid(pid) {
            None => Ok(false),
            Some(id) if id == me => Err(error),
            Some(id) if self.waits(id) => {
                self.cancel(id, error);
                Ok(true)
            }
            Some(id) => {
                self.expel(id, error);
                Ok(true)
            }
        }
    }

    /// `pg_cancel_backend`.
    pub(super) fn cancel_backend(&mut self, me: SessionId, pid: i64) -> Result<bool, Error> {
        let error = Error::new("57014", "canceling statement due to user request");
        match self.by_pid(pid) {
            None => Ok(false),
            Some(id) if id == me => Err(error),
            Some(id) => {
                self.cancel(id, error);
                Ok(true)
            }
        }
    }

    /// Those for whom the session of a process waits, in the order of their numbers.
    pub(super) fn blocking_pids(&self, pid: i64) -> Vec<i64> {
        let waiting = self.by_pid(pid).and_then(|id| Some((id, self.locks.waits.get(&id)?)));
        let Some((id, tag)) = waiting else { return Vec::new() };
        let lock = &self.locks.locks[tag];
        let Some(place) = lock.queue.iter().position(|waiter| waiter.session == id) else { return Vec::new() };
        let mode = lock.queue[place].mode;
        let holders = lock.holders.iter().filter(|(_, held)| conflicts(mode, **held)).map(|(id, _)| *id);
        let ahead = lock.queue.iter().take(place).filter(|one| conflicts(mode, 1 << one.mode));
        let all: BTreeSet<SessionId> =
            holders.chain(ahead.map(|one| one.session)).filter(|other| *other != id).collect();
        all.into_iter().map(|id| self.pid(id)).collect()
    }
}
