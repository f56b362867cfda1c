//! The journals of several folders, read side by side in the order of the seeds.

use super::united;
use crate::cli::sweep::folder::{self, Manifest};
use crate::run::entry::Entry;
use std::io;
use std::iter::Peekable;
use std::path::PathBuf;

/// A folder that a sweep or a merge has written.
pub(super) struct Source {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
}

type Entries = Peekable<Box<dyn Iterator<Item = io::Result<Entry>>>>;

/// The entries of all journals, each seed once, in ascending order. Only one line of each is in memory.
pub(super) struct Together {
    journals: Vec<Entries>,
}

impl Together {
    pub(super) fn new(sources: &[Source]) -> io::Result<Together> {
        let open = |source: &Source| -> io::Result<Entries> {
            let entries: Box<dyn Iterator<Item = _>> = Box::new(folder::entries(&source.folder)?);
            Ok(entries.peekable())
        };
        Ok(Together { journals: sources.iter().map(open).collect::<io::Result<_>>()? })
    }

    /// The smallest seed that any journal has next; an error counts as smaller.
    fn next_seed(&mut self) -> Option<u64> {
        let seed = |entry: &io::Result<Entry>| entry.as_ref().map_or(0, |entry| entry.seed);
        self.journals.iter_mut().filter_map(|journal| journal.peek().map(seed)).min()
    }
}

impl Iterator for Together {
    /// An entry, or that two of one seed clash, or why a journal cannot be read.
    type Item = io::Result<Result<Entry, String>>;

    fn next(&mut self) -> Option<Self::Item> {
        let seed = self.next_seed()?;
        let mut found: Option<Entry> = None;
        for journal in &mut self.journals {
            let is_next = |entry: &io::Result<Entry>| entry.as_ref().map_or(true, |entry| entry.seed == seed);
            while let Some(entry) = journal.next_if(is_next) {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error)),
                };
                found = match found.take().map_or(Ok(entry.clone()), |found| united(found, entry)) {
                    Ok(entry) => Some(entry),
                    Err(clash) => return Some(Ok(Err(clash))),
                };
            }
        }
        found.map(|entry| Ok(Ok(entry)))
    }
}
