//! A server of Redis that stands alone.

use super::command::Record;
use super::store::Store;
use super::{Hosting, Persistence};
use crate::kernel::time::{Span, Time};
use crate::protocol::{Found, NodeId};
use crate::protocols::lock::message::{self, Call, Reply, Request};
use crate::protocols::lock::recipe::Due;
use crate::protocols::lock::service::{Connections, Office, Service};
use crate::servers::redis::Role;

/// How often what was written is forced to the disk, if not before each acknowledgement.
pub(super) const FORCED_EVERY: Span = Span::secs(1);

/// The state of a server.
#[derive(Clone, Debug)]
pub struct Server {
    store: Store,
    connections: Connections,
    /// Until then it answers nobody.
    silent_until: Time,
}

impl Server {
    /// Starts a server with what its disk holds.
    pub fn boot(hosting: Hosting, disk: Found<'_, message::Record>, office: &mut Office<'_, '_>) -> Server {
        let mut store = Store::new(hosting);
        store.set_role(Role::Replica);
        for record in disk.records {
            let message::Record::Redis(Record::Change(change)) = record else {
                unreachable!("a record of another kind of server")
            };
            store.replicate(change, office);
        }
        store.set_role(Role::Primary);
        store.tell_keepers(0, office);
        if hosting.persistence == Persistence::EverySecond {
            office.wake(FORCED_EVERY, Due::Beat);
        }
        let silent_until = office.io.now() + hosting.delay;
        Server { store, connections: Connections::default(), silent_until }
    }
}

impl Service for Server {
    fn on_request(&mut self, from: NodeId, call: Call, request: Request, office: &mut Office<'_, '_>) {
        let Request::Redis(command) = request else { unreachable!("a command for another kind of server") };
        if office.io.now() < self.silent_until || !self.connections.admits(from, call) {
            return;
        }
        let (reply, change) = self.store.apply(&command, office);
        if !change.is_empty() {
            self.store.keep(Record::Change(change), office);
        }
        self.store.tell_keeper(&command, reply, office);
        office.reply(from, call, Reply::Redis(reply));
    }

    fn on_due(&mut self, _: Due, office: &mut Office<'_, '_>) {
        office.wake(FORCED_EVERY, Due::Beat);
        office.io.sync();
    }

    fn role(&self, role: &str) -> Option<u64> {
        (role == "primary").then_some(0)
    }
}
