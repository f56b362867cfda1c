//! A protocol that does the same whatever it hears: at each full period of its clock a node notes it, tells all others,
//! writes, and notes when that is durable. What differs between two runs of it is the world's doing.

use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::time::{Span, Time};
use squall::protocol::{Afterwards, Cast, DiskFailure, Found, Io, NodeId, Order, Protocol};

/// What the nodes do at each tick, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) members: u16,
    pub(crate) period: Span,
    /// They tick for so long by their own clocks.
    pub(crate) until: Span,
    pub(crate) sends: bool,
    pub(crate) writes: bool,
    pub(crate) reads_wall: bool,
    /// Whether they write, and tell all others, when they start.
    pub(crate) greets: bool,
    /// Whether damaged messages and records are recognised.
    pub(crate) has_checksums: bool,
    pub(crate) on_failure: Afterwards,
}

impl Config {
    /// Four nodes that do everything, for two seconds, every 20 ms, and are never stopped by their disks.
    pub(crate) const BUSY: Config = Config {
        members: 4,
        period: Span::ms(20),
        until: Span::secs(2),
        sends: true,
        writes: true,
        reads_wall: true,
        greets: false,
        has_checksums: true,
        on_failure: Afterwards::GoOn,
    };
}

/// What a node tells whoever listens. `word` is the one that it drew from its dice at that tick: no two are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fact {
    Ticked { word: u64, now: Time, wall: Time },
    Durable { word: u64 },
}

impl Digestible for Fact {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Fact::Ticked { word, now, wall } => {
                digest.pair(0, *word);
                digest.pair(now.ns(), wall.ns());
            }
            Fact::Durable { word } => digest.pair(1, *word),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Metronome {
    config: Config,
}

impl Metronome {
    /// The next full period by this node's own clock, if it is not over.
    fn wait(&self, io: &mut Io<'_, Self>) {
        let (now, period) = (io.elapsed().ns(), self.config.period.as_ns());
        if now < self.config.until.as_ns() {
            io.arm((), Span::ns(period - now % period));
        }
    }

    fn tell_all(&self, word: u64, io: &mut Io<'_, Self>) {
        for node in (0..self.config.members).map(NodeId::new) {
            if node != io.me() {
                io.send(node, word);
            }
        }
    }
}

impl Protocol for Metronome {
    type Config = Config;
    type Message = u64;
    type Timer = ();
    type Record = u64;
    type Fact = Fact;

    fn cast(config: &Config) -> Cast {
        Cast::members(config.members)
    }

    fn boot(config: &Config, _: NodeId, _: Found<'_, u64>, io: &mut Io<'_, Self>) -> Self {
        let node = Metronome { config: *config };
        if config.greets {
            io.write(0);
            node.tell_all(0, io);
        }
        node.wait(io);
        node
    }

    fn on_message(&mut self, _: NodeId, _: u64, _: &mut Io<'_, Self>) {}

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Self>) {
        self.wait(io);
        let word = io.dice().next();
        let (now, wall) = (io.elapsed(), if self.config.reads_wall { io.wall() } else { Time::ZERO });
        io.note(Fact::Ticked { word, now, wall });
        if self.config.sends {
            self.tell_all(word, io);
        }
        if self.config.writes {
            io.write(word);
            io.sync();
            io.note(Fact::Durable { word });
        }
    }

    /// It understands everything, and does what it did.
    fn on_order(&mut self, _: Order, _: &mut Io<'_, Self>) -> bool {
        true
    }

    fn on_disk_failure(&mut self, _: DiskFailure, _: &mut Io<'_, Self>) -> Afterwards {
        self.config.on_failure
    }

    fn garble_message(config: &Config, message: &u64, word: u64) -> Option<u64> {
        (!config.has_checksums).then_some(message ^ word)
    }

    fn garble_record(config: &Config, record: &u64, word: u64) -> Option<u64> {
        (!config.has_checksums).then_some(record ^ word)
    }
}
