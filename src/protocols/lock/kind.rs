//! The kinds of lock services: the one place that names them all.

use super::claim::ClaimId;
use super::config::Config;
use super::message::Record;
use super::recipe::{Desk, Recipe};
use super::ensemble::Ensemble;
use super::{lease, redis, zookeeper};
use super::service::{Office, Service};
use crate::kernel::time::Time;
use crate::protocol::Found;

/// Which service, and its own settings.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One server of Redis.
    Redis(redis::Config),
    /// Servers of etcd, and leases.
    Lease(lease::Config),
    /// Servers of ZooKeeper.
    ZooKeeper(zookeeper::Config),
}

impl Kind {
    /// Whether its servers replicate by Raft.
    pub const fn replicates(&self) -> bool {
        match self {
            Kind::Redis(_) => false,
            Kind::Lease(_) | Kind::ZooKeeper(_) => true,
        }
    }

    /// How many of so many servers must be well and connected for locks to be had.
    pub const fn quorum(&self, servers: u16) -> u16 {
        match self {
            Kind::Redis(_) => 1,
            Kind::Lease(_) | Kind::ZooKeeper(_) => servers / 2 + 1,
        }
    }
}

/// One server of any kind.
#[derive(Clone, Debug)]
pub enum AnyServer {
    /// Of Redis.
    Redis(redis::server::Server),
    /// Of an ensemble.
    Ensemble(Ensemble),
}

impl AnyServer {
    /// Starts one with what its disk holds.
    pub(super) fn boot(config: &Config, disk: Found<'_, Record>, office: &mut Office<'_, '_>) -> AnyServer {
        match &config.kind {
            Kind::Redis(redis) => AnyServer::Redis(redis::server::Server::boot(redis, disk, office)),
            Kind::Lease(lease) => AnyServer::Ensemble(Ensemble::of_leases(lease, disk, office)),
            Kind::ZooKeeper(config) => AnyServer::Ensemble(Ensemble::of_zookeeper(config, disk, office)),
        }
    }
}

impl AnyServer {
    /// As what every server is.
    pub(super) fn service(&mut self) -> &mut dyn Service {
        match self {
            AnyServer::Redis(server) => server,
            AnyServer::Ensemble(server) => server,
        }
    }

    /// By what right it holds a role.
    pub(super) fn role(&self, role: &str) -> Option<u64> {
        match self {
            AnyServer::Redis(server) => server.role(role),
            AnyServer::Ensemble(server) => server.role(role),
        }
    }

    /// As a server of an ensemble, if it is one.
    pub(super) fn ensemble(&self) -> Option<&Ensemble> {
        match self {
            AnyServer::Redis(_) => None,
            AnyServer::Ensemble(server) => Some(server),
        }
    }

    /// The same, to be told something.
    pub(super) fn ensemble_mut(&mut self) -> Option<&mut Ensemble> {
        match self {
            AnyServer::Redis(_) => None,
            AnyServer::Ensemble(server) => Some(server),
        }
    }
}

/// What a client knows of its service, of any kind.
#[derive(Clone, Debug)]
pub enum AnyRecipe {
    /// Of Redis.
    Redis(redis::client::Single),
    /// Of leases.
    Lease(lease::client::Leased),
    /// Of ZooKeeper.
    ZooKeeper(zookeeper::client::Queued),
}

impl AnyRecipe {
    /// Starts one.
    pub(super) fn boot(desk: &mut Desk<'_, '_>) -> AnyRecipe {
        match &desk.config.kind {
            Kind::Redis(redis) => AnyRecipe::Redis(redis::client::Single::boot(redis)),
            Kind::Lease(lease) => AnyRecipe::Lease(lease::client::Leased::boot(lease, desk)),
            Kind::ZooKeeper(config) => AnyRecipe::ZooKeeper(zookeeper::client::Queued::boot(config, desk)),
        }
    }
}

impl AnyRecipe {
    /// As what every recipe is.
    pub(super) fn recipe(&mut self) -> &mut dyn Recipe {
        match self {
            AnyRecipe::Redis(recipe) => recipe,
            AnyRecipe::Lease(recipe) => recipe,
            AnyRecipe::ZooKeeper(recipe) => recipe,
        }
    }

    /// Whether a claim can still be held, see [`Recipe::is_valid`].
    pub(super) fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        match self {
            AnyRecipe::Redis(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::Lease(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::ZooKeeper(recipe) => recipe.is_valid(claim, now),
        }
    }
}
