//! A bit for each directed link, and no memory while none is set.

/// A set of links, by place.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Whether the bit is set.
    #[inline(always)]
    pub(super) fn get(&self, place: usize) -> bool {
        !self.words.is_empty() && self.words[place / 64] >> (place % 64) & 1 == 1
    }

    /// Sets one bit of `count`.
    pub(super) fn set(&mut self, place: usize, count: usize) {
        assert!(place < count, "link {place} of {count}");
        if self.words.is_empty() {
            self.words.resize(count.div_ceil(64), 0);
        }
        self.words[place / 64] |= 1 << (place % 64);
    }

    /// Unsets one bit.
    pub(super) fn unset(&mut self, place: usize) {
        if !self.words.is_empty() {
            self.words[place / 64] &= !(1 << (place % 64));
        }
    }

    /// Unsets all bits.
    pub(super) fn clear(&mut self) {
        self.words.clear();
    }

    /// Whether no bit has been set since the last clearing.
    pub(super) fn is_clear(&self) -> bool {
        self.words.is_empty()
    }
}
