//! The encoding of messages between clients.

pub mod block_requests;
pub mod frame;
pub mod status;
