//! What of a file is in memory while it is read: one piece, and in front of it the end of what was read before, so
//! that what lies across two pieces is seen whole.

use crate::secrecy::Secrecy;
use rustix::io::{Errno, Result, pread};
use std::os::fd::BorrowedFd;

/// Where a piece begins in the buffer.
const FRONT: usize = Secrecy::OVERLAP;

/// A buffer with a piece of a file in it.
pub(super) struct Window<'b> {
    buffer: &'b mut [u8],
    /// So many bytes in front of the piece are what came before it.
    carried: usize,
    /// Length of the piece.
    piece: usize,
}

impl<'b> Window<'b> {
    /// Nothing read yet. Pieces are as long as the buffer, less [`Secrecy::OVERLAP`].
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, carried: 0, piece: 0 }
    }

    /// The next piece: as many bytes as there is room for, from here and before `end`; none at the end of the file.
    pub fn read(&mut self, file: BorrowedFd<'_>, from: u64, end: u64) -> Result<&[u8]> {
        self.carry();
        let room = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
        let length = self.buffer.len().saturating_sub(FRONT).min(room);
        let target = self.buffer.get_mut(FRONT..FRONT.saturating_add(length)).unwrap_or_default();
        self.piece = loop {
            match pread(file, &mut *target, from) {
                Ok(count) => break count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        };
        Ok(self.buffer.get(FRONT..FRONT.saturating_add(self.piece)).unwrap_or_default())
    }

    /// The piece with what came before it.
    pub fn stretch(&self) -> &[u8] {
        let (start, end) = (FRONT.saturating_sub(self.carried), FRONT.saturating_add(self.piece));
        self.buffer.get(start..end).unwrap_or_default()
    }

    /// Moves the end of what is there in front of where the next piece will be.
    fn carry(&mut self) {
        let end = FRONT.saturating_add(self.piece).min(self.buffer.len());
        let kept = self.carried.saturating_add(self.piece).min(FRONT);
        self.buffer.copy_within(end.saturating_sub(kept)..end, FRONT.saturating_sub(kept));
        (self.carried, self.piece) = (kept, 0);
    }
}
