//! Requests of the beacon's that peers have not answered yet.

use std::{collections::HashMap, time::Instant};

use libp2p::{PeerId, request_response::OutboundRequestId};

use crate::{
    budget::{ASKED_REQUESTS, ASKED_REQUESTS_PER_PEER},
    wire::{block_requests::BlockRequest, frame::LengthOf},
};

/// Which exchange carries a request: each numbers its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Blocks by root.
    ByRoot,
    /// Blocks by range.
    ByRange,
}

impl Method {
    /// Of a request.
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
    /// The beacon's name for it.
    pub id: u64,
    /// Who is asked.
    pub peer: PeerId,
    /// For what.
    pub request: BlockRequest,
    /// How it was sent.
    pub length_of: LengthOf,
    /// Roots are a bare list, whatever is usual among those who count so.
    pub bare: bool,
    /// Whether it was sent in both forms.
    pub retried: bool,
    /// When it has failed.
    pub deadline: Instant,
}

/// All of them.
#[derive(Default)]
pub struct AskedRequests(HashMap<(Method, OutboundRequestId), Asked>);

impl AskedRequests {
    /// Whether one more of this peer is too much.
    pub fn is_full(&self, peer: &PeerId) -> bool {
        let of_peer = self.0.values().filter(|asked| asked.peer == *peer).count();
        self.0.len() >= ASKED_REQUESTS || of_peer >= ASKED_REQUESTS_PER_PEER
    }

    /// It was sent.
    pub fn add(&mut self, id: OutboundRequestId, asked: Asked) {
        self.0.insert((Method::of(&asked.request), id), asked);
    }

    /// It was answered, or has failed. None: nobody waits for it.
    pub fn take(&mut self, method: Method, id: OutboundRequestId) -> Option<Asked> {
        self.0.remove(&(method, id))
    }

    /// Those whose time is over.
    pub fn expired(&mut self, now: Instant) -> Vec<Asked> {
        self.0.extract_if(|_, asked| asked.deadline <= now).map(|(_, asked)| asked).collect()
    }

    /// Nobody waits for any of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
