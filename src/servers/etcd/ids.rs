//! Ids that a member chooses by itself, and that no other member chooses.

/// A source of ids: two bytes of the member, five of the time at which it started, and a count from there on.
/// Source: `pkg/idutil` of etcd 3.4.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ids {
    member: u16,
    count: u64,
}

impl Ids {
    /// The ids of a member that started when its wall clock said `wall_ms`, in milliseconds since 1970. Ids do not
    /// come again after a restart, unless there were more than 256 in each millisecond, or the clock went back.
    pub fn new(member: u16, wall_ms: u64) -> Ids {
        Ids { member, count: (wall_ms & 0xff_ffff_ffff) << 8 }
    }

    /// The next id: positive, and never 0.
    pub fn choose(&mut self) -> i64 {
        loop {
            self.count = (self.count + 1) & 0xffff_ffff_ffff;
            let id = (u64::from(self.member) << 48 | self.count) & (u64::MAX >> 1);
            if id != 0 {
                return i64::try_from(id).expect("the highest bit is not set");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_members_and_starts_apart() {
        let mut ids = Ids::new(0x12, 0x0123_4567_89ab_cdef);
        assert_eq!((ids.choose(), ids.choose()), (0x0012_6789_abcd_ef01, 0x0012_6789_abcd_ef02));
        let mut last = Ids { member: 0x8000, count: 0xffff_ffff_fffe };
        assert_eq!((last.choose(), last.choose()), (0xffff_ffff_ffff, 1));
    }
}
