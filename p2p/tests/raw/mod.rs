//! A peer of which a test chooses every byte. QUIC is from a library; everything above it is implemented here.

pub mod attacks;
pub mod connection;
mod peer;
mod rpc;

pub use connection::Dialer;
pub use peer::{Answers, Event, Peer, request};

/// An attack usually ends because the other side closes the connection.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Incompressible bytes that depend on the seed.
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
