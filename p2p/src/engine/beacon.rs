//! The beacon attaches, sends messages and detaches.

use std::time::{Duration, Instant};

use libp2p::{PeerId, gossipsub::MessageAcceptance};

use super::{Engine, Link};
use crate::{
    beacon_link::LinkEvent,
    contract::{FromBeacon, Hello, ToBeacon, proto},
    log::Part,
    requests::code,
    text,
    wire::status::Status,
};

impl Engine {
    pub(super) fn on_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Attached { link, hello, beacon } => {
                self.detach("a newer stream has replaced it");
                self.link = Some(Link { id: link, beacon });
                self.attach(hello);
            }
            LinkEvent::Message { link, message } if self.is_current(link) => self.on_message(message),
            LinkEvent::Detached { link, reason } if self.is_current(link) => self.detach(&reason),
            LinkEvent::Message { .. } | LinkEvent::Detached { .. } => {}
        }
    }

    fn is_current(&self, link: u64) -> bool {
        self.link.as_ref().is_some_and(|current| current.id == link)
    }

    fn attach(&mut self, hello: Hello) {
        self.log.of(Part::Beacon).info(
            "beacon_attached",
            &[("head_slot", &hello.status.head.slot), ("finalized_slot", &hello.status.finalized.slot)],
        );
        (self.bounds, self.slot) = (hello.bounds, hello.slot);
        self.own_status = Some(hello.status);
        self.meters.set_bounds(hello.bounds);
        self.undecided.set_bounds(hello.bounds);
        let now = Instant::now();
        self.answer_waiting(now);
        self.ask_for_status(now);
        for peer in self.peers.iter() {
            peer.meter.set_stranger(true);
        }
        self.introduce_all(now);
    }

    /// Drops everything that was under way with the beacon.
    fn detach(&mut self, reason: &str) {
        if self.link.take().is_none() {
            return;
        }
        self.log.of(Part::Beacon).warn_limited("beacon_detached", &[("reason", &reason)]);
        for item in self.undecided.clear() {
            self.judge(&item, MessageAcceptance::Ignore);
        }
        for id in self.served.open() {
            self.complete_answer(id, Some((code::UNAVAILABLE, "the beacon has detached".into())));
        }
        self.asked.clear();
        self.outbox.clear();
        self.peers.forget_handles();
        let peers: Vec<PeerId> = self.peers.iter().map(|peer| peer.id).collect();
        for peer in peers {
            self.hear_no_gossip(&peer);
        }
    }

    fn on_message(&mut self, message: FromBeacon) {
        match message {
            FromBeacon::Status(status) => self.own_status = Some(status),
            FromBeacon::Publish { blocks, votes } => self.publish_all(blocks, votes),
            FromBeacon::Verdicts(verdicts) => self.on_verdicts(&verdicts),
            FromBeacon::Request { id, peer, request } => self.ask_for_blocks(id, peer, request),
            FromBeacon::Answer { id, blocks, end, message } => self.on_answer_of_beacon(id, blocks, end, &message),
            FromBeacon::EndPeer { peer, ban, reason } => self.on_end_peer(peer, ban, &reason),
        }
    }

    fn on_end_peer(&mut self, handle: u64, ban: Duration, reason: &str) {
        let Some(id) = self.peers.by_handle(handle).map(|peer| peer.id) else { return };
        self.ban(&id, ban, reason);
        self.end_peer(&id, &format!("the beacon ends it: {reason}"));
    }

    /// Introduces peers to the beacon of which enough is known by now.
    pub(super) fn introduce_all(&mut self, now: Instant) {
        if self.link.is_none() {
            return;
        }
        let unnamed = self.peers.iter().filter(|peer| peer.handle.is_none()).map(|peer| peer.id).collect::<Vec<_>>();
        for peer in unnamed {
            self.introduce(&peer, now);
        }
    }

    /// Introduces a peer to the beacon if enough is known of it. From then on its gossip is accepted.
    pub(super) fn introduce(&mut self, id: &PeerId, now: Instant) {
        if self.link.is_none() {
            return;
        }
        if let Some(connected) = self.peers.introduce(id, now) {
            self.outbox.push(ToBeacon::Connected(connected));
            self.swarm.behaviour_mut().gossip.remove_blacklisted_peer(id);
            if let Some(peer) = self.peers.get(id) {
                peer.meter.set_stranger(false);
            }
        }
    }

    /// Drops the gossip of a peer that the beacon does not know. Dropped messages are not remembered: they count as new
    /// when another peer sends them. However, gossipsub tells the other peers not to send a large message again before it
    /// drops it. Little is therefore read of a peer until the beacon knows it. Without a beacon there is no such limit.
    pub(super) fn hear_no_gossip(&mut self, id: &PeerId) {
        self.swarm.behaviour_mut().gossip.blacklist_peer(id);
        if let Some(peer) = self.peers.get(id) {
            peer.meter.set_stranger(self.link.is_some());
        }
    }

    /// Sends waiting messages as far as there is room. Detaches a beacon that does not read.
    pub(super) fn send_at_once(&mut self) {
        if self.outbox.is_overdue() {
            self.detach("it does not read its messages");
        }
        let Some(link) = &self.link else { return };
        let sender = link.beacon.sender();
        while let (false, Ok(room)) = (self.outbox.is_empty(), sender.try_reserve()) {
            if let Some(message) = self.outbox.pop() {
                room.send(Ok(message));
            }
        }
    }

    pub(super) fn tell_status(&mut self, handle: u64, status: Status) {
        self.outbox.push(ToBeacon::Status(proto::PeerStatusUpdate { peer: handle, status: Some(status.into()) }));
    }
}

/// A text for people, in the form that the contract requires.
pub(super) fn reason(text: &str) -> String {
    text::ascii(text, 256)
}
