//! A copy of a world that goes its own way.

use super::World;
use crate::kernel::rng::Table;
use crate::oracle::spec::Oracle;
use crate::protocol::Protocol;
use crate::trace::Trace;

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// From now on all dice are those of another seed: how long links and disks take, what is lost, what nodes draw. What has happened
    /// stays, what is under way arrives when it would have, and the faults of the plan come as they stand there.
    pub fn reroll(&mut self, seed: u64) {
        let (table, dice) = Table::with_nodes(seed, self.backstage.len() as u64);
        self.table = table;
        self.view.network.reroll(table);
        self.backstage.iter_mut().zip(dice).for_each(|(back, dice)| back.dice = dice);
    }
}
