//! The kinds of lock services: the one place that names them all.

use super::claim::ClaimId;
use super::config::Config;
use super::message::Record;
use super::recipe::{Desk, Recipe};
use super::redis;
use super::service::{Office, Service};
use crate::kernel::time::Time;
use crate::protocol::Found;

/// Which service, and its own settings.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One server of Redis.
    Redis(redis::Config),
    /// Several servers of Redis that know nothing of each other.
    Redlock(redis::redlock::Config),
}

impl Kind {
    /// How many of so many servers must be well and connected for locks to be had.
    pub const fn quorum(&self, servers: u16) -> u16 {
        match self {
            Kind::Redis(_) => 1,
            Kind::Redlock(_) => servers / 2 + 1,
        }
    }
}

/// One server of any kind.
#[derive(Clone, Debug)]
pub enum AnyServer {
    /// Of Redis.
    Redis(redis::server::Server),
}

impl AnyServer {
    /// Starts one with what its disk holds.
    pub(super) fn boot(config: &Config, disk: Found<'_, Record>, office: &mut Office<'_, '_>) -> AnyServer {
        match &config.kind {
            Kind::Redis(redis) => AnyServer::Redis(redis::server::Server::boot(redis.hosting, disk, office)),
            Kind::Redlock(redis) => AnyServer::Redis(redis::server::Server::boot(redis.hosting, disk, office)),
        }
    }
}

impl AnyServer {
    /// As what every server is.
    pub(super) fn service(&mut self) -> &mut dyn Service {
        match self {
            AnyServer::Redis(server) => server,
        }
    }

    /// By what right it holds a role.
    pub(super) fn role(&self, role: &str) -> Option<u64> {
        match self {
            AnyServer::Redis(server) => server.role(role),
        }
    }
}

/// What a client knows of its service, of any kind.
#[derive(Clone, Debug)]
pub enum AnyRecipe {
    /// Of Redis.
    Redis(redis::client::Single),
    /// Of Redlock.
    Redlock(redis::redlock::Redlock),
}

impl AnyRecipe {
    /// Starts one.
    pub(super) fn boot(desk: &mut Desk<'_, '_>) -> AnyRecipe {
        match &desk.config.kind {
            Kind::Redis(redis) => AnyRecipe::Redis(redis::client::Single::boot(redis)),
            Kind::Redlock(redis) => AnyRecipe::Redlock(redis::redlock::Redlock::boot(redis)),
        }
    }
}

impl AnyRecipe {
    /// As what every recipe is.
    pub(super) fn recipe(&mut self) -> &mut dyn Recipe {
        match self {
            AnyRecipe::Redis(recipe) => recipe,
            AnyRecipe::Redlock(recipe) => recipe,
        }
    }

    /// Whether a claim can still be held, see [`Recipe::is_valid`].
    pub(super) fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        match self {
            AnyRecipe::Redis(recipe) => recipe.is_valid(claim, now),
            AnyRecipe::Redlock(recipe) => recipe.is_valid(claim, now),
        }
    }
}
