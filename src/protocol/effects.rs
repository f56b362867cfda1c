//! What a turn asks for, in order.

use super::{NodeId, Protocol};
use crate::kernel::time::Span;

/// Something a node asks of its surroundings.
#[derive(Clone, Debug)]
pub enum Effect<P: Protocol> {
    /// See [`Io::send`](super::Io::send).
    Send {
        /// Who should get it.
        to: NodeId,
        /// What it says.
        message: P::Message,
    },
    /// See [`Io::arm`](super::Io::arm).
    Arm {
        /// Which timer.
        timer: P::Timer,
        /// How long from now, by the node's monotonic clock.
        after: Span,
    },
    /// See [`Io::disarm`](super::Io::disarm).
    Disarm(P::Timer),
    /// See [`Io::write`](super::Io::write).
    Write(P::Record),
    /// See [`Io::sync`](super::Io::sync).
    Sync,
    /// See [`Io::note`](super::Io::note).
    Note(P::Fact),
}

/// The effects of one turn, in their order. Their places are used again from turn to turn.
///
/// An effect is built where it will lie, and taken out where it goes, so that a message is not moved about: to write it in
/// words and to read it at once in wider ones makes the processor wait for its own memory. A `Vec` cannot do that: its
/// push may fail, and until then the effect waits elsewhere to be dropped.
#[derive(Clone, Debug)]
pub struct Effects<P: Protocol> {
    places: Vec<Option<Effect<P>>>,
    len: usize,
}

/// How many effects there is room for at first.
const ROOM: usize = 8;

impl<P: Protocol> Effects<P> {
    /// No effects.
    pub const fn new() -> Effects<P> {
        Effects { places: Vec::new(), len: 0 }
    }

    /// No effects, and room for a few.
    pub(crate) fn with_room() -> Effects<P> {
        let mut places = Vec::with_capacity(ROOM);
        places.resize_with(ROOM, || None);
        Effects { places, len: 0 }
    }

    /// Adds one at the end.
    #[inline(always)]
    pub(super) fn put(&mut self, effect: Effect<P>) {
        if self.len == self.places.len() {
            grow(&mut self.places);
        }
        let Some(place) = self.places.get_mut(self.len) else { no_place() };
        std::mem::forget(place.replace(effect));
        self.len += 1;
    }

    /// All of them, to be taken out one after the other. Who leaves one with a message, a record or a fact where it is
    /// calls [`Effects::clear`].
    #[inline(always)]
    pub(crate) fn places(&mut self) -> &mut [Option<Effect<P>>] {
        let len = std::mem::take(&mut self.len);
        &mut self.places[..len]
    }

    /// Forgets all.
    #[cold]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.places.clear();
    }

    /// Takes all of them out.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect<P>> {
        self.places().iter_mut().filter_map(Option::take)
    }
}

impl<P: Protocol> Effect<P> {
    /// Takes the message out of where it lies.
    #[inline(always)]
    pub(crate) fn take_message(place: &mut Option<Effect<P>>) -> P::Message {
        match place.take() {
            Some(Effect::Send { message, .. }) => message,
            _ => another(),
        }
    }

    /// Takes the record out of where it lies.
    #[inline(always)]
    pub(crate) fn take_record(place: &mut Option<Effect<P>>) -> P::Record {
        match place.take() {
            Some(Effect::Write(record)) => record,
            _ => another(),
        }
    }

    /// Takes the fact out of where it lies.
    #[inline(always)]
    pub(crate) fn take_fact(place: &mut Option<Effect<P>>) -> P::Fact {
        match place.take() {
            Some(Effect::Note(fact)) => fact,
            _ => another(),
        }
    }
}

// Functions of C cannot unwind: nobody need be ready to drop the effect that is on its way.

/// Makes room.
#[cold]
extern "C" fn grow<P: Protocol>(places: &mut Vec<Option<Effect<P>>>) {
    let room = places.len().max(ROOM);
    places.extend((0..room).map(|_| None));
}

#[cold]
extern "C" fn no_place() -> ! {
    unreachable!("room has just been made")
}

/// Something else lies where a look has just told what does.
#[cold]
pub(crate) extern "C" fn another() -> ! {
    unreachable!("something else was seen there")
}

impl<P: Protocol> Default for Effects<P> {
    fn default() -> Effects<P> {
        Effects::new()
    }
}
