//! Requests and answers between clients: Status, and blocks by root and by range.

pub mod asked;
mod codec;
pub mod served;

use std::time::Duration;

pub use codec::{Answer, Chunk, Codec, Query, Sizes};
use libp2p::{
    StreamProtocol,
    request_response::{self, Config, ProtocolSupport},
};

use crate::{
    budget::{MAX_ANSWER, MAX_BLOCK, REQUEST_STREAMS},
    wire::{
        block_requests::{BlockRequest, MAX_BLOCKS},
        status::Status,
    },
};

/// Status of the chain.
pub const STATUS: StreamProtocol = StreamProtocol::new("/leanconsensus/req/status/1/ssz_snappy");
/// Blocks by root.
pub const BY_ROOT: StreamProtocol = StreamProtocol::new("/leanconsensus/req/blocks_by_root/1/ssz_snappy");
/// The name that qlean and zeam had for it until 2026-01.
pub const BY_ROOT_OLD: StreamProtocol = StreamProtocol::new("/leanconsensus/req/lean_blocks_by_root/1/ssz_snappy");
/// Blocks by range, which clients of devnet-1 do not have.
pub const BY_RANGE: StreamProtocol = StreamProtocol::new("/leanconsensus/req/blocks_by_range/1/ssz_snappy");

/// How long a peer may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(8);
/// How long the answer to a peer's request may take as a whole. Other clients wait for 10 to 15 s.
const SERVE_PATIENCE: Duration = Duration::from_secs(12);

/// The exchange of one kind of requests.
pub type Exchange = request_response::Behaviour<Codec>;
/// An event of such an exchange.
pub type Event = request_response::Event<Query, Answer>;

/// The first byte of a chunk.
pub mod code {
    /// The chunk is a part of the answer.
    pub const SUCCESS: u8 = 0;
    /// The request is malformed.
    pub const INVALID_REQUEST: u8 = 1;
    /// The server failed.
    pub const SERVER_ERROR: u8 = 2;
    /// The server has no room, or does not have what was requested.
    pub const UNAVAILABLE: u8 = 3;
}

fn exchange(protocols: &[StreamProtocol], sizes: Sizes) -> Exchange {
    let config = Config::default().with_request_timeout(SERVE_PATIENCE).with_max_concurrent_streams(REQUEST_STREAMS);
    let protocols = protocols.iter().map(|protocol| (protocol.clone(), ProtocolSupport::Full));
    Exchange::with_codec(Codec::new(sizes), protocols, config)
}

/// The exchange of status messages.
pub fn status_exchange() -> Exchange {
    exchange(&[STATUS], Sizes { query: Status::SIZE, chunk: Status::SIZE, chunks: 1, answer: Status::SIZE })
}

/// The exchange of blocks by root.
pub fn by_root_exchange() -> Exchange {
    let query = BlockRequest::MAX_SIZE;
    exchange(&[BY_ROOT, BY_ROOT_OLD], Sizes { query, chunk: MAX_BLOCK, chunks: MAX_BLOCKS, answer: MAX_ANSWER })
}

/// The exchange of blocks by range.
pub fn by_range_exchange() -> Exchange {
    exchange(&[BY_RANGE], Sizes { query: 16, chunk: MAX_BLOCK, chunks: MAX_BLOCKS, answer: MAX_ANSWER })
}
