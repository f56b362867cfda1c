//! The kinds of lock services: the one place that names them all.

use super::claim::ClaimId;
use super::config::Config;
use super::ensemble::Ensemble;
use super::message::{self, Record};
use super::recipe::{Desk, Recipe};
use super::service::{Office, Service};
use super::{database, ensemble, lease, redis, zookeeper};
use crate::kernel::time::Time;
use crate::protocol::Found;
use crate::protocols::raft;

/// Which service, and its own settings.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One server of Redis.
    Redis(redis::Config),
    /// A primary of Redis, and replicas of which one takes its place.
    RedisFailover(redis::failover::Config),
    /// Several servers of Redis that know nothing of each other.
    Redlock(redis::redlock::Config),
    /// One server of Redis, and a sorted set for each lock.
    SortedSet(redis::sorted::Config),
    /// Servers of etcd, and leases.
    Lease(lease::Config),
    /// Servers of ZooKeeper.
    ZooKeeper(zookeeper::Config),
    /// One server of PostgreSQL.
    Database(database::Config),
}

/// The kinds of messages of all services, in lists.
pub const MESSAGES: [&[&str]; 10] = [
    &message::MESSAGES,
    &redis::command::MESSAGES,
    &redis::failover::message::MESSAGES,
    &redis::sorted::MESSAGES,
    &lease::command::MESSAGES,
    &zookeeper::command::MESSAGES,
    &database::command::ON_ROWS,
    &database::command::ON_CONNECTIONS,
    &ensemble::MESSAGES,
    &raft::message::MESSAGES,
];

impl Kind {
    /// Whether its servers replicate by Raft.
    pub const fn replicates(&self) -> bool {
        match self {
            Kind::Redis(_) | Kind::RedisFailover(_) | Kind::Redlock(_) | Kind::SortedSet(_) | Kind::Database(_) => {
                false
            }
            Kind::Lease(_) | Kind::ZooKeeper(_) => true,
        }
    }

    /// The kinds of messages that its nodes send, in lists.
    pub fn messages(&self) -> Vec<&'static [&'static str]> {
        let own: &[&'static [&'static str]] = match self {
            Kind::Redis(_) | Kind::Redlock(_) => &[&redis::command::MESSAGES],
            Kind::RedisFailover(_) => &[&redis::command::MESSAGES, &redis::failover::message::MESSAGES],
            Kind::SortedSet(_) => &[&redis::sorted::MESSAGES],
            Kind::Lease(_) => &[&lease::command::MESSAGES, &ensemble::MESSAGES, &raft::message::MESSAGES],
            Kind::ZooKeeper(_) => &[&zookeeper::command::MESSAGES, &ensemble::MESSAGES, &raft::message::MESSAGES],
            Kind::Database(database) => match database.way {
                database::Way::Row(_) => &[&database::command::ON_ROWS],
                database::Way::Connected(_) => &[&database::command::ON_CONNECTIONS],
            },
        };
        [&[message::MESSAGES.as_slice()], own].concat()
    }

    /// How many of so many servers must be well and connected for locks to be had.
    pub const fn quorum(&self, servers: u16) -> u16 {
        match self {
            Kind::Redis(_) | Kind::SortedSet(_) | Kind::Database(_) => 1,
            Kind::RedisFailover(redis) => {
                let (majority, waits) = (servers / 2 + 1, redis.client.wait + 1);
                if majority > waits { majority } else { waits }
            }
            Kind::Redlock(_) | Kind::Lease(_) | Kind::ZooKeeper(_) => servers / 2 + 1,
        }
    }
}

/// One server of any kind.
#[derive(Clone, Debug)]
pub enum AnyServer {
    /// Of Redis.
    Redis(redis::server::Server),
    /// Of Redis, with others.
    RedisFailover(Box<redis::failover::Server>),
    /// Of an ensemble.
    Ensemble(Box<Ensemble>),
    /// Of PostgreSQL.
    Database(Box<database::server::Server>),
}

impl AnyServer {
    /// Starts one with what its disk holds.
    pub(super) fn boot(config: &Config, disk: Found<'_, Record>, office: &mut Office<'_, '_>) -> AnyServer {
        match &config.kind {
            Kind::Redis(redis) => AnyServer::Redis(redis::server::Server::boot(redis.hosting, disk, office)),
            Kind::RedisFailover(redis) => {
                AnyServer::RedisFailover(Box::new(redis::failover::Server::boot(*redis, disk, office)))
            }
            Kind::Redlock(redis) => AnyServer::Redis(redis::server::Server::boot(redis.hosting, disk, office)),
            Kind::SortedSet(redis) => AnyServer::Redis(redis::server::Server::boot(redis.hosting, disk, office)),
            Kind::Lease(lease) => AnyServer::Ensemble(Box::new(Ensemble::of_leases(lease, disk, office))),
            Kind::ZooKeeper(config) => AnyServer::Ensemble(Box::new(Ensemble::of_zookeeper(config, disk, office))),
            Kind::Database(database) => {
                AnyServer::Database(Box::new(database::server::Server::boot(database, disk, office)))
            }
        }
    }
}

impl AnyServer {
    /// As what every server is.
    pub(super) fn service(&mut self) -> &mut dyn Service {
        match self {
            AnyServer::Redis(server) => server,
            AnyServer::RedisFailover(server) => server.as_mut(),
            AnyServer::Ensemble(server) => server.as_mut(),
            AnyServer::Database(server) => server.as_mut(),
        }
    }

    /// By what right it holds a role.
    pub(super) fn role(&self, role: &str) -> Option<u64> {
        match self {
            AnyServer::Redis(server) => server.role(role),
            AnyServer::RedisFailover(server) => server.role(role),
            AnyServer::Ensemble(server) => server.role(role),
            AnyServer::Database(server) => server.role(role),
        }
    }

    /// What it is, for a reader; of a server that is alone, nothing.
    pub(super) fn standing(&self) -> String {
        match self {
            AnyServer::Redis(_) | AnyServer::Database(_) => String::new(),
            AnyServer::RedisFailover(server) => server.standing(),
            AnyServer::Ensemble(server) => server.core().standing_and_vote(),
        }
    }

    /// As one of several servers of Redis, if it is one.
    pub(super) fn failover(&self) -> Option<&redis::failover::Server> {
        match self {
            AnyServer::RedisFailover(server) => Some(server),
            AnyServer::Redis(_) | AnyServer::Ensemble(_) | AnyServer::Database(_) => None,
        }
    }

    /// As a server of an ensemble, if it is one.
    pub(super) fn ensemble(&self) -> Option<&Ensemble> {
        match self {
            AnyServer::Redis(_) | AnyServer::RedisFailover(_) | AnyServer::Database(_) => None,
            AnyServer::Ensemble(server) => Some(server),
        }
    }

    /// The same, to be told something.
    pub(super) fn ensemble_mut(&mut self) -> Option<&mut Ensemble> {
        match self {
            AnyServer::Redis(_) | AnyServer::RedisFailover(_) | AnyServer::Database(_) => None,
            AnyServer::Ensemble(server) => Some(server),
        }
    }
}

/// What a client knows of its service, of any kind.
#[expect(clippy::large_enum_variant, reason = "there is one in a node, and never many of different kinds")]
#[derive(Clone, Debug)]
pub enum AnyRecipe {
    /// Of Redis.
    Redis(redis::client::Single),
    /// Of Redlock.
    Redlock(redis::redlock::Redlock),
    /// Of sorted sets.
    SortedSet(redis::sorted::client::Sorted),
    /// Of leases.
    Lease(lease::client::Leased),
    /// Of ZooKeeper.
    ZooKeeper(zookeeper::client::Queued),
    /// Of a database.
    Database(database::Recipes),
}

impl AnyRecipe {
    /// Starts one.
    pub(super) fn boot(desk: &mut Desk<'_, '_>) -> AnyRecipe {
        match &desk.config.kind {
            Kind::Redis(redis) => AnyRecipe::Redis(redis::client::Single::boot(redis)),
            Kind::RedisFailover(redis) => AnyRecipe::Redis(redis::client::Single::boot(&redis.client)),
            Kind::Redlock(redis) => AnyRecipe::Redlock(redis::redlock::Redlock::boot(redis)),
            Kind::SortedSet(redis) => AnyRecipe::SortedSet(redis::sorted::client::Sorted::boot(redis)),
            Kind::Lease(lease) => AnyRecipe::Lease(lease::client::Leased::boot(lease, desk)),
            Kind::ZooKeeper(config) => AnyRecipe::ZooKeeper(zookeeper::client::Queued::boot(config, desk)),
            Kind::Database(database) => {
                AnyRecipe::Database(database::Recipes::boot(database, &desk.config.rules.database))
            }
        }
    }
}

impl AnyRecipe {
    /// As what every recipe is.
    pub(super) fn recipe(&mut self) -> &mut dyn Recipe {
        match self {
            AnyRecipe::Redis(recipe) => recipe,
            AnyRecipe::Redlock(recipe) => recipe,
            AnyRecipe::SortedSet(recipe) => recipe,
            AnyRecipe::Lease(recipe) => recipe,
            AnyRecipe::ZooKeeper(recipe) => recipe,
            AnyRecipe::Database(recipe) => recipe,
        }
    }

    /// The session or lease that it has, if it has any, and when that must be over by the client's own clock.
    pub(super) fn session(&self) -> Option<(u64, Time)> {
        match self {
            AnyRecipe::Lease(recipe) => recipe.session(),
            AnyRecipe::ZooKeeper(recipe) => recipe.session(),
            AnyRecipe::Redis(_) | AnyRecipe::Redlock(_) | AnyRecipe::SortedSet(_) | AnyRecipe::Database(_) => None,
        }
    }

    /// Whether a claim can still be held, see [`Recipe::is_valid`].
    pub(super) fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        match self {
            AnyRecipe::Redis(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::Redlock(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::SortedSet(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::Lease(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::ZooKeeper(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::Database(recipe) => recipe.is_valid(claim, now),
        }
    }
}
