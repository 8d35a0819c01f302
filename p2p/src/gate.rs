//! Decides which connections are accepted: limits in total, by address and by network; limits on handshakes and on
//! rates; bans.

mod limits;
mod refusal;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};

pub use self::{limits::Limits, refusal::Refusal};
use crate::{
    bans::{Bans, host, prefix},
    enr::ip_of,
    rate::Bucket,
};

/// The most connections of one peer: both sides may dial at the same time.
const PER_PEER: usize = 2;
/// The longest time between two connections that both sides dialled at the same time.
const CROSSING: Duration = Duration::from_secs(2);
/// The most new connections of an address: in a burst, and a second on average.
const ARRIVALS: (f64, f64) = (16.0, 2.0);
/// The most addresses whose rate is kept.
const MAX_ARRIVALS: usize = 4096;

struct Standing {
    peer: PeerId,
    way: Multiaddr,
    inbound: bool,
    since: Instant,
}

/// The behaviour of the swarm that accepts and refuses connections.
pub struct Gate {
    limits: Limits,
    targets: HashSet<PeerId>,
    /// Banned peers and addresses.
    pub bans: Bans,
    /// Whether the engine is above its memory budget.
    pub short_of_memory: bool,
    handshakes: HashMap<ConnectionId, Option<IpAddr>>,
    standing: HashMap<ConnectionId, Standing>,
    arrivals: HashMap<IpAddr, Bucket>,
    /// Connections that will be closed.
    lost: Vec<(PeerId, ConnectionId)>,
    refused: u64,
}

impl Gate {
    /// There is always room for `targets`, however many strangers connect.
    pub fn new(limits: Limits, targets: HashSet<PeerId>) -> Self {
        Self {
            limits,
            targets,
            bans: Bans::default(),
            short_of_memory: false,
            handshakes: HashMap::new(),
            standing: HashMap::new(),
            arrivals: HashMap::new(),
            lost: vec![],
            refused: 0,
        }
    }

    /// The limits on connections.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The number of established connections.
    pub fn connections(&self) -> usize {
        self.standing.len()
    }

    /// The number of connections that were refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Checks a connection before its handshake.
    fn arrives(&mut self, address: Option<IpAddr>, now: Instant) -> Result<(), Refusal> {
        let Some(ip) = address else { return Err(Refusal::TooManyOfHost) };
        if self.bans.has_address(ip, now) {
            return Err(Refusal::Banned);
        }
        if self.short_of_memory {
            return Err(Refusal::ShortOfMemory);
        }
        let factor = if ip.is_loopback() { 4 } else { 1 };
        let of_host = self.handshakes.values().flatten().filter(|other| host(**other) == host(ip)).count();
        if self.handshakes.len() >= self.limits.handshakes || of_host >= factor * self.limits.handshakes_per_host {
            return Err(Refusal::TooManyHandshakes);
        }
        if self.arrivals.len() >= MAX_ARRIVALS {
            self.arrivals.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.arrivals.len() >= MAX_ARRIVALS {
            return Err(Refusal::TooOften);
        }
        let (burst, rate) = ARRIVALS;
        let factor = factor as f64;
        let bucket = self.arrivals.entry(host(ip)).or_insert_with(|| Bucket::new(burst * factor, rate * factor, now));
        if !bucket.take(1.0, now) {
            return Err(Refusal::TooOften);
        }
        self.has_room(ip)
    }

    /// Checks whether a stranger of this address may have one more connection.
    fn has_room(&self, ip: IpAddr) -> Result<(), Refusal> {
        let connected: HashSet<_> = self.standing.values().map(|standing| standing.peer).collect();
        let reserved = self.targets.iter().filter(|target| !connected.contains(*target)).count();
        if self.standing.len() + reserved.min(self.limits.connections / 2) >= self.limits.connections {
            return Err(Refusal::TooMany);
        }
        let addresses = || self.standing.values().filter_map(|standing| ip_of(&standing.way));
        let of_host = addresses().filter(|other| host(*other) == host(ip)).count();
        if ip.is_loopback() {
            return if of_host >= self.limits.per_loopback { Err(Refusal::TooManyOfHost) } else { Ok(()) };
        }
        if of_host >= self.limits.per_host {
            return Err(Refusal::TooManyOfHost);
        }
        let of_prefix = addresses().filter(|other| prefix(*other) == prefix(ip)).count();
        if of_prefix >= self.limits.per_prefix {
            return Err(Refusal::TooManyOfPrefix);
        }
        Ok(())
    }

    /// Checks a connection after its handshake, when the peer is known.
    fn enters(&mut self, peer: &PeerId, remote: &Multiaddr, inbound: bool, now: Instant) -> Result<(), Refusal> {
        if self.bans.peer(peer, now).is_some() {
            return Err(Refusal::Banned);
        }
        // A connected peer dials again only if both sides began at the same time, or if it dials over several
        // transports at once.
        let way = way_of(remote);
        let own = || self.standing.iter().filter(|(_, standing)| standing.peer == *peer);
        if inbound && own().any(|(_, old)| (old.inbound && old.way == way) || now.duration_since(old.since) >= CROSSING)
        {
            let lost: Vec<_> = own().map(|(id, _)| (*peer, *id)).collect();
            self.lost.extend(lost);
            return Err(Refusal::CameAgain);
        }
        if own().count() >= PER_PEER {
            return Err(Refusal::TooManyOfPeer);
        }
        if inbound && !self.targets.contains(peer) {
            self.has_room(ip_of(remote).ok_or(Refusal::TooManyOfHost)?)?;
        }
        Ok(())
    }

    fn checked(&mut self, result: Result<(), Refusal>) -> Result<(), ConnectionDenied> {
        result.map_err(|refusal| {
            self.refused += 1;
            ConnectionDenied::new(refusal)
        })
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let address = ip_of(remote);
        let result = self.arrives(address, Instant::now());
        self.checked(result)?;
        self.handshakes.insert(id, address);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handshakes.remove(&id);
        let result = self.enters(&peer, remote, true, Instant::now());
        self.checked(result)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let result = self.enters(&peer, address, false, Instant::now());
        self.checked(result)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(event) => {
                let standing = Standing {
                    peer: event.peer_id,
                    way: way_of(event.endpoint.get_remote_address()),
                    inbound: event.endpoint.is_listener(),
                    since: Instant::now(),
                };
                self.standing.insert(event.connection_id, standing);
            }
            FromSwarm::ConnectionClosed(event) => {
                self.standing.remove(&event.connection_id);
            }
            FromSwarm::ListenFailure(event) => {
                self.handshakes.remove(&event.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.lost.pop() {
            Some((peer_id, id)) => {
                Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(id) })
            }
            None => Poll::Pending,
        }
    }
}

/// Address and transport without the port, which differs between connections of the same peer.
fn way_of(remote: &Multiaddr) -> Multiaddr {
    let without_port = |part| match part {
        Protocol::Udp(_) => Protocol::Udp(0),
        Protocol::Tcp(_) => Protocol::Tcp(0),
        other => other,
    };
    remote.iter().filter(|part| !matches!(part, Protocol::P2p(_))).map(without_port).collect()
}

/// The longest ban.
pub const MAX_BAN: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(Limits::new(16, 4), HashSet::new())
    }

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    fn remote(ip: &str, port: u16) -> Multiaddr {
        format!("/ip4/{ip}/udp/{port}/quic-v1").parse().unwrap()
    }

    fn stand(gate: &mut Gate, id: usize, address: &str) {
        stand_of(gate, id, address, PeerId::random(), true);
    }

    fn stand_of(gate: &mut Gate, id: usize, address: &str, peer: PeerId, inbound: bool) {
        let standing = Standing { peer, way: way_of(&remote(address, 9)), inbound, since: Instant::now() };
        gate.standing.insert(ConnectionId::new_unchecked(id), standing);
    }

    #[test]
    fn addresses_and_networks_are_limited() {
        let (mut gate, now) = (gate(), Instant::now());
        for id in 0..4 {
            assert_eq!(gate.arrives(ip("192.0.2.1"), now), Ok(()));
            stand(&mut gate, id, "192.0.2.1");
        }
        assert_eq!(gate.arrives(ip("192.0.2.1"), now), Err(Refusal::TooManyOfHost));
        for id in 4..8 {
            stand(&mut gate, id, "192.0.2.2");
        }
        assert_eq!(gate.arrives(ip("192.0.2.3"), now), Err(Refusal::TooManyOfPrefix));
        assert_eq!(gate.arrives(ip("198.51.100.1"), now), Ok(()));
        for id in 8..16 {
            stand(&mut gate, id, "127.0.0.1");
        }
        assert_eq!(gate.arrives(ip("198.51.100.1"), now), Err(Refusal::TooMany));
    }

    #[test]
    fn this_machine_has_more() {
        let mut gate = Gate::new(Limits::new(64, 4), HashSet::new());
        for id in 0..16 {
            assert_eq!(gate.has_room("127.0.0.1".parse().unwrap()), Ok(()));
            stand(&mut gate, id, "127.0.0.1");
        }
        assert_eq!(gate.has_room("127.0.0.1".parse().unwrap()), Err(Refusal::TooManyOfHost));
    }

    #[test]
    fn room_for_targets_is_kept_and_they_enter_in_any_case() {
        let target = PeerId::random();
        let mut gate = Gate::new(Limits::new(2, 4), HashSet::from([target]));
        let now = Instant::now();
        stand(&mut gate, 0, "192.0.2.1");
        assert_eq!(gate.arrives(ip("198.51.100.1"), now), Err(Refusal::TooMany));
        assert_eq!(gate.enters(&PeerId::random(), &remote("198.51.100.1", 1), true, now), Err(Refusal::TooMany));
        assert_eq!(gate.enters(&target, &remote("198.51.100.1", 1), true, now), Ok(()));
    }

    #[test]
    fn both_sides_may_dial_at_once_and_who_comes_again_has_lost_what_stood() {
        let (mut gate, peer, again) = (gate(), PeerId::random(), remote("192.0.2.1", 10));
        stand_of(&mut gate, 0, "192.0.2.1", peer, false);
        stand(&mut gate, 1, "192.0.2.2");
        let now = Instant::now();
        assert_eq!(gate.enters(&peer, &again, true, now), Ok(()));
        assert_eq!(gate.enters(&peer, &again, true, now + CROSSING), Err(Refusal::CameAgain));
        assert_eq!(gate.lost, [(peer, ConnectionId::new_unchecked(0))]);
        // The peer did not lose a connection: it dials over several transports at once.
        gate.lost.clear();
        stand_of(&mut gate, 0, "192.0.2.1", peer, true);
        let over_tcp = "/ip4/192.0.2.1/tcp/10".parse().unwrap();
        assert_eq!(gate.enters(&peer, &over_tcp, true, now), Ok(()));
        assert_eq!(gate.enters(&peer, &again, true, now), Err(Refusal::CameAgain));
        stand_of(&mut gate, 2, "192.0.2.1", peer, true);
        assert_eq!(gate.enters(&peer, &over_tcp, true, now), Err(Refusal::TooManyOfPeer));
        assert_eq!(gate.lost.len(), 1);
    }

    #[test]
    fn handshakes_and_rates_are_limited() {
        let (mut gate, now) = (gate(), Instant::now());
        for id in 0..8 {
            gate.handshakes.insert(ConnectionId::new_unchecked(id), ip("192.0.2.1"));
        }
        assert_eq!(gate.arrives(ip("192.0.2.1"), now), Err(Refusal::TooManyHandshakes));
        assert_eq!(gate.arrives(ip("192.0.2.2"), now), Ok(()));
        let often = (0..100).filter(|_| gate.arrives(ip("198.51.100.1"), now).is_ok()).count();
        assert_eq!(often, 16);
        assert_eq!(gate.arrives(ip("198.51.100.1"), now), Err(Refusal::TooOften));
        assert_eq!(gate.arrives(ip("198.51.100.1"), now + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn the_banned_are_refused() {
        let (mut gate, now, peer) = (gate(), Instant::now(), PeerId::random());
        gate.bans.add(peer, ip("192.0.2.1"), Duration::from_secs(60), now);
        assert_eq!(gate.arrives(ip("192.0.2.1"), now), Err(Refusal::Banned));
        assert_eq!(gate.enters(&peer, &remote("198.51.100.1", 1), false, now), Err(Refusal::Banned));
        gate.short_of_memory = true;
        assert_eq!(gate.arrives(ip("198.51.100.1"), now), Err(Refusal::ShortOfMemory));
    }
}
