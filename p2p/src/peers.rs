//! The peers that are connected, and what is known of each.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use libp2p::{Multiaddr, PeerId};

use crate::{
    contract::{Outcome, proto::PeerConnected},
    rate::Bucket,
    traffic::Meter,
    wire::{frame::LengthOf, status::Status},
};

/// A peer says who it is within; after that the beacon is told of it in any case.
const IDENTIFY_PATIENCE: Duration = Duration::from_secs(2);
/// Requests for blocks: at once, and a second in the long run.
const BLOCK_REQUESTS: (f64, f64) = (16.0, 4.0);
/// Requests for Status.
const STATUS_REQUESTS: (f64, f64) = (8.0, 1.0);

/// What a peer says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Name and version, as printable ASCII.
    pub agent: String,
    /// It answers requests by range.
    pub serves_range: bool,
}

/// Verdicts on a peer's items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// ACCEPT
    pub accepted: u64,
    /// IGNORE
    pub ignored: u64,
    /// REJECT
    pub rejected: u64,
}

impl Verdicts {
    /// Counts one.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accept => self.accepted += 1,
            Outcome::Reject => self.rejected += 1,
            Outcome::Ignore | Outcome::Unspecified => self.ignored += 1,
        }
    }
}

/// When a peer's status is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusTurn {
    /// Then.
    Due(Instant),
    /// It was asked; in the other form, too.
    Asked {
        /// In the other form.
        retried: bool,
    },
}

/// A peer.
pub struct Peer {
    /// Its identity.
    pub id: PeerId,
    /// The beacon's name for it; none: the beacon was not told of it.
    pub handle: Option<u64>,
    /// Where it is.
    pub address: Multiaddr,
    /// Dialled by this engine.
    pub outbound: bool,
    /// Since when it is connected.
    pub since: Instant,
    /// None: it has not said.
    pub identity: Option<Identity>,
    /// None: it has not told.
    pub status: Option<Status>,
    /// When it is asked for its status.
    pub status_turn: StatusTurn,
    /// What the lengths of its frames count, once it has sent one.
    pub length_of: Option<LengthOf>,
    /// It takes roots as a bare list, although its lengths count compressed bytes.
    pub bare_roots: bool,
    /// Its bytes.
    pub meter: Arc<Meter>,
    /// On its items.
    pub verdicts: Verdicts,
    /// What it may ask for.
    pub block_requests: Bucket,
    /// See `block_requests`.
    pub status_requests: Bucket,
    /// Gossip for it is dropped since then, while it had been sent so many bytes.
    pub stalled: Option<(Instant, u64)>,
    /// Why this engine ends the connection.
    pub end: Option<String>,
}

impl Peer {
    /// One that has just connected.
    pub fn new(id: PeerId, address: Multiaddr, outbound: bool, meter: Arc<Meter>, now: Instant) -> Self {
        // The dialler has to send its status; the other side asks when it does not.
        let first = if outbound { now } else { now + Duration::from_secs(1) };
        let bucket = |(burst, rate)| Bucket::new(burst, rate, now);
        Self {
            id,
            handle: None,
            address,
            outbound,
            since: now,
            identity: None,
            status: None,
            status_turn: StatusTurn::Due(first),
            length_of: None,
            bare_roots: false,
            meter,
            verdicts: Verdicts::default(),
            block_requests: bucket(BLOCK_REQUESTS),
            status_requests: bucket(STATUS_REQUESTS),
            stalled: None,
            end: None,
        }
    }

    /// Whether the beacon can be told of it.
    fn is_known(&self, now: Instant) -> bool {
        let identified = self.identity.is_some() || now.duration_since(self.since) >= IDENTIFY_PATIENCE;
        self.status.is_some() && identified && self.end.is_none()
    }
}

/// All peers.
#[derive(Default)]
pub struct Peers {
    peers: HashMap<PeerId, Peer>,
    handles: HashMap<u64, PeerId>,
    last_handle: u64,
}

impl Peers {
    /// It is connected.
    pub fn add(&mut self, peer: Peer) {
        self.peers.insert(peer.id, peer);
    }

    /// It is no longer connected.
    pub fn remove(&mut self, id: &PeerId) -> Option<Peer> {
        let peer = self.peers.remove(id)?;
        if let Some(handle) = peer.handle {
            self.handles.remove(&handle);
        }
        Some(peer)
    }

    /// By its identity.
    pub fn get(&self, id: &PeerId) -> Option<&Peer> {
        self.peers.get(id)
    }

    /// By its identity.
    pub fn get_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(id)
    }

    /// By the beacon's name for it.
    pub fn by_handle(&self, handle: u64) -> Option<&Peer> {
        self.handles.get(&handle).and_then(|id| self.peers.get(id))
    }

    /// All, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// All, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.peers.values_mut()
    }

    /// Names a peer for the beacon, if enough is known of it and it has no name yet.
    pub fn introduce(&mut self, id: &PeerId, now: Instant) -> Option<PeerConnected> {
        let peer = self.peers.get_mut(id).filter(|peer| peer.handle.is_none() && peer.is_known(now))?;
        self.last_handle += 1;
        peer.handle = Some(self.last_handle);
        self.handles.insert(self.last_handle, *id);
        let identity = peer.identity.clone().unwrap_or_default();
        Some(PeerConnected {
            peer: self.last_handle,
            peer_id: id.to_string(),
            agent: identity.agent,
            address: peer.address.to_string(),
            outbound: peer.outbound,
            serves_range: identity.serves_range,
            status: peer.status.map(Into::into),
        })
    }

    /// The beacon that knew them is gone.
    pub fn forget_handles(&mut self) {
        self.handles.clear();
        self.peers.values_mut().for_each(|peer| peer.handle = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Meters;

    fn one(peers: &mut Peers, now: Instant) -> PeerId {
        let id = PeerId::random();
        let address = "/ip4/127.0.0.1/udp/1/quic-v1".parse().unwrap();
        peers.add(Peer::new(id, address, true, Meters::default().of(id), now));
        id
    }

    #[test]
    fn the_beacon_is_told_when_enough_is_known() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let id = one(&mut peers, now);
        assert!(peers.introduce(&id, now + Duration::from_secs(60)).is_none(), "without a status");
        peers.get_mut(&id).unwrap().status = Some(Status::default());
        assert!(peers.introduce(&id, now + Duration::from_secs(1)).is_none(), "it may still say who it is");
        assert_eq!(peers.introduce(&id, now + IDENTIFY_PATIENCE).unwrap().agent, "");
        assert!(peers.introduce(&id, now + IDENTIFY_PATIENCE).is_none(), "once is enough");
    }

    #[test]
    fn handles_are_never_used_twice() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let id = one(&mut peers, now);
        let peer = peers.get_mut(&id).unwrap();
        peer.status = Some(Status::default());
        peer.identity = Some(Identity { agent: "a".into(), serves_range: true });
        let first = peers.introduce(&id, now).unwrap();
        assert!(first.serves_range && peers.by_handle(first.peer).is_some());
        peers.forget_handles();
        assert!(peers.by_handle(first.peer).is_none());
        let second = peers.introduce(&id, now).unwrap();
        assert!(second.peer > first.peer);
        peers.remove(&id);
        assert!(peers.by_handle(second.peer).is_none());
    }
}
