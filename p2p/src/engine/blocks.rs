//! Requests for blocks: from the beacon to peers, and from peers to the beacon.

use std::{io::ErrorKind, time::Instant};

use libp2p::{
    PeerId,
    request_response::{Event, InboundRequestId, Message, OutboundFailure, OutboundRequestId, ResponseChannel},
};

use super::{Engine, beacon::reason};
use crate::{
    budget::{BATCH_BYTES, MAX_ANSWER},
    contract::{End, ToBeacon, proto},
    enr::ip_of,
    log::{Field, Part},
    requests::{
        Answer, Exchange, PATIENCE, Query,
        asked::{Asked, Method},
        code,
        served::Origin,
    },
    wire::{
        block_requests::{BlockRequest, blocks_of_chunk},
        frame::LengthOf,
    },
};

impl Engine {
    fn exchange(&mut self, method: Method) -> &mut Exchange {
        let protocols = self.swarm.behaviour_mut();
        match method {
            Method::ByRoot => &mut protocols.by_root,
            Method::ByRange => &mut protocols.by_range,
        }
    }

    /// Sends a request of the beacon to a peer.
    pub(super) fn ask_for_blocks(&mut self, id: u64, handle: u64, request: BlockRequest) {
        let Some(peer) = self.peers.by_handle(handle).filter(|peer| peer.end.is_none()) else {
            return self.answer_beacon(id, vec![], End::Failed, "the peer is gone");
        };
        let (peer, length_of, bare) = (peer.id, peer.length_of.unwrap_or(self.framing), peer.bare_roots);
        if self.asked.is_full(&peer) {
            return self.answer_beacon(id, vec![], End::Overloaded, "too many requests are under way");
        }
        let fields: [Field; 3] = [("id", &id), ("peer", &peer), ("blocks", &request.most_blocks())];
        self.log.of(Part::Requests).debug("blocks_requested", &fields);
        let deadline = Instant::now() + PATIENCE;
        self.send_request(Asked { id, peer, request, length_of, bare, retried: false, deadline });
    }

    fn send_request(&mut self, asked: Asked) {
        let form = if asked.bare { LengthOf::Content } else { asked.length_of };
        let query = Query { ssz: asked.request.to_ssz(form), length_of: asked.length_of };
        let id = self.exchange(Method::of(&asked.request)).send_request(&asked.peer, query);
        self.asked.add(id, asked);
    }

    pub(super) fn expire_requests(&mut self, now: Instant) {
        for asked in self.asked.expired(now) {
            self.answer_beacon(asked.id, vec![], End::TimedOut, "no answer in time");
        }
    }

    pub(super) fn on_blocks_event(&mut self, method: Method, event: Event<Query, Answer>) {
        match event {
            Event::Message { peer, message: Message::Request { request_id, request, channel }, .. } => {
                self.on_request_of_peer(method, request_id, peer, &request, channel);
            }
            Event::Message { message: Message::Response { request_id, response }, .. } => {
                self.on_answer_of_peer(method, request_id, response);
            }
            Event::OutboundFailure { request_id, error, .. } => {
                if let Some(asked) = self.asked.take(method, request_id) {
                    self.on_failure(asked, &error);
                }
            }
            Event::InboundFailure { request_id, .. } | Event::ResponseSent { request_id, .. } => {
                self.served.remove(method, request_id);
            }
        }
    }

    fn on_failure(&mut self, asked: Asked, error: &OutboundFailure) {
        let end = match error {
            OutboundFailure::UnsupportedProtocols => End::Unsupported,
            OutboundFailure::Timeout => End::TimedOut,
            OutboundFailure::Io(error) if error.kind() == ErrorKind::InvalidData => End::Malformed,
            OutboundFailure::Io(_) => return self.retry_or_fail(asked, &error.to_string()),
            OutboundFailure::DialFailure | OutboundFailure::ConnectionClosed => End::Failed,
        };
        self.answer_beacon(asked.id, vec![], end, &error.to_string());
    }

    /// Repeats a request once in the other framing, for a peer that could not read it.
    fn retry_or_fail(&mut self, asked: Asked, why: &str) {
        let connected = self.peers.get(&asked.peer).is_some_and(|peer| peer.end.is_none());
        if asked.retried || !connected || asked.deadline <= Instant::now() {
            return self.answer_beacon(asked.id, vec![], End::Failed, why);
        }
        self.send_request(Asked { length_of: asked.length_of.other(), retried: true, ..asked });
    }

    fn on_answer_of_peer(&mut self, method: Method, id: OutboundRequestId, answer: Answer) {
        let Some(asked) = self.asked.take(method, id) else { return };
        if answer.chunks.is_empty() && self.may_want_bare_roots(&asked) {
            return self.send_request(Asked { bare: true, ..asked });
        }
        let mut blocks = vec![];
        for chunk in &answer.chunks {
            if chunk.code != code::SUCCESS {
                let text = String::from_utf8_lossy(&chunk.content).into_owned();
                // Blocks before an error are used, as those of an answer that was cut off.
                return match (blocks.is_empty(), chunk.code) {
                    (false, _) => self.answer_beacon(asked.id, blocks, End::Complete, ""),
                    (true, code::INVALID_REQUEST) => self.retry_or_fail(asked, &text),
                    (true, _) => self.answer_beacon(asked.id, vec![], End::Failed, &text),
                };
            }
            let of_chunk = blocks_of_chunk(&chunk.content).and_then(|wire| {
                wire.into_iter().map(|block| self.form.block_from_wire(block)).collect::<Option<Vec<_>>>()
            });
            match of_chunk {
                Some(of_chunk) => blocks.extend(of_chunk),
                None => return self.answer_beacon(asked.id, vec![], End::Malformed, "the answer is not a block"),
            }
        }
        if blocks.len() > asked.request.most_blocks() {
            return self.answer_beacon(asked.id, vec![], End::Malformed, "the answer has more blocks than requested");
        }
        if let (true, false, Some(peer)) = (asked.bare, blocks.is_empty(), self.peers.get_mut(&asked.peer)) {
            peer.bare_roots = true;
        }
        self.answer_beacon(asked.id, blocks, End::Complete, "");
    }

    /// Among clients that count compressed bytes, some send the list of roots in a container and some do not. The
    /// latter, such as gean, answer a container with an empty answer.
    fn may_want_bare_roots(&self, asked: &Asked) -> bool {
        let wrapped = asked.length_of == LengthOf::Compressed && !asked.bare;
        let connected = self.peers.get(&asked.peer).is_some_and(|peer| peer.end.is_none());
        wrapped && connected && Method::of(&asked.request) == Method::ByRoot && asked.deadline > Instant::now()
    }

    /// Splits the answer into as many messages as necessary. Blocks above [`MAX_ANSWER`] in total are left out, as in an
    /// answer that was cut off: the conversion of signatures may have made them larger than they were on the wire.
    fn answer_beacon(&mut self, id: u64, blocks: Vec<Vec<u8>>, end: End, message: &str) {
        if self.link.is_none() {
            return;
        }
        let mut batch: Vec<Vec<u8>> = vec![];
        let (mut bytes, mut total) = (0, 0);
        for block in blocks {
            total += block.len();
            if total > MAX_ANSWER {
                break;
            }
            if !batch.is_empty() && bytes + block.len() > BATCH_BYTES {
                self.push_answer(id, std::mem::take(&mut batch), End::More, "");
                bytes = 0;
            }
            bytes += block.len();
            batch.push(block);
        }
        self.push_answer(id, batch, end, message);
    }

    fn push_answer(&mut self, id: u64, blocks: Vec<Vec<u8>>, end: End, message: &str) {
        let answer = proto::BlockAnswer { id, blocks, end: end.into(), message: reason(message) };
        self.outbox.push(ToBeacon::Answer(answer));
    }

    fn on_request_of_peer(
        &mut self,
        method: Method,
        request_id: InboundRequestId,
        id: PeerId,
        query: &Query,
        channel: ResponseChannel<Answer>,
    ) {
        let request = match method {
            Method::ByRoot => BlockRequest::roots_from_ssz(&query.ssz),
            Method::ByRange => BlockRequest::range_from_ssz(&query.ssz),
        };
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let in_time = peer.block_requests.take(1.0, Instant::now());
        let handle = peer.handle;
        let origin = ip_of(&peer.address).map(|ip| Origin { peer: id, ip });
        let origin = origin.filter(|origin| in_time && !self.served.is_full(origin));
        let (code, text) = match (request, origin, handle) {
            (Some(request), Some(origin), Some(handle)) => {
                let id = self.served.add(method, request_id, origin, channel, query.length_of);
                let request = proto::BlockRequest { id, peer: handle, blocks: Some((&request).into()) };
                return self.outbox.push(ToBeacon::Request(request));
            }
            (None, ..) => (code::INVALID_REQUEST, "the request for blocks is malformed"),
            (_, None, _) => (code::UNAVAILABLE, "too many requests"),
            (.., None) => (code::UNAVAILABLE, "this peer has sent no status, or no beacon is attached"),
        };
        // A refusal does not count as a request that is served: a peer that does not read refusals keeps nobody out.
        self.answer_peer(method, channel, Answer::error(code, text, query.length_of));
    }

    fn answer_peer(&mut self, method: Method, channel: ResponseChannel<Answer>, answer: Answer) {
        // An error means that the peer no longer waits. An event reports that, too.
        let _ = self.exchange(method).send_response(channel, answer);
    }

    pub(super) fn on_answer_of_beacon(&mut self, id: u64, blocks: Vec<Vec<u8>>, end: End, message: &str) {
        let wire = blocks.into_iter().filter_map(|block| self.form.block_to_wire(block)).collect();
        self.served.collect(id, wire);
        let error = match end {
            End::More => return,
            End::Complete => None,
            End::Malformed => Some(code::INVALID_REQUEST),
            End::Failed => Some(code::SERVER_ERROR),
            End::TimedOut | End::Unsupported | End::Overloaded => Some(code::UNAVAILABLE),
        };
        self.complete_answer(id, error.map(|code| (code, reason(message))));
    }

    /// Sends the answer with this id to the peer that made the request.
    pub(super) fn complete_answer(&mut self, id: u64, error: Option<(u8, String)>) {
        if let Some(ready) = self.served.complete(id, error) {
            self.answer_peer(ready.method, ready.channel, ready.answer);
        }
    }
}
