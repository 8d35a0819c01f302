//! The connected peers and their state.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use libp2p::{Multiaddr, PeerId, request_response::ResponseChannel};

use crate::{
    contract::{Outcome, proto::PeerConnected},
    rate::Bucket,
    requests::Answer,
    traffic::Meter,
    wire::{frame::LengthOf, status::Status},
};

/// How long a peer may take to identify itself. After that it is introduced to the beacon without an identity.
const IDENTIFY_PATIENCE: Duration = Duration::from_secs(2);
/// The most requests for blocks: in a burst, and a second on average.
const BLOCK_REQUESTS: (f64, f64) = (16.0, 4.0);
/// The same for status requests.
const STATUS_REQUESTS: (f64, f64) = (8.0, 1.0);

/// The identity that a peer claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Name and version, as printable ASCII.
    pub agent: String,
    /// Whether it answers requests by range.
    pub serves_range: bool,
}

/// The numbers of verdicts on the items of a peer.
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
    /// Counts a verdict.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accept => self.accepted += 1,
            Outcome::Reject => self.rejected += 1,
            Outcome::Ignore | Outcome::Unspecified => self.ignored += 1,
        }
    }
}

/// The state of the status requests to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusTurn {
    /// The next request is due at this time.
    Due(Instant),
    /// A request is under way.
    Asked {
        /// Whether it was repeated in the other framing.
        retried: bool,
    },
}

/// A status request that is answered later.
pub struct WaitingRequest {
    /// Where the answer goes.
    pub channel: ResponseChannel<Answer>,
    /// The framing of the answer.
    pub length_of: LengthOf,
    /// When it arrived.
    pub since: Instant,
}

/// A peer.
pub struct Peer {
    /// Its identity.
    pub id: PeerId,
    /// The id that the beacon uses. None: the beacon does not know this peer.
    pub handle: Option<u64>,
    /// Its address.
    pub address: Multiaddr,
    /// Whether this engine dialled it.
    pub outbound: bool,
    /// The time when it connected.
    pub since: Instant,
    /// None: it has not identified itself.
    pub identity: Option<Identity>,
    /// None: it has not sent its status.
    pub status: Option<Status>,
    /// The state of the status requests to it.
    pub status_turn: StatusTurn,
    /// The framing that it uses, once it has sent a frame.
    pub length_of: Option<LengthOf>,
    /// Whether it expects roots as a bare list although its lengths count compressed bytes.
    pub bare_roots: bool,
    /// The number and the rate of its bytes.
    pub meter: Arc<Meter>,
    /// The verdicts on its items.
    pub verdicts: Verdicts,
    /// The rate of its requests for blocks.
    pub block_requests: Bucket,
    /// The rate of its status requests.
    pub status_requests: Bucket,
    /// Its last status request that waits for the first beacon.
    pub waiting: Option<WaitingRequest>,
    /// Since when gossip for it is dropped, and the bytes that were sent to it by then.
    pub stalled: Option<(Instant, u64)>,
    /// Why this engine disconnects it. None: it stays connected.
    pub end: Option<String>,
}

impl Peer {
    /// A peer that has just connected.
    pub fn new(id: PeerId, address: Multiaddr, outbound: bool, meter: Arc<Meter>, now: Instant) -> Self {
        // The dialler sends its status first. The other side sends a request later if it has not arrived.
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
            waiting: None,
            stalled: None,
            end: None,
        }
    }

    /// Whether enough is known to introduce the peer to the beacon.
    fn is_known(&self, now: Instant) -> bool {
        let identified = self.identity.is_some() || now.duration_since(self.since) >= IDENTIFY_PATIENCE;
        self.status.is_some() && identified && self.end.is_none()
    }
}

/// All connected peers.
#[derive(Default)]
pub struct Peers {
    peers: HashMap<PeerId, Peer>,
    handles: HashMap<u64, PeerId>,
    last_handle: u64,
}

impl Peers {
    /// Adds a peer.
    pub fn add(&mut self, peer: Peer) {
        self.peers.insert(peer.id, peer);
    }

    /// Removes a peer.
    pub fn remove(&mut self, id: &PeerId) -> Option<Peer> {
        let peer = self.peers.remove(id)?;
        if let Some(handle) = peer.handle {
            self.handles.remove(&handle);
        }
        Some(peer)
    }

    /// Finds a peer by its identity.
    pub fn get(&self, id: &PeerId) -> Option<&Peer> {
        self.peers.get(id)
    }

    /// Finds a peer by its identity.
    pub fn get_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(id)
    }

    /// Finds a peer by the handle that the beacon uses.
    pub fn by_handle(&self, handle: u64) -> Option<&Peer> {
        self.handles.get(&handle).and_then(|id| self.peers.get(id))
    }

    /// All peers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// All peers, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.peers.values_mut()
    }

    /// Gives a peer its handle for the beacon, if enough is known of it and it has no handle yet.
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

    /// Forgets the handles, because the beacon that knew them has detached.
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
