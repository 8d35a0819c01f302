//! A peer of which a test chooses every byte: QUIC is another library's, and above it there is only what stands here.

pub mod attacks;
pub mod connection;
mod peer;
mod rpc;

pub use connection::Dialer;
pub use peer::{Answers, Event, Peer, request};

/// Whatever ends an attack: the other side, mostly.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Bytes that do not compress and differ by seed.
pub fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(next).collect()
}
