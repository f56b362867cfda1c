//! Whether servers of Redis that have as much of what a primary has told have the same, and keep what they say that they have.

use super::reigns::has_forgotten;
use crate::environment::disk::Disk;
use crate::oracle::spec::{Touch, Verdict, View, Violation};
use crate::protocol::NodeId;
use crate::protocols::lock::config::Config;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::message::Record;
use crate::protocols::lock::node::Lock;
use crate::protocols::lock::redis;
use crate::protocols::lock::redis::failover::{Position, Server};
use crate::servers::redis::Snapshot;
use std::collections::BTreeMap;

/// At how many of the latest positions the keys are remembered.
const REMEMBERED: usize = 256;

/// What is known of the servers.
#[derive(Clone, Debug)]
pub struct Replicas {
    /// The keys at a position, as a server had them that was first seen there.
    keys: BTreeMap<Position, Snapshot>,
    servers: Vec<Known>,
    /// Whether what changes is on the disk before it is acknowledged.
    is_durable: bool,
}

/// What is known of one server.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Where it was seen last.
    position: Position,
    /// Of a primary: what it had last heard that each other has of this reign.
    acked: Vec<u64>,
    /// So many records of its disk make up this position.
    counted: usize,
    durable: Position,
}

impl Known {
    /// How much its disk calls durable. O(records since it was asked last).
    fn durable(&mut self, disk: &Disk<Record>) -> Position {
        for number in self.counted..disk.synced() {
            match disk.record(number) {
                Some(Record::Redis(redis::Record::Change(_))) => self.durable.offset += 1,
                Some(Record::Redis(redis::Record::Whole(at, _))) => self.durable = *at,
                Some(Record::Redis(redis::Record::Promise { .. }) | Record::Raft(_) | Record::Database(_)) => {}
                Some(Record::Mark(..)) | None => {}
            }
        }
        self.counted = disk.synced();
        self.durable
    }
}

impl Replicas {
    /// Nothing yet; `None` if there are no replicas.
    pub fn of(config: &Config) -> Option<Replicas> {
        let hosting = match &config.kind {
            Kind::RedisFailover(redis) => redis.client.hosting,
            Kind::Redis(_)
            | Kind::Redlock(_)
            | Kind::SortedSet(_)
            | Kind::Lease(_)
            | Kind::ZooKeeper(_)
            | Kind::Database(_) => return None,
        };
        let servers = vec![Known::default(); config.servers.into()];
        Some(Replicas { keys: BTreeMap::new(), servers, is_durable: hosting.persistence == redis::Persistence::Always })
    }

    /// A server has done something. O(servers); where its position has changed, O(keys).
    ///
    /// # Errors
    /// `lock.replicas-agree`, `lock.acknowledged-durable`.
    pub fn after_step(&mut self, view: &View<Lock>, node: NodeId, touch: Touch) -> Verdict {
        let Some(server) = view.state(node).and_then(Lock::failover) else { return Ok(()) };
        let before = std::mem::replace(&mut self.servers[node.index()].position, server.position());
        if before != server.position() || touch == Touch::Booted {
            self.check_keys(view, node, server)?;
        }
        if self.is_durable { self.check_acknowledged(view, node, server) } else { Ok(()) }
    }

    /// Before a primary has changed something its keys are not compared: it may have let some expire that go with the first change.
    fn check_keys(&mut self, view: &View<Lock>, node: NodeId, server: &Server) -> Verdict {
        let at = server.position();
        if at.offset == 0 {
            return Ok(());
        }
        let keys = server.keys();
        let agrees = *self.keys.entry(at).or_insert_with(|| keys.clone()) == keys;
        if self.keys.len() > REMEMBERED {
            self.keys.pop_first();
        }
        if agrees || has_forgotten(view, self.servers.len()) {
            return Ok(());
        }
        let message = format!("{node:?} has other keys than another server that had {at:?}, too");
        Err(Box::new(Violation::new("lock.replicas-agree", &[node], message)))
    }

    /// What a primary counts as acknowledged is on the disk of whoever has said so, or what a later reign has put in its place.
    fn check_acknowledged(&mut self, view: &View<Lock>, node: NodeId, server: &Server) -> Verdict {
        let (at, acked) = (server.position(), server.acknowledged());
        // Few numbers, one by one: to compare them as bytes takes several times as long.
        if self.servers[node.index()].acked.iter().eq(acked) {
            return Ok(());
        }
        self.servers[node.index()].acked = acked.to_vec();
        for (place, offset) in
            acked.iter().enumerate().filter_map(|(place, acked)| Some((place, acked.checked_sub(1)?)))
        {
            let replica = NodeId::new(place as u16);
            let durable = self.servers[place].durable(&view.host(replica).disk);
            if durable < (Position { offset, ..at }) && !has_forgotten(view, self.servers.len()) {
                let message = format!(
                    "{replica:?} has acknowledged {offset} changes of reign {} to {node:?}; its disk has {durable:?}",
                    at.epoch
                );
                return Err(Box::new(Violation::new("lock.acknowledged-durable", &[replica, node], message)));
            }
        }
        Ok(())
    }
}
