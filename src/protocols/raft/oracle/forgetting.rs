//! What every server has compacted away is forgotten, so that a long run needs no more memory than a short one.
//!
//! An entry that is before every log and every durable log can come back only to a server that holds nothing or
//! less, with a message that was under way all the time. What is said there of forgotten indexes is taken on
//! trust, as a snapshot is; with the first entry or snapshot beyond them such a server is judged like any other.

use super::CoreOracle;
use super::durable::Durable;
use super::seen::Seen;

impl CoreOracle {
    /// A server has compacted its log, which the others may have done before.
    #[cold]
    pub(super) fn forget(&mut self) {
        let common = &mut self.common;
        let servers = self.servers.iter().zip(&common.durable);
        // A server that holds nothing is sent a snapshot. One that is down has no base until it is back.
        let holds = |(seen, durable): &(&Seen, &Durable)| seen.last > 0 || durable.chains.last() > 0;
        let Some(base) = servers.filter(holds).map(|(seen, durable)| seen.base.min(durable.base)).min() else { return };
        let upto = base.saturating_sub(1);
        if upto <= common.matching.forgotten() {
            return;
        }
        common.configurations.forget_before(base, |index| common.committed.chains.at(index, &common.matching));
        common.matching.forget_before(base);
        for chains in common.durable.iter_mut().map(|durable| &mut durable.chains).chain([&mut common.committed.chains])
        {
            chains.forget(&common.matching);
        }
    }
}
