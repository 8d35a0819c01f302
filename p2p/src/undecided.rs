//! Items of gossip that wait for the beacon's verdict.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use libp2p::{PeerId, gossipsub::MessageId};

use crate::{
    budget::{
        Bounds, UNDECIDED_BLOCK_BYTES, UNDECIDED_BLOCK_BYTES_PER_PEER, UNDECIDED_BLOCKS, UNDECIDED_BLOCKS_PER_PEER,
    },
    gossip::Kind,
    metrics::Footprint,
};

/// An item without a verdict after this time is ignored: gossipsub keeps messages for 4.2 s.
pub const DEADLINE: Duration = Duration::from_secs(4);
/// A peer has this part of the room for itself, whatever other peers have sent.
const SHARES: usize = 64;

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The identifier in gossipsub.
    pub message: MessageId,
    /// The peer that sent it.
    pub peer: PeerId,
    kind: Kind,
    bytes: usize,
    since: Instant,
}

/// What became of an item.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// The id of the item for the beacon. None: the item was not taken.
    pub id: Option<u64>,
    /// Items that wait no longer, because the new one takes their place.
    pub displaced: Vec<Item>,
}

/// The most items of one kind that wait, and their most bytes.
#[derive(Clone, Copy)]
struct Most {
    items: usize,
    bytes: usize,
}

/// Items of one kind that wait.
#[derive(Default)]
struct Load {
    ids: BTreeSet<u64>,
    bytes: usize,
}

impl Load {
    fn add(&mut self, id: u64, bytes: usize) {
        self.ids.insert(id);
        self.bytes += bytes;
    }

    fn remove(&mut self, id: u64, bytes: usize) {
        self.ids.remove(&id);
        self.bytes -= bytes;
    }

    fn has_room(&self, bytes: usize, most: Most) -> bool {
        self.has_place(most) && self.bytes + bytes <= most.bytes
    }

    fn has_place(&self, most: Most) -> bool {
        self.ids.len() < most.items
    }
}

/// The items of one kind, in all and by peer.
#[derive(Default)]
struct Loads {
    all: Load,
    by_peer: HashMap<PeerId, Load>,
}

impl Loads {
    fn items_of(&self, peer: &PeerId) -> usize {
        self.by_peer.get(peer).map_or(0, |load| load.ids.len())
    }

    fn add(&mut self, id: u64, peer: PeerId, bytes: usize) {
        self.all.add(id, bytes);
        self.by_peer.entry(peer).or_default().add(id, bytes);
    }

    fn remove(&mut self, id: u64, peer: &PeerId, bytes: usize) {
        self.all.remove(id, bytes);
        if let Some(load) = self.by_peer.get_mut(peer) {
            load.remove(id, bytes);
            if load.ids.is_empty() {
                self.by_peer.remove(peer);
            }
        }
    }

    /// The newest item of the peer that has most of what is short, if a peer with less than its share needs the room.
    fn to_displace(&self, peer: &PeerId, most: Most) -> Option<u64> {
        let own = self.items_of(peer);
        if own >= (most.items / SHARES).max(1) {
            return None;
        }
        let places_are_short = !self.all.has_place(most);
        let weight = |load: &Load| if places_are_short { load.ids.len() } else { load.bytes };
        let (_, heaviest) =
            self.by_peer.iter().filter(|(other, _)| *other != peer).max_by_key(|(_, load)| weight(load))?;
        heaviest.ids.last().copied().filter(|_| heaviest.ids.len() > own)
    }
}

/// All items that wait, in the order in which they arrived.
#[derive(Default)]
pub struct Undecided {
    bounds: Bounds,
    last_id: u64,
    items: BTreeMap<u64, Item>,
    votes: Loads,
    blocks: Loads,
}

impl Undecided {
    /// Sets what the beacon's registry allows.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// The number of items that wait.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The items that wait, and their bytes.
    pub fn footprint(&self) -> Footprint {
        Footprint { items: self.items.len(), bytes: self.items.values().map(|item| item.bytes).sum() }
    }

    /// Takes an item in, if there is room for it. A peer cannot keep out what other peers send: an item of a peer that has
    /// less than its share waiting takes the place of the newest item of the peer that has most.
    pub fn admit(&mut self, message: MessageId, peer: PeerId, kind: Kind, bytes: usize, now: Instant) -> Admission {
        let mut admission = Admission::default();
        let (most, most_of_peer) = self.most(kind);
        if self.loads(kind).by_peer.get(&peer).is_some_and(|load| !load.has_room(bytes, most_of_peer)) {
            return admission;
        }
        while !self.loads(kind).all.has_room(bytes, most) {
            let Some(id) = self.loads(kind).to_displace(&peer, most) else { return admission };
            admission.displaced.extend(self.decide(id));
        }
        self.last_id += 1;
        let id = self.last_id;
        self.loads(kind).add(id, peer, bytes);
        self.items.insert(id, Item { message, peer, kind, bytes, since: now });
        admission.id = Some(id);
        admission
    }

    /// Removes the item with this id.
    pub fn decide(&mut self, id: u64) -> Option<Item> {
        let item = self.items.remove(&id)?;
        self.loads(item.kind).remove(id, &item.peer, item.bytes);
        Some(item)
    }

    /// Removes the items whose time is over.
    pub fn expired(&mut self, now: Instant) -> Vec<Item> {
        self.take_while(|item| now.duration_since(item.since) >= DEADLINE)
    }

    /// Removes all items: nobody will decide them.
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

    fn loads(&mut self, kind: Kind) -> &mut Loads {
        match kind {
            Kind::Vote => &mut self.votes,
            Kind::Block => &mut self.blocks,
        }
    }

    /// The bounds for all peers and for one. All votes have the same size, so that their number bounds their bytes.
    fn most(&self, kind: Kind) -> (Most, Most) {
        match kind {
            Kind::Vote => (
                Most { items: self.bounds.votes, bytes: usize::MAX },
                Most { items: self.bounds.votes_per_peer, bytes: usize::MAX },
            ),
            Kind::Block => (
                Most { items: UNDECIDED_BLOCKS, bytes: UNDECIDED_BLOCK_BYTES },
                Most { items: UNDECIDED_BLOCKS_PER_PEER, bytes: UNDECIDED_BLOCK_BYTES_PER_PEER },
            ),
        }
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
            |peer| (0..1000).filter(|i| undecided.admit(message(*i), peer, Kind::Vote, 3252, now).id.is_some()).count();
        assert_eq!(bring(PeerId::random()), 768);
        assert_eq!(bring(PeerId::random()), 256);
        assert_eq!(undecided.len(), 1024);
        assert_eq!(undecided.footprint().bytes, 1024 * 3252);
    }

    #[test]
    fn blocks_are_bounded_by_number_and_bytes() {
        let (mut undecided, now, peer) = (with_bounds(4), Instant::now(), PeerId::random());
        let small =
            (0..100).filter(|i| undecided.admit(message(*i), peer, Kind::Block, 1000, now).id.is_some()).count();
        assert_eq!(small, UNDECIDED_BLOCKS_PER_PEER);
        assert_eq!(undecided.clear().len(), small);
        let large =
            (0..100).filter(|i| undecided.admit(message(*i), peer, Kind::Block, 13_300_000, now).id.is_some()).count();
        assert_eq!(large, 5);
        assert!(undecided.admit(message(0), PeerId::random(), Kind::Block, 13_300_000, now).id.is_some());
    }

    #[test]
    fn no_peers_keep_the_votes_of_another_out() {
        let (mut undecided, now) = (with_bounds(4), Instant::now());
        let (first, second, late) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut bring = |peer, i| undecided.admit(message(i), peer, Kind::Vote, 3252, now);
        (0..768).for_each(|i| assert!(bring(first, i).id.is_some()));
        (768..1024).for_each(|i| assert!(bring(second, i).id.is_some()));
        for i in 0..16 {
            let admission = bring(late, 2000 + i);
            let displaced: Vec<_> = admission.displaced.iter().map(|item| (item.peer, item.message.clone())).collect();
            assert_eq!((admission.id.is_some(), displaced), (true, vec![(first, message(767 - i))]));
        }
        // Its share is full.
        assert_eq!(bring(late, 3000), Admission::default());
        assert_eq!(undecided.len(), 1024);
        assert_eq!(undecided.votes.items_of(&late), 16);
    }

    #[test]
    fn no_peers_keep_the_block_of_another_out() {
        for size in [1000, 13_300_000] {
            let (mut undecided, now, peers) = (with_bounds(4), Instant::now(), [(); 8].map(|()| PeerId::random()));
            let mut bring = |peer, i, bytes| undecided.admit(message(i), peer, Kind::Block, bytes, now);
            (0..1000).for_each(|i| drop(bring(peers[i % 8], i, size)));
            let admission = bring(PeerId::random(), 1000, 16_000_000);
            assert!(admission.id.is_some() && (1..3).contains(&admission.displaced.len()), "{size}: {admission:?}");
            let blocks = &undecided.blocks.all;
            assert!(blocks.bytes <= UNDECIDED_BLOCK_BYTES && blocks.ids.len() <= UNDECIDED_BLOCKS);
        }
    }

    #[test]
    fn a_verdict_comes_once_and_makes_room() {
        let (mut undecided, now, peer) = (with_bounds(1), Instant::now(), PeerId::random());
        let bring = |undecided: &mut Undecided| undecided.admit(message(1), peer, Kind::Vote, 3252, now).id;
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
        assert!(undecided.votes.by_peer.is_empty() && undecided.votes.all.ids.is_empty());
    }
}
