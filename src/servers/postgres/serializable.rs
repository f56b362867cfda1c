//! Which serializable transactions read what another wrote, and which of them has to go.
//!
//! Two transactions that overlap are in conflict when one reads what the other writes and does not see
//! it. Two such conflicts in a row, of which the last committed first, may be part of a circle: one is
//! refused with 40001. Source: `src/backend/storage/lmgr/predicate.c`.

use super::heap::{Commit, TableId, Tid, Xact};
use std::collections::{BTreeMap, BTreeSet};

/// What has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Relation(TableId),
    Page(TableId, u64),
    Tuple(TableId, Tid),
    /// The page of an index in which a key was looked for. Small indexes have one.
    Index(TableId, usize),
}

/// A conflict that cannot be borne by who asks: it ends with 40001.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dangerous;

/// A serializable transaction that runs, or has committed while others ran that still do.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Serial {
    snapshot: Commit,
    /// The last of all commits of serializable transactions before the snapshot.
    last_before: u64,
    prepared: Option<u64>,
    committed: Option<u64>,
    /// The commit, as snapshots count.
    commit: Commit,
    read_only: bool,
    wrote: bool,
    doomed: bool,
    /// The earliest commit among those that it is in conflict with and that committed before it.
    earliest_out: Option<u64>,
    /// Those that read what this one wrote.
    readers: BTreeSet<Xact>,
    /// Those that wrote what this one read.
    writers: BTreeSet<Xact>,
    targets: BTreeSet<Target>,
}

/// All serializable transactions that matter still.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Serials {
    all: BTreeMap<Xact, Serial>,
    readers: BTreeMap<Target, BTreeSet<Xact>>,
    last: u64,
}

/// Rows that share a page, about; only that few rows share one matters.
const ROWS_A_PAGE: u64 = 150;
/// More rows of one page than this are read as the whole page (`max_pred_locks_per_page`).
const TUPLES_MAX: usize = 2;

impl Serial {
    fn is_committed(&self) -> bool {
        self.committed.is_some()
    }
}

impl Serials {
    /// A serializable transaction takes its snapshot. One that reads only, while nobody writes, is not followed.
    pub(super) fn begin(&mut self, xact: Xact, snapshot: Commit, read_only: bool) {
        let writers = self.all.values().any(|other| !other.is_committed() && !other.read_only);
        if read_only && !writers {
            return;
        }
        let serial = Serial { snapshot, last_before: self.last, read_only, ..Serial::default() };
        self.all.insert(xact, serial);
    }

    pub(super) fn is_followed(&self, xact: Xact) -> bool {
        self.all.contains_key(&xact)
    }

    /// Something is read.
    pub(super) fn read(&mut self, xact: Xact, target: Target) {
        let Some(serial) = self.all.get_mut(&xact) else { return };
        let covered = match target {
            Target::Tuple(table, tid) => {
                let page = Target::Page(table, tid / ROWS_A_PAGE);
                serial.targets.contains(&Target::Relation(table)) || serial.targets.contains(&page)
            }
            _ => false,
        };
        if covered || !serial.targets.insert(target) {
            return;
        }
        self.readers.entry(target).or_default().insert(xact);
        if let Target::Tuple(table, tid) = target {
            let page = tid / ROWS_A_PAGE;
            let first = Target::Tuple(table, page * ROWS_A_PAGE);
            let tuples = first..Target::Tuple(table, (page + 1) * ROWS_A_PAGE);
            if serial.targets.range(tuples).count() > TUPLES_MAX {
                self.read(xact, Target::Page(table, page));
            }
        }
    }

    /// A reader comes upon a version that `writer` made or took away, and does not see that.
    pub(super) fn missed(&mut self, reader: Xact, writer: Xact) -> Result<(), Dangerous> {
        if reader == writer || !self.all.contains_key(&reader) {
            return Ok(());
        }
        if self.all[&reader].doomed {
            return Err(Dangerous);
        }
        let Some(other) = self.all.get(&writer) else { return Ok(()) };
        let me = &self.all[&reader];
        // Only what a transaction with its own commits before ours could see matters to one that only reads.
        let harmless =
            me.read_only && other.is_committed() && other.earliest_out.is_none_or(|earliest| me.last_before < earliest);
        if (other.doomed && !other.is_committed()) || harmless || me.writers.contains(&writer) {
            return Ok(());
        }
        self.flag(reader, writer, reader)
    }

    /// Something is written that others may have read.
    pub(super) fn write(&mut self, xact: Xact, targets: &[Target]) -> Result<(), Dangerous> {
        let Some(me) = self.all.get_mut(&xact) else { return Ok(()) };
        if me.doomed {
            return Err(Dangerous);
        }
        me.wrote = true;
        let snapshot = me.snapshot;
        let mut widened: Vec<Target> = targets.to_vec();
        for target in targets {
            if let Target::Tuple(table, tid) = target {
                widened.extend([Target::Page(*table, tid / ROWS_A_PAGE), Target::Relation(*table)]);
            }
        }
        for target in widened {
            let readers: Vec<Xact> = self.readers.get(&target).into_iter().flatten().copied().collect();
            for reader in readers {
                let other = &self.all[&reader];
                let overlaps = !other.is_committed() || other.commit > snapshot;
                if reader != xact && !other.doomed && overlaps && !other.writers.contains(&xact) {
                    self.flag(reader, xact, xact)?;
                }
            }
        }
        Ok(())
    }

    /// Notes a conflict, unless it makes a dangerous structure, whose victim is found here
    /// (OnConflict_CheckForSerializationFailure).
    fn flag(&mut self, reader: Xact, writer: Xact, me: Xact) -> Result<(), Dangerous> {
        let (read, wrote) = (&self.all[&reader], &self.all[&writer]);
        let mut failure = wrote.is_committed() && wrote.earliest_out.is_some();
        failure |= wrote.writers.iter().filter_map(|third| self.all.get(third)?.prepared).any(|prepared| {
            read.committed.is_none_or(|committed| prepared <= committed)
                && wrote.committed.is_none_or(|committed| prepared <= committed)
                && (!read.read_only || prepared <= read.last_before)
        });
        if let (Some(prepared), false) = (wrote.prepared, read.read_only) {
            failure |= read.readers.iter().filter_map(|first| self.all.get(first)).any(|first| {
                !first.doomed
                    && first.committed.is_none_or(|committed| committed >= prepared)
                    && (!first.read_only || first.last_before >= prepared)
            });
        }
        if failure {
            if me == writer || wrote.prepared.is_some() {
                return Err(Dangerous);
            }
            self.all.get_mut(&writer).expect("the writer is followed").doomed = true;
        }
        self.all.get_mut(&reader).expect("the reader is followed").writers.insert(writer);
        self.all.get_mut(&writer).expect("the writer is followed").readers.insert(reader);
        Ok(())
    }

    /// The last check before a commit (PreCommit_CheckForSerializationFailure).
    pub(super) fn prepare(&mut self, xact: Xact) -> Result<(), Dangerous> {
        let Some(me) = self.all.get(&xact) else { return Ok(()) };
        if me.doomed {
            return Err(Dangerous);
        }
        let mut doomed = Vec::new();
        for near in &me.readers {
            let Some(pivot) = self.all.get(near).filter(|pivot| !pivot.is_committed() && !pivot.doomed) else {
                continue;
            };
            let far = |far: &Xact| {
                let other = self.all.get(far);
                *far == xact || other.is_some_and(|other| !other.is_committed() && !other.read_only && !other.doomed)
            };
            if pivot.readers.iter().any(far) {
                doomed.push(*near);
            }
        }
        for pivot in doomed {
            self.all.get_mut(&pivot).expect("the pivot is followed").doomed = true;
        }
        self.last += 1;
        self.all.get_mut(&xact).expect("followed").prepared = Some(self.last);
        Ok(())
    }

    /// It has committed (ReleasePredicateLocks).
    pub(super) fn commit(&mut self, xact: Xact, commit: Commit) {
        if !self.all.contains_key(&xact) {
            return;
        }
        self.last += 1;
        let last = self.last;
        let me = self.all.get_mut(&xact).expect("followed");
        me.committed = Some(last);
        me.commit = commit;
        me.read_only |= !me.wrote;
        let (read_only, writers, readers) = (me.read_only, me.writers.clone(), me.readers.clone());
        for writer in writers {
            let other = &self.all[&writer];
            let (committed, prepared) = (other.is_committed(), other.prepared);
            let before = other.last_before >= last;
            if let (false, true, Some(prepared)) = (read_only, committed, prepared) {
                let earliest = &mut self.all.get_mut(&xact).expect("followed").earliest_out;
                *earliest = Some(earliest.map_or(prepared, |earliest| earliest.min(prepared)));
            }
            if committed || before {
                self.part(xact, writer);
            }
        }
        for reader in readers {
            if self.all.get(&reader).is_some_and(|other| other.is_committed() || other.read_only) {
                self.part(reader, xact);
            }
        }
        self.tidy();
    }

    /// It was rolled back: nobody is in conflict with it any more.
    pub(super) fn abort(&mut self, xact: Xact) {
        self.forget(xact);
        self.tidy();
    }

    fn part(&mut self, reader: Xact, writer: Xact) {
        if let Some(read) = self.all.get_mut(&reader) {
            read.writers.remove(&writer);
        }
        if let Some(wrote) = self.all.get_mut(&writer) {
            wrote.readers.remove(&reader);
        }
    }

    fn forget(&mut self, xact: Xact) {
        let Some(gone) = self.all.remove(&xact) else { return };
        for target in gone.targets {
            if let Some(readers) = self.readers.get_mut(&target) {
                readers.remove(&xact);
                if readers.is_empty() {
                    self.readers.remove(&target);
                }
            }
        }
        for reader in gone.readers {
            self.all.get_mut(&reader).map(|read| read.writers.remove(&xact));
        }
        for writer in gone.writers {
            self.all.get_mut(&writer).map(|wrote| wrote.readers.remove(&xact));
        }
    }

    /// Forgets those that committed before all that run began.
    fn tidy(&mut self) {
        let oldest = self.all.values().filter(|one| !one.is_committed()).map(|one| one.snapshot).min();
        let done = |one: &Serial| one.is_committed() && oldest.is_none_or(|oldest| one.commit <= oldest);
        let gone: Vec<Xact> = self.all.iter().filter(|(_, one)| done(one)).map(|(xact, _)| *xact).collect();
        for xact in gone {
            self.forget(xact);
        }
    }
}
