//! Gossip: items arrive, wait for the beacon's verdict and are forwarded. The beacon's own items are published.

use std::time::Instant;

use libp2p::{
    PeerId,
    gossipsub::{self, MessageAcceptance, MessageId, PublishError},
};

use super::Engine;
use crate::{
    contract::{
        Outcome,
        proto::{GossipItem, gossip_item},
    },
    gossip::Kind,
    log::{Field, Part},
    undecided::{Admission, Item},
};

/// The largest blocks that other clients accept, as far as known.
const TAKEN_BY_OTHERS: [(&str, usize); 2] = [("zeam", 4 << 20), ("ream", 10 << 20)];

impl Engine {
    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                if let Some(verdict) = self.take_in(propagation_source, &message_id, message) {
                    self.report_verdict(&message_id, &propagation_source, verdict);
                }
            }
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                let unsent = failed_messages.non_priority + failed_messages.priority;
                self.totals.unsent += unsent as u64;
                self.log
                    .of(Part::Gossip)
                    .warn_limited("peer_slow", &[("peer", &peer_id), ("messages_unsent", &unsent)]);
                if let Some(peer) = self.peers.get_mut(&peer_id) {
                    let sent = peer.meter.bytes_out();
                    // A peer that still reads is slow, not stalled.
                    if peer.stalled.is_none_or(|(_, before)| before != sent) {
                        peer.stalled = Some((Instant::now(), sent));
                    }
                }
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                self.end_peer(&peer_id, "it does not speak gossipsub");
            }
            gossipsub::Event::Subscribed { .. } | gossipsub::Event::Unsubscribed { .. } => {}
        }
    }

    /// Hands an item to the beacon. Returns a verdict if the beacon does not get the item.
    fn take_in(&mut self, source: PeerId, id: &MessageId, message: gossipsub::Message) -> Option<MessageAcceptance> {
        let (Some(kind), Some(handle)) =
            (self.topics.kind(&message.topic), self.peers.get(&source).and_then(|peer| peer.handle))
        else {
            return Some(MessageAcceptance::Ignore);
        };
        let bytes = message.data.len();
        let item = match kind {
            Kind::Block => self.form.block_from_wire(message.data).map(gossip_item::Item::Block),
            Kind::Vote => self.form.vote_from_wire(message.data).map(gossip_item::Item::Vote),
        };
        let Some(item) = item else {
            self.totals.unconverted += 1;
            self.log.of(Part::Gossip).warn_limited("item_malformed", &[("peer", &source), ("bytes", &bytes)]);
            return Some(MessageAcceptance::Reject);
        };
        let admission = if self.outbox.has_room(&self.bounds) {
            self.undecided.admit(id.clone(), source, kind, bytes, Instant::now())
        } else {
            Admission::default()
        };
        for item in &admission.displaced {
            self.count_dropped(&item.peer);
            self.judge(item, MessageAcceptance::Ignore);
        }
        let Some(name) = admission.id else {
            self.count_dropped(&source);
            return Some(MessageAcceptance::Ignore);
        };
        let fields: [Field; 3] = [("id", &name), ("peer", &source), ("bytes", &bytes)];
        self.log.of(Part::Gossip).debug("item_received", &fields);
        self.outbox.push_item(GossipItem { id: name, peer: handle, item: Some(item) });
        if self.outbox.is_worth_sending() {
            self.send_at_once();
        }
        None
    }

    fn count_dropped(&mut self, source: &PeerId) {
        self.totals.dropped += 1;
        self.log
            .of(Part::Gossip)
            .warn_limited("item_dropped", &[("peer", source), ("undecided", &self.undecided.len())]);
    }

    pub(super) fn on_verdicts(&mut self, verdicts: &[(u64, Outcome)]) {
        for (id, outcome) in verdicts {
            // An unknown id belongs to an item that has expired.
            let Some(item) = self.undecided.decide(*id) else { continue };
            let fields: [Field; 3] = [("id", id), ("peer", &item.peer), ("verdict", &outcome.as_str_name())];
            self.log.of(Part::Gossip).debug("item_judged", &fields);
            if let Some(peer) = self.peers.get_mut(&item.peer) {
                peer.verdicts.count(*outcome);
            }
            let verdict = match outcome {
                Outcome::Accept => MessageAcceptance::Accept,
                Outcome::Reject => MessageAcceptance::Reject,
                Outcome::Ignore | Outcome::Unspecified => MessageAcceptance::Ignore,
            };
            self.judge(&item, verdict);
        }
    }

    pub(super) fn judge(&mut self, item: &Item, verdict: MessageAcceptance) {
        self.report_verdict(&item.message, &item.peer, verdict);
    }

    fn report_verdict(&mut self, id: &MessageId, peer: &PeerId, verdict: MessageAcceptance) {
        self.swarm.behaviour_mut().gossip.report_message_validation_result(id, peer, verdict);
    }

    /// Ignores items whose verdict did not arrive in time.
    pub(super) fn expire_items(&mut self, now: Instant) {
        let expired = self.undecided.expired(now);
        if expired.is_empty() {
            return;
        }
        self.totals.expired += expired.len() as u64;
        self.log.of(Part::Gossip).warn_limited("items_expired", &[("items", &expired.len())]);
        for item in expired {
            self.judge(&item, MessageAcceptance::Ignore);
        }
    }

    pub(super) fn publish_all(&mut self, blocks: Vec<Vec<u8>>, votes: Vec<Vec<u8>>) {
        for block in blocks {
            self.warn_of_size(block.len());
            self.publish(Kind::Block, self.form.block_to_wire(block));
        }
        for vote in votes {
            self.publish(Kind::Vote, self.form.vote_to_wire(vote));
        }
    }

    fn publish(&mut self, kind: Kind, item: Option<Vec<u8>>) {
        let Some(item) = item else {
            return self.count_unpublished("the network's form cannot express its signature");
        };
        let topic = self.topics.of(kind).hash();
        match self.swarm.behaviour_mut().gossip.publish(topic, item) {
            // A duplicate is published already.
            Ok(_) | Err(PublishError::Duplicate) => self.totals.published += 1,
            Err(error) => self.count_unpublished(&error.to_string()),
        }
    }

    fn count_unpublished(&mut self, reason: &str) {
        self.totals.unpublished += 1;
        self.log.of(Part::Gossip).warn_limited("item_unpublished", &[("reason", &reason)]);
    }

    fn warn_of_size(&self, bytes: usize) {
        let refuses = |agent: &str| TAKEN_BY_OTHERS.iter().any(|(name, most)| agent.starts_with(name) && bytes > *most);
        let agents = self.peers.iter().filter_map(|peer| peer.identity.as_ref()).map(|identity| &identity.agent);
        if let Some(agent) = agents.into_iter().find(|agent| refuses(agent)) {
            self.log.of(Part::Gossip).warn_limited("block_too_large_for_peer", &[("bytes", &bytes), ("agent", agent)]);
        }
    }
}
