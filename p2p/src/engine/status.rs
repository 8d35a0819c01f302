//! Status messages: the state of each peer's chain, requested once a slot.

use std::time::Instant;

use libp2p::{
    PeerId,
    request_response::{Event, Message, ResponseChannel},
};

use super::Engine;
use crate::{
    log::Part,
    peers::StatusTurn,
    requests::{Answer, Chunk, Query, code},
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

    fn on_status_request(&mut self, id: PeerId, query: &Query, channel: ResponseChannel<Answer>) {
        let now = Instant::now();
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let in_time = peer.status_requests.take(1.0, now);
        let status = Status::from_ssz(&query.ssz);
        let error = |code, text: &str| Chunk { code, content: text.into() };
        let chunk = match (in_time, status, self.own_status) {
            (false, ..) => error(code::UNAVAILABLE, "too many requests"),
            (_, None, _) => error(code::INVALID_REQUEST, "the status is malformed"),
            (.., None) => error(code::UNAVAILABLE, "no beacon has attached yet"),
            (.., Some(own)) => Chunk { code: code::SUCCESS, content: own.to_ssz() },
        };
        let answer = Answer { chunks: vec![chunk], length_of: query.length_of };
        // An error means that the peer no longer waits.
        let _ = self.swarm.behaviour_mut().status.send_response(channel, answer);
        if let (true, Some(status)) = (in_time, status) {
            if let Some(StatusTurn::Due(_)) = self.turn(&id) {
                self.set_turn(&id, StatusTurn::Due(now + self.slot));
            }
            self.on_status(id, status, query.length_of);
        }
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
