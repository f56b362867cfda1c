//! W1, the echo storm: every delivery is forwarded to a random other node.

use squall::environment::distribution::Distribution;
use squall::environment::plan::Plan;
use squall::kernel::chance::within;
use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::queue::{Popped, Queue};
use squall::kernel::rng::{Dice, Purpose};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::{Oracle, Touch, Verdict, View, Violation};
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::Trace;
use squall::world::World;
use std::sync::Arc;

const DELAY: (Span, Span) = (Span::ms(1), Span::ms(10));

/// One node: what it got, folded.
#[derive(Clone, Debug)]
pub struct Echo {
    nodes: u64,
    pub got: u64,
    sum: u64,
}

/// What is sent on and on.
#[derive(Clone, Copy, Debug)]
pub struct Ball {
    hops: u32,
    tag: u64,
}

impl Digestible for Ball {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(u64::from(self.hops), self.tag);
    }
}

#[derive(Clone, Debug)]
pub struct Balls {
    pub nodes: u16,
    pub in_flight: u32,
}

impl Echo {
    fn throw(&self, ball: Ball, io: &mut Io<'_, Echo>) {
        let (me, other) = (io.me().number(), io.dice().below(self.nodes - 1) as u16);
        io.send(NodeId::new(other + u16::from(other >= me)), ball);
    }
}

impl Protocol for Echo {
    type Config = Balls;
    type Message = Ball;
    type Timer = Nothing;
    type Record = Nothing;
    type Fact = Nothing;

    fn cast(config: &Balls) -> Cast {
        Cast::members(config.nodes)
    }

    fn boot(config: &Balls, me: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Echo>) -> Echo {
        let echo = Echo { nodes: u64::from(config.nodes), got: 0, sum: 0 };
        for ordinal in 0..config.in_flight {
            echo.throw(Ball { hops: 0, tag: u64::from(me.number()) << 32 | u64::from(ordinal) }, io);
        }
        echo
    }

    fn on_message(&mut self, from: NodeId, ball: Ball, io: &mut Io<'_, Echo>) {
        self.got += 1;
        self.sum = self.sum.rotate_left(1) ^ io.now().ns() ^ ball.tag ^ u64::from(ball.hops) ^ u64::from(from.number());
        self.throw(Ball { hops: ball.hops + 1, tag: ball.tag }, io);
    }

    fn on_timer(&mut self, timer: Nothing, _: &mut Io<'_, Echo>) {
        match timer {}
    }
}

/// Checks after every step that the node it touched has got exactly one message more.
#[derive(Clone, Debug)]
pub struct Counting {
    seen: Vec<u64>,
}

impl Counting {
    pub fn new(nodes: u16) -> Counting {
        Counting { seen: vec![0; nodes as usize] }
    }
}

impl Oracle<Echo> for Counting {
    fn on_fact(&mut self, _: &View<Echo>, _: NodeId, fact: &Nothing) -> Verdict {
        match *fact {}
    }

    #[inline]
    fn after_step(&mut self, view: &View<Echo>, node: NodeId, touch: Touch) -> Verdict {
        let got = view.state(node).map_or(0, |echo| echo.got);
        let seen = &mut self.seen[node.index()];
        *seen += u64::from(touch == Touch::Handled);
        if got == *seen { Ok(()) } else { miscounted(node, got) }
    }
}

#[cold]
fn miscounted(node: NodeId, got: u64) -> Verdict {
    Err(Box::new(Violation::new("echo.count", &[node], format!("{node:?} has counted {got}"))))
}

pub fn plan(seed: u64, nodes: u16, in_flight: u32) -> Arc<Plan<Balls>> {
    let mut plan = Plan::new(Balls { nodes, in_flight }, seed, Span::secs(100_000));
    plan.network.latency = Distribution::Uniform { min: DELAY.0, max: DELAY.1 };
    plan.disk.sync = Distribution::ZERO;
    Arc::new(plan)
}

/// Plays so many deliveries, or so long.
pub fn squall<O: Oracle<Echo>, T: Trace<Echo>>(
    plan: &Arc<Plan<Balls>>,
    oracles: O,
    trace: T,
    until: Time,
    deliveries: u64,
) -> World<Echo, O, T> {
    let mut world = World::new(Arc::clone(plan), oracles, trace);
    world.start().expect("a sound start");
    world.run_until(until, deliveries, |_, _| false).expect("a sound run");
    world
}

#[derive(Clone, Copy, Default)]
struct Flying {
    from: u16,
    to: u16,
    hops: u32,
    tag: u64,
}

#[derive(Clone, Copy, Default)]
struct BareNode {
    got: u64,
    sum: u64,
}

impl BareNode {
    fn take(&mut self, now: u64, ball: &Flying) {
        self.got += 1;
        self.sum = self.sum.rotate_left(1) ^ now ^ ball.tag ^ u64::from(ball.hops) ^ u64::from(ball.from);
    }
}

/// A receiver and a delay: two words, as squall draws them.
fn hop(dice: &mut Dice, me: u16, nodes: u16) -> (Span, u16) {
    let other = dice.below(u64::from(nodes) - 1) as u16;
    let delay = within(dice.next(), DELAY.0, DELAY.1);
    (delay, other + u16::from(other >= me))
}

/// The limit: nothing but the queue, the dice and the state.
pub fn bare(seed: u64, nodes: u16, in_flight: u32, until: Time, deliveries: u64) -> u64 {
    let mut queue = Queue::with_capacity(nodes as usize * in_flight as usize);
    let mut dice = Dice::new(seed, Purpose::Node, 0);
    let mut states = vec![BareNode::default(); nodes as usize];
    for me in 0..nodes {
        for ordinal in 0..in_flight {
            let (delay, to) = hop(&mut dice, me, nodes);
            queue.push(Time::ZERO + delay, Flying { from: me, to, hops: 0, tag: u64::from(ordinal) });
        }
    }
    for _ in 0..deliveries {
        let Some((now, _, Popped::Item(place))) = queue.pop() else { unreachable!("never empty") };
        let ball = queue.take(place);
        if now > until {
            break;
        }
        let me = ball.to;
        states[me as usize].take(now.ns(), &ball);
        let (delay, to) = hop(&mut dice, me, nodes);
        queue.push(now + delay, Flying { from: me, to, hops: ball.hops + 1, tag: ball.tag });
    }
    states.iter().fold(0, |sum, state| sum ^ state.sum ^ state.got)
}

/// What one writes first: the standard heap, with the events inside.
pub fn bare_std(seed: u64, nodes: u16, in_flight: u32, deliveries: u64) -> u64 {
    use std::cmp::Reverse;
    let mut queue = std::collections::BinaryHeap::new();
    let mut dice = Dice::new(seed, Purpose::Node, 0);
    let mut states = vec![BareNode::default(); nodes as usize];
    let mut ticket = 0_u64;
    let mut push = |queue: &mut std::collections::BinaryHeap<_>, at: Time, ball: Flying| {
        ticket += 1;
        queue.push(Reverse((at.ns(), ticket, ball.from, ball.to, ball.hops, ball.tag)));
    };
    for me in 0..nodes {
        for ordinal in 0..in_flight {
            let (delay, to) = hop(&mut dice, me, nodes);
            push(&mut queue, Time::ZERO + delay, Flying { from: me, to, hops: 0, tag: u64::from(ordinal) });
        }
    }
    for _ in 0..deliveries {
        let Some(Reverse((now, _, from, to, hops, tag))) = queue.pop() else { unreachable!("never empty") };
        let ball = Flying { from, to, hops, tag };
        states[to as usize].take(now, &ball);
        let (delay, next) = hop(&mut dice, to, nodes);
        push(&mut queue, Time::from_ns(now) + delay, Flying { from: to, to: next, hops: hops + 1, tag });
    }
    states.iter().fold(0, |sum, state| sum ^ state.sum ^ state.got)
}
