//! Status messages: the state of each peer's chain, requested once a slot.

use std::time::Instant;

use libp2p::{
    PeerId,
    request_response::{Event, Message, ResponseChannel},
};

use super::Engine;
use crate::{
    log::Part,
    peers::{StatusTurn, WaitingRequest},
    requests::{Answer, Chunk, PATIENCE, Query, code},
    wire::{frame::LengthOf, status::Status},
};

impl Engine {
    /// Sends a status request to each peer that is due. Does nothing before a beacon has told its own status.
    pub(super) fn ask_for_status(&mut self, now: Instant) {
        let Some(own) = self.own_status else { return };
        let framing = self.framing;
        let due = |turn| matches!(turn, StatusTurn::Due(at) if at <= now);
        for peer in self.peers.iter_mut().filter(|peer| due(peer.status_turn) && peer.end.is_none()) {
            peer.status_turn = StatusTurn::Asked { retried: false };
            let query = Query { ssz: own.to_ssz(), length_of: peer.length_of.unwrap_or(framing) };
            self.swarm.behaviour_mut().status.send_request(&peer.id, query);
        }
    }

    pub(super) fn on_status_event(&mut self, event: Event<Query, Answer>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.on_status_request(peer, &request, channel);
            }
            Event::Message { peer, message: Message::Response { response, .. }, .. } => match response.chunks.first() {
                Some(Chunk { code: code::SUCCESS, content }) => match Status::from_ssz(content) {
                    Some(status) => {
                        self.set_turn(&peer, StatusTurn::Due(Instant::now() + self.slot));
                        self.on_status(peer, status, response.length_of);
                    }
                    None => self.on_status_failure(peer, "the answer is not a status"),
                },
                Some(Chunk { content, .. }) => {
                    let text = String::from_utf8_lossy(content).into_owned();
                    self.on_status_failure(peer, &text);
                }
                None => self.on_status_failure(peer, "the answer is empty"),
            },
            Event::OutboundFailure { peer, error, .. } => self.on_status_failure(peer, &error.to_string()),
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    /// Answers the requests that have waited for the first beacon: with its status, or with an error if it has not
    /// attached in time.
    pub(super) fn answer_waiting(&mut self, now: Instant) {
        for peer in self.peers.iter_mut() {
            let is_over = |waiting: &WaitingRequest| now.duration_since(waiting.since) >= PATIENCE;
            let Some(waiting) = peer.waiting.take_if(|waiting| self.own_status.is_some() || is_over(waiting)) else {
                continue;
            };
            let answer = match self.own_status {
                Some(own) => answer(code::SUCCESS, own.to_ssz(), waiting.length_of),
                None => answer(code::UNAVAILABLE, "no beacon has attached yet", waiting.length_of),
            };
            // An error means that the peer no longer waits.
            let _ = self.swarm.behaviour_mut().status.send_response(waiting.channel, answer);
        }
    }

    /// A request that arrives before the first beacon has attached waits for it. A peer that dials a node while it starts
    /// would otherwise get an error, and might never ask again.
    fn on_status_request(&mut self, id: PeerId, query: &Query, channel: ResponseChannel<Answer>) {
        let now = Instant::now();
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let refusal = match (peer.status_requests.take(1.0, now), Status::from_ssz(&query.ssz)) {
            (false, _) => (code::UNAVAILABLE, "too many requests"),
            (_, None) => (code::INVALID_REQUEST, "the status is malformed"),
            (_, Some(status)) => {
                peer.waiting = Some(WaitingRequest { channel, length_of: query.length_of, since: now });
                self.answer_waiting(now);
                if let Some(StatusTurn::Due(_)) = self.turn(&id) {
                    self.set_turn(&id, StatusTurn::Due(now + self.slot));
                }
                self.on_status(id, status, query.length_of);
                return;
            }
        };
        let answer = answer(refusal.0, refusal.1, query.length_of);
        // As above.
        let _ = self.swarm.behaviour_mut().status.send_response(channel, answer);
    }

    fn on_status(&mut self, id: PeerId, status: Status, length_of: LengthOf) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.status = Some(status);
        peer.length_of = Some(length_of);
        match peer.handle {
            Some(handle) => self.tell_status(handle, status),
            None => self.introduce(&id, Instant::now()),
        }
    }

    /// Repeats the request once in the other framing, if the framing of the peer is not known.
    fn on_status_failure(&mut self, id: PeerId, why: &str) {
        self.log.of(Part::Requests).warn_limited("status_failed", &[("peer", &id), ("reason", &why)]);
        let (own, next, framing) = (self.own_status, Instant::now() + self.slot, self.framing);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match (peer.status_turn, peer.length_of, own) {
            (StatusTurn::Asked { retried: false }, None, Some(own)) if peer.end.is_none() => {
                peer.status_turn = StatusTurn::Asked { retried: true };
                let query = Query { ssz: own.to_ssz(), length_of: framing.other() };
                self.swarm.behaviour_mut().status.send_request(&id, query);
            }
            _ => peer.status_turn = StatusTurn::Due(next),
        }
    }

    fn turn(&self, id: &PeerId) -> Option<StatusTurn> {
        self.peers.get(id).map(|peer| peer.status_turn)
    }

    fn set_turn(&mut self, id: &PeerId, turn: StatusTurn) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.status_turn = turn;
        }
    }
}

fn answer(code: u8, content: impl Into<Vec<u8>>, length_of: LengthOf) -> Answer {
    Answer { chunks: vec![Chunk { code, content: content.into() }], length_of }
}
