//! What crosses the network between clients, byte by byte.

pub mod block_requests;
pub mod frame;
pub mod status;
