//! Who is alive: the leader's account of the sessions of all servers.
//!
//! It is not replicated. What is, is the end of a session, as a transaction; and a new leader gives every
//! session its full time-out again.

use super::error::Error;
use super::znode::{SessionId, Zxid};
use std::collections::{BTreeMap, BTreeSet};

/// Mixed into the passwords of sessions; no secret at all. Source: `ZooKeeperServer.superSecret`.
const SUPER_SECRET: u64 = 0xb341_5c00;

/// Sessions in buckets of a tick each, by when they expire.
///
/// Source: `SessionTrackerImpl` and `ExpiryQueue` of ZooKeeper 3.8. All times are milliseconds of one
/// monotonic clock, the leader's. An operation costs O(log n).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionTracker {
    tick_ms: u64,
    sessions: BTreeMap<SessionId, Tracked>,
    /// Those that are not closing, by when they expire.
    buckets: BTreeMap<u64, BTreeSet<SessionId>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Tracked {
    timeout_ms: u64,
    /// `None` once it is closing.
    expires_ms: Option<u64>,
    /// The server that may speak for it; the first that does, if `None`.
    server: Option<u64>,
}

impl SessionTracker {
    /// A tracker without sessions.
    ///
    /// # Panics
    ///
    /// If a tick is no time.
    pub fn new(tick_ms: u64) -> SessionTracker {
        assert!(tick_ms > 0, "a tick of 0 ms");
        SessionTracker { tick_ms, sessions: BTreeMap::new(), buckets: BTreeMap::new() }
    }

    /// What a new leader begins with: the sessions of its tree, each with its whole time-out before it, and
    /// each to be spoken for by the first server that does.
    pub fn take_over(tick_ms: u64, now_ms: u64, sessions: impl Iterator<Item = (SessionId, u64)>) -> SessionTracker {
        let mut tracker = SessionTracker::new(tick_ms);
        for (session, timeout_ms) in sessions {
            tracker.sessions.insert(session, Tracked { timeout_ms, expires_ms: None, server: None });
            tracker.schedule(now_ms, session);
        }
        tracker
    }

    /// The time-out that a client gets that asks for this one: at least 2 ticks, at most 20.
    pub fn negotiate(&self, asked_ms: u64) -> u64 {
        asked_ms.clamp(2 * self.tick_ms, 20 * self.tick_ms)
    }

    /// Tracks a session. One that is tracked already is touched, and moves to this server.
    pub fn open(&mut self, now_ms: u64, session: SessionId, timeout_ms: u64, server: u64) {
        let fresh = Tracked { timeout_ms, expires_ms: None, server: None };
        let is_fresh = !self.sessions.contains_key(&session);
        let tracked = self.sessions.entry(session).or_insert(fresh);
        tracked.server = Some(server);
        if is_fresh || tracked.expires_ms.is_some() {
            self.schedule(now_ms, session);
        }
    }

    /// Has word of a session: its time-out begins anew.
    ///
    /// # Errors
    ///
    /// [`Error::SessionExpired`] if it is closing or not known.
    pub fn touch(&mut self, now_ms: u64, session: SessionId) -> Result<(), Error> {
        self.alive(session)?;
        self.schedule(now_ms, session);
        Ok(())
    }

    /// Whether this server may speak for the session. To be asked for every request, before it goes into the
    /// log.
    ///
    /// # Errors
    ///
    /// [`Error::SessionExpired`] if it is closing or not known, [`Error::SessionMoved`] if it has attached to
    /// another server since: the server then drops the connection, and the client never hears of it.
    pub fn check(&mut self, session: SessionId, server: u64) -> Result<(), Error> {
        let tracked = self.alive(session)?;
        if *tracked.server.get_or_insert(server) == server { Ok(()) } else { Err(Error::SessionMoved) }
    }

    /// The server that may speak for a session, if one has.
    pub fn speaker(&self, session: SessionId) -> Option<u64> {
        self.sessions.get(&session)?.server
    }

    /// A client comes back with a session of before, maybe at another server. The time-out that it asks for
    /// is negotiated anew, and told.
    ///
    /// # Errors
    ///
    /// [`Error::SessionExpired`] if the session is closing or not known, or the password is not its own.
    pub fn reattach(
        &mut self,
        now_ms: u64,
        session: SessionId,
        password: [u8; 16],
        asked_ms: u64,
        server: u64,
    ) -> Result<u64, Error> {
        let timeout_ms = self.negotiate(asked_ms);
        let tracked = self.alive(session)?;
        if session == SessionId(0) || password != password_of(session) {
            return Err(Error::SessionExpired);
        }
        tracked.timeout_ms = timeout_ms;
        tracked.server = Some(server);
        self.schedule(now_ms, session);
        Ok(timeout_ms)
    }

    /// The sessions whose time is over, the earliest first. They are closing from now on: the leader puts the
    /// end of each into the log, and [removes](SessionTracker::remove) it when that is applied.
    pub fn expire(&mut self, now_ms: u64) -> Vec<SessionId> {
        let mut expired = Vec::new();
        while let Some(bucket) = self.buckets.first_entry().filter(|bucket| *bucket.key() <= now_ms) {
            for session in bucket.remove() {
                self.sessions.get_mut(&session).expect("who is in a bucket is tracked").expires_ms = None;
                expired.push(session);
            }
        }
        expired
    }

    /// When the next session expires, if none is heard of before.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.buckets.keys().next().copied()
    }

    /// The end of a session is on its way into the log: it can do nothing any more.
    pub fn begin_closing(&mut self, session: SessionId) {
        self.unschedule(session);
    }

    /// The end of a session has been applied.
    pub fn remove(&mut self, session: SessionId) {
        self.unschedule(session);
        self.sessions.remove(&session);
    }

    /// The sessions that are not closing, in order, with when they expire.
    pub fn iter(&self) -> impl Iterator<Item = (SessionId, u64)> {
        self.sessions.iter().filter_map(|(session, tracked)| Some((*session, tracked.expires_ms?)))
    }

    fn alive(&mut self, session: SessionId) -> Result<&mut Tracked, Error> {
        let tracked = self.sessions.get_mut(&session);
        tracked.filter(|tracked| tracked.expires_ms.is_some()).ok_or(Error::SessionExpired)
    }

    /// Puts a session into the bucket that ends first after its time-out. A session may so live up to a tick
    /// longer, never shorter.
    fn schedule(&mut self, now_ms: u64, session: SessionId) {
        self.unschedule(session);
        let tracked = self.sessions.get_mut(&session).expect("it is tracked");
        let expires_ms = ((now_ms + tracked.timeout_ms) / self.tick_ms + 1) * self.tick_ms;
        tracked.expires_ms = Some(expires_ms);
        self.buckets.entry(expires_ms).or_default().insert(session);
    }

    fn unschedule(&mut self, session: SessionId) {
        let Some(tracked) = self.sessions.get_mut(&session) else { return };
        let Some(expires_ms) = tracked.expires_ms.take() else { return };
        let bucket = self.buckets.get_mut(&expires_ms).expect("who expires is in a bucket");
        assert!(bucket.remove(&session), "{session:?} is not in its bucket");
        if bucket.is_empty() {
            self.buckets.remove(&expires_ms);
        }
    }
}

/// The first session that a server opens after it has started at this time; the next one is one more, and so on.
///
/// Source: `SessionTrackerImpl.initializeNextSessionId`.
pub fn first_session(server: u8, now_ms: u64) -> SessionId {
    SessionId((now_ms << 24) >> 8 | u64::from(server) << 56)
}

/// The password that a client must have to attach to a session again. Every server can work it out.
///
/// Source: `ZooKeeperServer.generatePasswd`, and `java.util.Random` for the generator.
pub fn password_of(session: SessionId) -> [u8; 16] {
    const MULTIPLIER: u64 = 0x5_deec_e66d;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (session.0 ^ SUPER_SECRET ^ MULTIPLIER) & MASK;
    let mut password = [0; 16];
    for part in password.chunks_mut(4) {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xb) & MASK;
        let word = u32::try_from(state >> 16).expect("32 of 48 bits");
        part.copy_from_slice(&word.to_le_bytes());
    }
    password
}

/// Whether a server that is at zxid `own` sends a client away that has seen zxid `seen`: it would see the past
/// again. Source: `ZooKeeperServer.processConnectRequest`.
pub fn refuses_client(own: Zxid, seen: Zxid) -> bool {
    seen > own
}

#[cfg(test)]
mod tests {
    use super::{Error, SessionId, SessionTracker, first_session, password_of};

    const A: SessionId = SessionId(1);
    const B: SessionId = SessionId(2);

    #[test]
    fn a_session_expires_at_the_end_of_the_tick_after_its_timeout() {
        let mut tracker = SessionTracker::new(200);
        tracker.open(0, A, 600, 1);
        tracker.open(199, B, 600, 1);
        assert_eq!(tracker.next_expiry_ms(), Some(800));
        assert_eq!(tracker.expire(799), []);
        assert_eq!(tracker.expire(800), [A, B]);
        // Closing: it is too late for a touch, and to attach again.
        assert_eq!(tracker.touch(800, A), Err(Error::SessionExpired));
        assert_eq!(tracker.check(A, 1), Err(Error::SessionExpired));
        assert_eq!(tracker.reattach(800, A, password_of(A), 600, 1), Err(Error::SessionExpired));
        assert_eq!(tracker.expire(10_000), []);
        tracker.remove(A);
        assert_eq!(tracker.iter().count(), 0);
    }

    #[test]
    fn a_touch_starts_the_timeout_again_and_never_shortens_it() {
        let mut tracker = SessionTracker::new(200);
        tracker.open(0, A, 600, 1);
        assert_eq!(tracker.touch(700, A), Ok(()));
        assert_eq!(tracker.expire(1_399), []);
        assert_eq!(tracker.expire(1_400), [A]);
        assert_eq!(tracker.touch(5, B), Err(Error::SessionExpired));
    }

    #[test]
    fn timeouts_are_between_2_and_20_ticks() {
        let tracker = SessionTracker::new(200);
        assert_eq!(
            [0, 399, 400, 600, 4_000, 10_000].map(|asked| tracker.negotiate(asked)),
            [400, 400, 400, 600, 4_000, 4_000]
        );
    }

    #[test]
    fn a_session_that_has_moved_is_not_served_where_it_was() {
        let mut tracker = SessionTracker::new(200);
        tracker.open(0, A, 600, 1);
        assert_eq!(tracker.check(A, 1), Ok(()));
        assert_eq!(tracker.check(A, 2), Err(Error::SessionMoved));
        let wrong = password_of(B);
        assert_eq!(tracker.reattach(500, A, wrong, 600, 2), Err(Error::SessionExpired));
        assert_eq!(tracker.reattach(500, A, password_of(A), 1_000, 2), Ok(1_000));
        assert_eq!((tracker.check(A, 1), tracker.check(A, 2)), (Err(Error::SessionMoved), Ok(())));
        assert_eq!((tracker.speaker(A), tracker.speaker(B)), (Some(2), None));
        assert_eq!(tracker.expire(1_599), []);
        assert_eq!(tracker.expire(1_600), [A]);
    }

    #[test]
    fn a_new_leader_gives_all_sessions_their_whole_timeout_and_takes_the_first_server() {
        let mut tracker = SessionTracker::take_over(200, 5_000, [(A, 600), (B, 1_000)].into_iter());
        assert_eq!(tracker.iter().collect::<Vec<_>>(), [(A, 5_800), (B, 6_200)]);
        assert_eq!((tracker.check(A, 7), tracker.check(A, 8)), (Ok(()), Err(Error::SessionMoved)));
        tracker.begin_closing(B);
        assert_eq!(tracker.check(B, 7), Err(Error::SessionExpired));
    }

    /// The password is one that a real server gave.
    #[test]
    fn sessions_and_their_passwords_are_those_of_the_real_server() {
        let password = password_of(SessionId(72_057_615_439_954_085));
        assert_eq!(u128::from_be_bytes(password), 0x33c0_b279_6af6_dd16_77f8_7723_c53d_3a45);
        assert_eq!(first_session(1, 0), SessionId(1 << 56));
        assert_eq!(first_session(2, 3), SessionId(2 << 56 | 3 << 16));
        assert_eq!(first_session(0, u64::MAX), SessionId(0x00ff_ffff_ffff_0000), "the server's byte is kept clear");
    }
}
