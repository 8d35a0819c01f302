//! Requests of the beacon that peers have not answered yet.

use std::{collections::HashMap, time::Instant};

use libp2p::{PeerId, request_response::OutboundRequestId};

use crate::{
    budget::{ASKED_REQUESTS, ASKED_REQUESTS_PER_PEER},
    metrics::Footprint,
    wire::{block_requests::BlockRequest, frame::LengthOf},
};

/// The exchange that carries a request. Each exchange has its own request ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Blocks by root.
    ByRoot,
    /// Blocks by range.
    ByRange,
}

impl Method {
    /// The exchange of a request.
    pub fn of(request: &BlockRequest) -> Self {
        match request {
            BlockRequest::ByRoot(_) => Self::ByRoot,
            BlockRequest::ByRange { .. } => Self::ByRange,
        }
    }
}

/// A request that is under way.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The id that the beacon uses.
    pub id: u64,
    /// The peer that is asked.
    pub peer: PeerId,
    /// The request.
    pub request: BlockRequest,
    /// The framing in which it was sent.
    pub length_of: LengthOf,
    /// Whether roots are sent as a bare list, although the framing counts compressed bytes.
    pub bare: bool,
    /// Whether it was sent in both framings.
    pub retried: bool,
    /// The time at which it fails.
    pub deadline: Instant,
}

/// All requests that are under way.
#[derive(Default)]
pub struct AskedRequests(HashMap<(Method, OutboundRequestId), Asked>);

impl AskedRequests {
    /// Whether there is no room for one more request to this peer.
    pub fn is_full(&self, peer: &PeerId) -> bool {
        let of_peer = self.0.values().filter(|asked| asked.peer == *peer).count();
        self.0.len() >= ASKED_REQUESTS || of_peer >= ASKED_REQUESTS_PER_PEER
    }

    /// Adds a request that was sent.
    pub fn add(&mut self, id: OutboundRequestId, asked: Asked) {
        self.0.insert((Method::of(&asked.request), id), asked);
    }

    /// Removes a request that was answered or has failed. None: it is not known.
    pub fn take(&mut self, method: Method, id: OutboundRequestId) -> Option<Asked> {
        self.0.remove(&(method, id))
    }

    /// Removes the requests whose time is over.
    pub fn expired(&mut self, now: Instant) -> Vec<Asked> {
        self.0.extract_if(|_, asked| asked.deadline <= now).map(|(_, asked)| asked).collect()
    }

    /// The requests that are under way, and their bytes.
    pub fn footprint(&self) -> Footprint {
        let roots = |asked: &Asked| match &asked.request {
            BlockRequest::ByRoot(roots) => size_of_val(roots.as_slice()),
            BlockRequest::ByRange { .. } => 0,
        };
        Footprint { items: self.0.len(), bytes: self.0.values().map(|asked| size_of::<Asked>() + roots(asked)).sum() }
    }

    /// Removes all requests.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
