//! Items of gossip that wait for the beacon's verdict.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use libp2p::{PeerId, gossipsub::MessageId};

use crate::{
    budget::{
        Bounds, UNDECIDED_BLOCK_BYTES, UNDECIDED_BLOCK_BYTES_PER_PEER, UNDECIDED_BLOCKS, UNDECIDED_BLOCKS_PER_PEER,
    },
    gossip::Kind,
};

/// After that an item counts as ignored: gossipsub keeps messages for 4.2 s.
pub const DEADLINE: Duration = Duration::from_secs(4);

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// gossipsub's identifier.
    pub message: MessageId,
    /// Who sent it.
    pub peer: PeerId,
    kind: Kind,
    bytes: usize,
    since: Instant,
}

#[derive(Clone, Copy, Default)]
struct Load {
    votes: usize,
    blocks: usize,
    block_bytes: usize,
}

impl Load {
    fn add(&mut self, kind: Kind, bytes: usize) {
        match kind {
            Kind::Vote => self.votes += 1,
            Kind::Block => {
                self.blocks += 1;
                self.block_bytes += bytes;
            }
        }
    }

    fn remove(&mut self, item: &Item) {
        match item.kind {
            Kind::Vote => self.votes -= 1,
            Kind::Block => {
                self.blocks -= 1;
                self.block_bytes -= item.bytes;
            }
        }
    }
}

/// All of them, in the order in which they came.
#[derive(Default)]
pub struct Undecided {
    bounds: Bounds,
    last_id: u64,
    items: BTreeMap<u64, Item>,
    all: Load,
    by_peer: HashMap<PeerId, Load>,
}

impl Undecided {
    /// What the beacon's registry allows.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes an item in, and names it for the beacon. None: too many wait already.
    pub fn admit(&mut self, message: MessageId, peer: PeerId, kind: Kind, bytes: usize, now: Instant) -> Option<u64> {
        let of_peer = self.by_peer.get(&peer).copied().unwrap_or_default();
        let fits = match kind {
            Kind::Vote => self.all.votes < self.bounds.votes && of_peer.votes < self.bounds.votes_per_peer,
            Kind::Block => {
                self.all.blocks < UNDECIDED_BLOCKS
                    && of_peer.blocks < UNDECIDED_BLOCKS_PER_PEER
                    && self.all.block_bytes + bytes <= UNDECIDED_BLOCK_BYTES
                    && of_peer.block_bytes + bytes <= UNDECIDED_BLOCK_BYTES_PER_PEER
            }
        };
        if !fits {
            return None;
        }
        self.all.add(kind, bytes);
        self.by_peer.entry(peer).or_default().add(kind, bytes);
        self.last_id += 1;
        self.items.insert(self.last_id, Item { message, peer, kind, bytes, since: now });
        Some(self.last_id)
    }

    /// The item of this name, which waits no longer.
    pub fn decide(&mut self, id: u64) -> Option<Item> {
        let item = self.items.remove(&id)?;
        self.all.remove(&item);
        if let Some(load) = self.by_peer.get_mut(&item.peer) {
            load.remove(&item);
            if load.votes == 0 && load.blocks == 0 {
                self.by_peer.remove(&item.peer);
            }
        }
        Some(item)
    }

    /// Items whose time is over, and which wait no longer.
    pub fn expired(&mut self, now: Instant) -> Vec<Item> {
        self.take_while(|item| now.duration_since(item.since) >= DEADLINE)
    }

    /// All items: nobody will decide them.
    pub fn clear(&mut self) -> Vec<Item> {
        self.take_while(|_| true)
    }

    fn take_while(&mut self, over: impl Fn(&Item) -> bool) -> Vec<Item> {
        let mut taken = vec![];
        while let Some((&id, _)) = self.items.first_key_value().filter(|(_, item)| over(item)) {
            taken.extend(self.decide(id));
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(i: usize) -> MessageId {
        MessageId::new(&i.to_le_bytes())
    }

    fn with_bounds(validators: u64) -> Undecided {
        let mut undecided = Undecided::default();
        undecided.set_bounds(Bounds::of(validators, Duration::from_secs(4)));
        undecided
    }

    #[test]
    fn votes_are_bounded_in_all_and_by_peer() {
        let (mut undecided, now) = (with_bounds(100), Instant::now());
        let mut bring =
            |peer| (0..1000).filter(|i| undecided.admit(message(*i), peer, Kind::Vote, 3252, now).is_some()).count();
        assert_eq!(bring(PeerId::random()), 768);
        assert_eq!(bring(PeerId::random()), 256);
        assert_eq!(undecided.len(), 1024);
    }

    #[test]
    fn blocks_are_bounded_by_number_and_bytes() {
        let (mut undecided, now, peer) = (with_bounds(4), Instant::now(), PeerId::random());
        let small = (0..100).filter(|i| undecided.admit(message(*i), peer, Kind::Block, 1000, now).is_some()).count();
        assert_eq!(small, UNDECIDED_BLOCKS_PER_PEER);
        assert_eq!(undecided.clear().len(), small);
        let large =
            (0..100).filter(|i| undecided.admit(message(*i), peer, Kind::Block, 13_300_000, now).is_some()).count();
        assert_eq!(large, 5);
        assert!(undecided.admit(message(0), PeerId::random(), Kind::Block, 13_300_000, now).is_some());
    }

    #[test]
    fn a_verdict_comes_once_and_makes_room() {
        let (mut undecided, now, peer) = (with_bounds(1), Instant::now(), PeerId::random());
        let bring = |undecided: &mut Undecided| undecided.admit(message(1), peer, Kind::Vote, 3252, now);
        let first = bring(&mut undecided).unwrap();
        while bring(&mut undecided).is_some() {}
        assert_eq!(undecided.decide(first).unwrap().message, message(1));
        assert!(undecided.decide(first).is_none());
        assert!(bring(&mut undecided).is_some_and(|id| id > first));
        assert!(bring(&mut undecided).is_none());
    }

    #[test]
    fn items_expire() {
        let (mut undecided, now, peer) = (with_bounds(4), Instant::now(), PeerId::random());
        undecided.admit(message(1), peer, Kind::Vote, 3252, now);
        undecided.admit(message(2), peer, Kind::Vote, 3252, now + Duration::from_secs(1));
        assert!(undecided.expired(now + Duration::from_millis(3999)).is_empty());
        assert_eq!(undecided.expired(now + DEADLINE).len(), 1);
        assert_eq!(undecided.len(), 1);
        assert_eq!(undecided.clear().len(), 1);
        assert!(undecided.by_peer.is_empty());
    }
}
