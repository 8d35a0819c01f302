//! The queue of messages for the beacon. Consecutive items of gossip share a message.

use std::collections::VecDeque;

use crate::{
    budget::{BATCH_BYTES, Bounds, LINK_BYTES, UNDECIDED_BLOCK_BYTES, UNDECIDED_BLOCKS},
    contract::{
        ToBeacon,
        proto::{EngineToBeacon, GossipItem, GossipItems, gossip_item::Item},
    },
    metrics::Footprint,
    signature_form::VOTE,
};

/// The memory for a message without its blocks.
const OVERHEAD: usize = 512;
/// A batch of this size is sent without waiting for further items.
const WORTH_SENDING: usize = BATCH_BYTES / 4;

struct Entry {
    message: ToBeacon,
    items: usize,
    bytes: usize,
}

/// The queue.
#[derive(Default)]
pub struct Outbox {
    queue: VecDeque<Entry>,
    items: usize,
    item_bytes: usize,
    other_bytes: usize,
}

impl Outbox {
    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether there are enough items to send them without waiting for more.
    pub fn is_worth_sending(&self) -> bool {
        self.item_bytes >= WORTH_SENDING
    }

    /// Whether the beacon leaves so much unread that its stream must be closed.
    pub fn is_overdue(&self) -> bool {
        self.other_bytes > LINK_BYTES
    }

    /// Whether there is room for an item. The bound is a registry's worth of items, for a beacon that reads slowly.
    pub fn has_room(&self, bounds: &Bounds) -> bool {
        self.items < bounds.votes + UNDECIDED_BLOCKS && self.item_bytes < bounds.votes * VOTE + UNDECIDED_BLOCK_BYTES
    }

    /// Items of gossip and other messages, and their bytes.
    pub fn footprint(&self) -> Footprint {
        let others = self.queue.iter().filter(|entry| entry.items == 0).count();
        Footprint { items: self.items + others, bytes: self.item_bytes + self.other_bytes }
    }

    /// Adds a message other than items.
    pub fn push(&mut self, message: ToBeacon) {
        let bytes = OVERHEAD
            + match &message {
                ToBeacon::Answer(answer) => answer.blocks.iter().map(Vec::len).sum(),
                ToBeacon::Report(report) => 256 * (report.peers.len() + report.targets.len()),
                ToBeacon::Request(_) => 64 * 1024,
                _ => 0,
            };
        self.other_bytes += bytes;
        self.queue.push_back(Entry { message, items: 0, bytes });
    }

    /// Adds an item of gossip.
    pub fn push_item(&mut self, item: GossipItem) {
        let bytes = match &item.item {
            Some(Item::Block(ssz) | Item::Vote(ssz)) => ssz.len() + 32,
            None => 0,
        };
        self.items += 1;
        self.item_bytes += bytes;
        match self.queue.back_mut() {
            Some(Entry { message: ToBeacon::Items(batch), items, bytes: sum }) if *sum + bytes <= BATCH_BYTES => {
                batch.items.push(item);
                *items += 1;
                *sum += bytes;
            }
            _ => {
                let message = ToBeacon::Items(GossipItems { items: vec![item] });
                self.queue.push_back(Entry { message, items: 1, bytes });
            }
        }
    }

    /// Removes the oldest message.
    pub fn pop(&mut self) -> Option<EngineToBeacon> {
        let entry = self.queue.pop_front()?;
        if entry.items > 0 {
            self.items -= entry.items;
            self.item_bytes -= entry.bytes;
        } else {
            self.other_bytes -= entry.bytes;
        }
        Some(EngineToBeacon { content: Some(entry.message) })
    }

    /// Removes all messages.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::proto::PeerDisconnected;

    fn vote(id: u64) -> GossipItem {
        GossipItem { id, peer: 1, item: Some(Item::Vote(vec![0; VOTE])) }
    }

    fn ids(outbox: &mut Outbox) -> Vec<Vec<u64>> {
        std::iter::from_fn(|| outbox.pop())
            .map(|message| match message.content {
                Some(ToBeacon::Items(items)) => items.items.iter().map(|item| item.id).collect(),
                _ => vec![],
            })
            .collect()
    }

    #[test]
    fn items_share_messages_and_keep_their_order() {
        let mut outbox = Outbox::default();
        outbox.push_item(vote(1));
        outbox.push_item(vote(2));
        outbox.push(ToBeacon::Disconnected(PeerDisconnected::default()));
        outbox.push_item(vote(3));
        assert_eq!(outbox.footprint().items, 4);
        assert!(outbox.footprint().bytes > 3 * VOTE);
        assert_eq!(ids(&mut outbox), [vec![1, 2], vec![], vec![3]]);
        assert!(outbox.is_empty() && outbox.items == 0 && outbox.item_bytes == 0 && outbox.other_bytes == 0);
    }

    #[test]
    fn a_message_of_items_is_bounded() {
        let mut outbox = Outbox::default();
        (0..4096).for_each(|id| outbox.push_item(vote(id)));
        assert!(outbox.is_worth_sending());
        outbox.push_item(GossipItem { id: 5000, peer: 1, item: Some(Item::Block(vec![0; 13 << 20])) });
        let messages = ids(&mut outbox);
        assert_eq!(messages.len(), 5);
        assert_eq!(messages.concat().len(), 4097);
    }

    #[test]
    fn a_beacon_that_does_not_read_is_noticed() {
        let bounds = Bounds::of(4, Duration::from_secs(4));
        let mut outbox = Outbox::default();
        while outbox.has_room(&bounds) {
            outbox.push_item(vote(1));
        }
        assert_eq!(outbox.items, bounds.votes + UNDECIDED_BLOCKS);
        assert!(!outbox.is_overdue());
        for _ in 0..LINK_BYTES / OVERHEAD + 1 {
            outbox.push(ToBeacon::Disconnected(PeerDisconnected::default()));
        }
        assert!(outbox.is_overdue());
    }
}
