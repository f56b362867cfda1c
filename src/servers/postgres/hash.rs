//! `hashtext`: Bob Jenkins' lookup3, as the server has it. Source: `src/common/hashfn.c`.

/// What the state begins with, apart from the length.
const START: u32 = 0x9e37_79b9 + 3_923_095;

fn mix(state: &mut [u32; 3]) {
    let [a, b, c] = state;
    for (rounds, turn) in [(4, 0), (6, 1), (8, 2), (16, 0), (19, 1), (4, 2)] {
        let (x, y, z) = match turn {
            0 => (&mut *a, &mut *c, &mut *b),
            1 => (&mut *b, &mut *a, &mut *c),
            _ => (&mut *c, &mut *b, &mut *a),
        };
        *x = x.wrapping_sub(*y);
        *x ^= y.rotate_left(rounds);
        *y = y.wrapping_add(*z);
    }
}

fn last(state: &mut [u32; 3]) {
    let [a, b, c] = state;
    for (rounds, turn) in [(14, 0), (11, 1), (25, 2), (16, 0), (4, 1), (14, 2), (24, 0)] {
        let (x, y) = match turn {
            0 => (&mut *c, &*b),
            1 => (&mut *a, &*c),
            _ => (&mut *b, &*a),
        };
        *x ^= *y;
        *x = x.wrapping_sub(y.rotate_left(rounds));
    }
}

fn hash(text: &[u8], seed: u64) -> [u32; 3] {
    let start = START.wrapping_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let mut state = [start; 3];
    if seed != 0 {
        let bytes = seed.to_be_bytes();
        let half = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        state[0] = state[0].wrapping_add(half(0));
        state[1] = state[1].wrapping_add(half(4));
        mix(&mut state);
    }
    let mut chunks = text.chunks_exact(12);
    for chunk in &mut chunks {
        for (at, byte) in chunk.iter().enumerate() {
            state[at / 4] = state[at / 4].wrapping_add(u32::from(*byte) << (at % 4 * 8));
        }
        mix(&mut state);
    }
    for (at, byte) in chunks.remainder().iter().enumerate() {
        // The lowest byte of the third word is kept for the length.
        let shift = if at < 8 { at % 4 * 8 } else { (at % 4 + 1) * 8 };
        state[at / 4] = state[at / 4].wrapping_add(u32::from(*byte) << shift);
    }
    last(&mut state);
    state
}

/// `hashtext(text)`.
pub(super) fn text(text: &str) -> i32 {
    hash(text.as_bytes(), 0)[2].cast_signed()
}

/// `hashtextextended(text, seed)`.
pub(super) fn text_extended(text: &str, seed: i64) -> i64 {
    let [_, high, low] = hash(text.as_bytes(), seed.cast_unsigned());
    (u64::from(high) << 32 | u64::from(low)).cast_signed()
}
