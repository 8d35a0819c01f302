//! The allocator of the program: large freed buffers are kept for the next ones.
//!
//! A block of 13 MB is copied about ten times on its way through gossipsub and to the beacon. The C library returns each
//! copy to the system, and mapping memory for the next one takes longer than the copy itself.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::budget::KEPT_BYTES;

/// The least size of a buffer that is kept. Sizes are rounded up to a multiple of it, so that a buffer can replace another
/// of nearly the same size. What is added is not used, and takes no memory.
const UNIT: usize = 1024 * 1024;

struct Buffer {
    start: *mut u8,
    /// Rounded.
    layout: Layout,
}

// SAFETY: nobody else uses a free buffer.
unsafe impl Send for Buffer {}

/// The allocator. Smaller buffers are those of the system's allocator.
pub struct Buffers {
    /// The oldest first. The queue itself is small, so that it is never allocated from the queue.
    kept: Mutex<VecDeque<Buffer>>,
}

impl Buffers {
    /// Makes an allocator that keeps nothing yet.
    pub const fn new() -> Self {
        Self { kept: Mutex::new(VecDeque::new()) }
    }

    /// Returns all buffers that are kept to the system.
    pub fn release(&self) {
        shrink(&mut self.kept(), 0);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Buffer>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the newest buffer of this layout.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        if layout.size() < UNIT {
            return None;
        }
        let mut kept = self.kept();
        let place = kept.iter().rposition(|buffer| buffer.layout == layout)?;
        kept.remove(place).map(|buffer| buffer.start)
    }

    fn keep(&self, buffer: Buffer) {
        let mut kept = self.kept();
        kept.push_back(buffer);
        shrink(&mut kept, KEPT_BYTES);
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the oldest buffers until the others have at most this size.
fn shrink(kept: &mut VecDeque<Buffer>, most: usize) {
    let mut bytes: usize = kept.iter().map(|buffer| buffer.layout.size()).sum();
    while bytes > most
        && let Some(oldest) = kept.pop_front()
    {
        bytes -= oldest.layout.size();
        // SAFETY: the buffer was allocated by `System` with this layout, and nobody uses it.
        unsafe { System.dealloc(oldest.start, oldest.layout) };
    }
}

/// The layout that `System` gets to see.
fn rounded(layout: Layout) -> Layout {
    if layout.size() < UNIT {
        return layout;
    }
    // A size that cannot be rounded cannot be allocated either.
    Layout::from_size_align(layout.size().next_multiple_of(UNIT), layout.align()).unwrap_or(layout)
}

// SAFETY: each buffer is allocated, grown and freed by `System` with the same rounded layout, which is at least as large
// as the caller's. It is in use or kept, never both: `take` removes what it returns.
unsafe impl GlobalAlloc for Buffers {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let layout = rounded(layout);
        // SAFETY: the size is not zero, as the caller promises.
        self.take(layout).unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.take(rounded(layout)) {
            Some(start) => {
                // SAFETY: the buffer has at least this size.
                unsafe { start.write_bytes(0, layout.size()) };
                start
            }
            // SAFETY: the size is not zero, as the caller promises.
            None => unsafe { System.alloc_zeroed(rounded(layout)) },
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let layout = rounded(layout);
        if layout.size() < UNIT {
            // SAFETY: `alloc` got it from `System` with this layout.
            unsafe { System.dealloc(start, layout) };
        } else {
            self.keep(Buffer { start, layout });
        }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is valid for this alignment.
        let (old, new) = (rounded(layout), rounded(unsafe { Layout::from_size_align_unchecked(size, layout.align()) }));
        if old == new {
            return start;
        }
        match self.take(new) {
            Some(to) => {
                // SAFETY: both buffers have at least this size, and they are different ones. The caller gives up the first.
                unsafe {
                    start.copy_to_nonoverlapping(to, layout.size().min(size));
                    self.dealloc(start, layout);
                }
                to
            }
            // SAFETY: `alloc` got it from `System` with this layout.
            None => unsafe { System.realloc(start, old, new.size()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(size: usize) -> Layout {
        Layout::from_size_align(size, 1).unwrap()
    }

    fn kept(buffers: &Buffers) -> usize {
        buffers.kept().iter().map(|buffer| buffer.layout.size()).sum()
    }

    #[test]
    fn a_freed_buffer_is_the_next_of_nearly_its_size() {
        let buffers = Buffers::new();
        // SAFETY: each layout is that of the buffer.
        unsafe {
            let first = buffers.alloc(bytes(UNIT + 1));
            first.write_bytes(7, UNIT + 1);
            buffers.dealloc(first, bytes(UNIT + 1));
            let larger = buffers.alloc(bytes(2 * UNIT + 1));
            assert_ne!(larger, first);
            let second = buffers.alloc_zeroed(bytes(2 * UNIT));
            assert_eq!((second, second.read(), second.add(UNIT).read()), (first, 0, 0));
            assert_eq!(kept(&buffers), 0);
            buffers.dealloc(second, bytes(2 * UNIT));
            buffers.dealloc(larger, bytes(2 * UNIT + 1));
        }
        assert_eq!(kept(&buffers), 5 * UNIT);
        buffers.release();
        assert_eq!(kept(&buffers), 0);
    }

    #[test]
    fn the_oldest_are_returned() {
        let buffers = Buffers::new();
        let size = KEPT_BYTES / 4;
        // SAFETY: each layout is that of the buffer.
        unsafe {
            let all: Vec<_> = (0..6).map(|_| buffers.alloc(bytes(size))).collect();
            all.iter().for_each(|start| buffers.dealloc(*start, bytes(size)));
            assert_eq!(kept(&buffers), KEPT_BYTES);
            assert_eq!(buffers.kept().iter().map(|buffer| buffer.start).collect::<Vec<_>>(), all[2..]);
        }
        buffers.release();
    }

    #[test]
    fn a_buffer_grows_and_shrinks_with_its_content() {
        let buffers = Buffers::new();
        // SAFETY: each layout is that of the buffer.
        unsafe {
            let unused = buffers.alloc(bytes(2 * UNIT));
            buffers.dealloc(unused, bytes(2 * UNIT));
            let mut size = 1000;
            let mut start = buffers.alloc(bytes(size));
            start.write_bytes(7, size);
            for next in [UNIT - 1, UNIT, UNIT + 5, 2 * UNIT, 8 * UNIT, UNIT, 1000] {
                let before = start;
                start = buffers.realloc(start, bytes(size), next);
                assert!(before == start || (size, next) != (UNIT + 5, 2 * UNIT));
                assert!((0..1000).all(|i| start.add(i).read() == 7), "{size} to {next}");
                size = next;
            }
            buffers.dealloc(start, bytes(size));
        }
        assert!(kept(&buffers) >= 2 * UNIT);
        buffers.release();
    }
}
