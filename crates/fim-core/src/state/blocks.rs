//! Finds, changes and buffers blocks: a store below, what is not committed yet on top.
//!
//! Knows names and encoded records, not what they mean.

use super::block::Block;
use super::keys::{self, Place};
use crate::store::{Batch, Entry, Store, StoreError, StoreErrorKind};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, ControlFlow};

/// Blocks that stay in memory, though the store has them for good: what was changed lately is asked for again, and
/// would be read and checked each time. About 2 MB, when they are full.
const KEPT: usize = 128;

/// Called with the key of each block and the block.
type VisitBlock<'a> = dyn FnMut(&[u8], &Block) -> Result<ControlFlow<()>, StoreError> + 'a;

/// How far, from the start of a buffered block, the store is known to hold no other block of the directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Reach {
    /// To this name.
    Name(Vec<u8>),
    /// To the end of the directory.
    End,
}

/// A block in memory: the one that counts, whatever the store holds.
#[derive(Debug)]
struct Buffered {
    block: Block,
    /// The store does not have it yet.
    changed: bool,
    /// The store has it, but may lose it again.
    applied: bool,
    reach: Reach,
}

/// All blocks of all directories.
pub(crate) struct Blocks {
    store: Box<dyn Store>,
    buffer: BTreeMap<Vec<u8>, Buffered>,
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks").field("buffered", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Blocks {
    pub fn new(store: Box<dyn Store>) -> Self {
        Self { store, buffer: BTreeMap::new() }
    }

    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub fn store_mut(&mut self) -> &mut dyn Store {
        &mut *self.store
    }

    /// What is read from the encoded record of a place.
    pub fn get<R>(&self, place: &Place, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, StoreError> {
        let buffered = self.buffered_floor(place);
        if let Some((_, buffered)) = buffered.filter(|(_, it)| it.reaches(place.name())) {
            return Ok(buffered.block.get(place.name()).map(read));
        }
        let stored = stored_floor(&*self.store, place, place.key())?;
        match (stored, buffered) {
            (Some((at, bytes)), buffered) if buffered.is_none_or(|(known, _)| *known < at) => {
                Ok(decode(&at, &bytes)?.get(place.name()).map(read))
            }
            (_, Some((_, buffered))) => Ok(buffered.block.get(place.name()).map(read)),
            _ => Ok(None),
        }
    }

    pub fn put(&mut self, place: &Place, record: &[u8]) -> Result<(), StoreError> {
        let buffered = self.load(place)?;
        if !buffered.block.put(place.name(), record) {
            return Ok(());
        }
        buffered.changed = true;
        if let Some((first, block)) = buffered.block.split(place.name()) {
            let end = Buffered { block, changed: true, applied: false, reach: buffered.reach.clone() };
            self.buffer.insert(keys::block(place.dir(), &first), end);
        }
        Ok(())
    }

    pub fn remove(&mut self, place: &Place) -> Result<(), StoreError> {
        if self.get(place, |_| ())?.is_some() {
            let buffered = self.load(place)?;
            buffered.changed |= buffered.block.remove(place.name());
        }
        Ok(())
    }

    /// Visits the blocks whose keys have a prefix, in order, as they would be after a commit.
    pub fn scan(&self, prefix: &[u8], visit: &mut VisitBlock<'_>) -> Result<(), StoreError> {
        let mut buffered = self
            .buffer
            .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .peekable();
        let mut outcome = Ok(ControlFlow::Continue(()));
        self.store
            .scan(prefix, &mut |key, value| {
                while let Some((known, it)) = buffered.next_if(|(known, _)| known.as_slice() < key) {
                    outcome = visit(known, &it.block);
                    if !matches!(outcome, Ok(ControlFlow::Continue(()))) {
                        return ControlFlow::Break(());
                    }
                }
                outcome = match buffered.next_if(|(known, _)| known.as_slice() == key) {
                    Some((known, it)) => visit(known, &it.block),
                    None => decode(key, value).and_then(|block| visit(key, &block)),
                };
                if matches!(outcome, Ok(ControlFlow::Continue(()))) {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })
            .map_err(name_directory)?;
        for (key, it) in buffered {
            if outcome?.is_break() {
                return Ok(());
            }
            outcome = visit(key, &it.block);
        }
        outcome.map(drop)
    }

    /// What is buffered, as writes.
    pub fn pending(&self) -> Batch {
        let mut batch = Batch::default();
        for (key, buffered) in self.buffer.iter().filter(|(_, buffered)| buffered.changed) {
            if buffered.block.is_empty() {
                batch.remove(key.clone());
            } else {
                batch.put(key.clone(), buffered.block.encode());
            }
        }
        batch
    }

    /// What was buffered is in the store by now; it is kept until the store cannot lose it any more.
    pub fn committed(&mut self) {
        for buffered in self.buffer.values_mut() {
            buffered.applied |= std::mem::take(&mut buffered.changed);
        }
    }

    /// What is in the store stays there; of many blocks nothing more needs to be kept.
    pub fn synced(&mut self) {
        for buffered in self.buffer.values_mut() {
            buffered.applied = false;
        }
        // Blocks that were split rely on each other: all go or none.
        if self.buffer.len() > KEPT && self.buffer.values().all(|buffered| !buffered.changed) {
            self.buffer.clear();
        }
    }

    /// The store may have lost what was not synced.
    pub fn unsynced(&mut self) {
        for buffered in self.buffer.values_mut() {
            buffered.changed |= std::mem::take(&mut buffered.applied);
        }
    }

    fn buffered_floor(&self, place: &Place) -> Option<(&Vec<u8>, &Buffered)> {
        let bounds = (Bound::Included(place.first_block()), Bound::Included(place.key()));
        self.buffer.range::<[u8], _>(bounds).next_back()
    }

    /// The block that holds a place, or is to hold it, in the buffer.
    fn load(&mut self, place: &Place) -> Result<&mut Buffered, StoreError> {
        let known = self.buffered_floor(place);
        let is_known = known.is_some_and(|(_, buffered)| buffered.reaches(place.name()));
        let mut at = known.map(|(at, _)| at.clone());
        if !is_known {
            let (stored, mut reach) = self.find(place)?;
            match stored {
                Some((stored, bytes)) if at.as_ref().is_none_or(|known| *known < stored) => {
                    let block = decode(&stored, &bytes)?;
                    if let Some(last) = block.last_name() {
                        reach = reach.max(Reach::Name(last.to_vec()));
                    }
                    self.buffer
                        .insert(stored.clone(), Buffered { block, changed: false, applied: false, reach });
                    at = Some(stored);
                }
                _ => {
                    if let Some(known) = at.as_ref().and_then(|at| self.buffer.get_mut(at)) {
                        known.reach = known.reach.clone().max(reach);
                    } else {
                        let first = place.first_block().to_vec();
                        self.buffer.insert(
                            first.clone(),
                            Buffered { block: Block::default(), changed: false, applied: false, reach },
                        );
                        at = Some(first);
                    }
                }
            }
        }
        at.and_then(|at| self.buffer.get_mut(&at))
            .ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "the buffer of the state lost a block"))
    }

    /// The stored block that would hold a place, and how far nothing else is stored.
    fn find(&self, place: &Place) -> Result<(Option<Entry>, Reach), StoreError> {
        match stored_floor(&*self.store, place, &keys::after_blocks(place.dir()))? {
            Some((last, _)) if last.as_slice() > place.key() => {
                Ok((stored_floor(&*self.store, place, place.key())?, Reach::Name(place.name().to_vec())))
            }
            last => Ok((last, Reach::End)),
        }
    }
}

impl Buffered {
    fn reaches(&self, name: &[u8]) -> bool {
        match &self.reach {
            Reach::Name(last) => name <= last.as_slice(),
            Reach::End => true,
        }
    }
}

/// The greatest stored block of the directory of a place whose key is not above this one. That of a neighbour is not
/// read: of a new directory there is none, and each name in it is asked for.
fn stored_floor(store: &dyn Store, place: &Place, key: &[u8]) -> Result<Option<Entry>, StoreError> {
    store.floor_from(place.first_block(), key).map_err(name_directory)
}

fn decode(key: &[u8], bytes: &[u8]) -> Result<Block, StoreError> {
    Block::decode(bytes).map_err(|malformed| {
        let mut error = StoreError::new(StoreErrorKind::Corrupt, "the value is malformed");
        error.key = Some(key.to_vec());
        error.source = Some(Box::new(malformed));
        name_directory(error)
    })
}

/// Says of damage which directory it concerns.
pub(crate) fn name_directory(error: StoreError) -> StoreError {
    let dir = error.key.as_deref().and_then(keys::parts).map(|(dir, _)| keys::path(dir, b""));
    match dir {
        Some(dir) if error.kind == StoreErrorKind::Corrupt => StoreError {
            kind: error.kind,
            what: format!("the records of the files in {} are damaged", dir.display()),
            path: error.path.clone(),
            key: error.key.clone(),
            source: Some(Box::new(error)),
        },
        _ => error,
    }
}
