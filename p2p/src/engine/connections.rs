//! Peers connect and disconnect.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use libp2p::{
    PeerId,
    core::ConnectedPoint,
    identify,
    multiaddr::Protocol,
    ping,
    swarm::{ConnectionError, DialError, ListenError, SwarmEvent, dial_opts::DialOpts},
};

use super::{Engine, Failures, beacon::reason};
use crate::{
    budget::STALL_PATIENCE,
    contract::{
        ToBeacon,
        proto::{PeerDisconnected, peer_disconnected::Cause},
    },
    enr::ip_of,
    gate::Refusal,
    gossip::WORTHLESS,
    log::{Field, Part},
    peers::{Identity, Peer},
    requests::BY_RANGE,
    swarm::Event,
    targets::Target,
    text,
};

/// How long a stranger may take to send its status.
const STATUS_PATIENCE: Duration = Duration::from_secs(30);
/// The ban of a peer whose gossip breaks the rules: as long as the first ban by a beacon. gossipsub keeps its score
/// meanwhile.
const WORTHLESS_BAN: Duration = Duration::from_secs(60);

impl Engine {
    pub(super) fn on_connection(&mut self, event: SwarmEvent<Event>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established: NonZeroU32::MIN, .. } => {
                self.on_connected(peer_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                self.on_disconnected(&peer_id, cause.as_ref());
            }
            // The other connection may belong to a process that was started after the one that fell silent. gossipsub
            // takes both for the same peer and does not send its subscriptions again.
            SwarmEvent::ConnectionClosed { peer_id, cause: Some(cause), .. } if fell_silent(&cause) => {
                self.end_peer(&peer_id, &format!("one of its connections was lost: {cause}"));
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.on_dial_failure(&peer, &error)
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                let why = match &error {
                    ListenError::Denied { cause } => cause.downcast_ref::<Refusal>().map(Refusal::to_string),
                    _ => None,
                };
                let why = why.unwrap_or_else(|| error.to_string());
                self.totals.arrivals.count(&why);
                self.log
                    .of(Part::Peers)
                    .warn_limited("connection_refused", &[("address", &send_back_addr), ("reason", &why)]);
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                self.log.of(Part::Peers).info("engine_listens", &[("address", &address)]);
                self.own_addresses.extend(ip_of(&address));
            }
            SwarmEvent::ListenerError { error, .. } => {
                self.log.of(Part::Peers).warn_limited("listener_error", &[("reason", &error)]);
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                self.log.of(Part::Peers).error("listener_closed", &[("reason", &error)]);
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, id: PeerId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        let address = endpoint.get_remote_address();
        // The address of a peer that was dialled includes its id, which is removed here.
        let address = address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
        self.log
            .of(Part::Peers)
            .info("peer_connected", &[("peer", &id), ("address", &address), ("outbound", &endpoint.is_dialer())]);
        self.targets.connected(&id, now);
        self.peers.add(Peer::new(id, address, endpoint.is_dialer(), self.meters.of(id), now));
        self.hear_no_gossip(&id);
        self.ask_for_status(now);
    }

    /// `lost`: how the connection was lost. None: this engine closed it.
    fn on_disconnected(&mut self, id: &PeerId, lost: Option<&ConnectionError>) {
        let now = Instant::now();
        self.swarm.behaviour_mut().gossip.remove_blacklisted_peer(id);
        let Some(peer) = self.peers.remove(id) else { return };
        let lost = lost.filter(|_| peer.end.is_none());
        let cause = lost.map_or(Cause::LocalClose, |error| cause_of(&root_cause(error)));
        let why = peer.end.or_else(|| lost.map(ToString::to_string)).unwrap_or_else(|| "closed".into());
        self.log.of(Part::Peers).info("peer_disconnected", &[("peer", id), ("reason", &why)]);
        self.totals.bytes_in += peer.meter.bytes_in();
        self.totals.bytes_out += peer.meter.bytes_out();
        let banned = self.swarm.behaviour().gate.bans.peer(id, now);
        self.targets.disconnected(id, &why, banned, now);
        if let Some(handle) = peer.handle {
            let gone = PeerDisconnected { peer: handle, reason: reason(&why), cause: cause.into() };
            self.outbox.push(ToBeacon::Disconnected(gone));
        }
    }

    /// Bans a connected peer and its address. Does nothing if `time` is zero.
    pub(super) fn ban(&mut self, id: &PeerId, time: Duration, reason: &str) {
        let Some(peer) = self.peers.get(id).filter(|_| !time.is_zero()) else { return };
        let of_others = ip_of(&peer.address).filter(|ip| !ip.is_loopback() && !self.own_addresses.contains(ip));
        self.swarm.behaviour_mut().gate.bans.add(*id, of_others, time, Instant::now());
        self.log
            .of(Part::Peers)
            .warn_limited("peer_banned", &[("peer", id), ("seconds", &time.as_secs()), ("reason", &reason)]);
    }

    /// Closes all connections of a peer.
    pub(super) fn end_peer(&mut self, id: &PeerId, why: &str) {
        let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.end.is_none()) else { return };
        peer.end = Some(text::printable(why, 256));
        // An error means that the peer has gone already.
        let _ = self.swarm.disconnect_peer_id(*id);
    }

    pub(super) fn dial_targets(&mut self, now: Instant) {
        for target in self.targets.due(now) {
            let banned = self.swarm.behaviour().gate.bans.peer(&target.peer_id, now);
            if banned.is_some() {
                self.targets.failed(&target.peer_id, "banned", banned, now);
                continue;
            }
            let fields: [Field; 2] = [("peer", &target.peer_id), ("address", &target.address)];
            self.log.of(Part::Peers).debug("peer_dialed", &fields);
            let options = DialOpts::peer_id(target.peer_id).addresses(vec![target.address]).build();
            // Errors that are known immediately are returned; all others arrive as events.
            if let Err(error) = self.swarm.dial(options) {
                self.on_dial_failure(&target.peer_id, &error);
            }
        }
    }

    /// Dials a node that discovery has found. Such nodes get up to half of the connections; the rest is for nodes that dial.
    pub(super) fn dial_found(&mut self, target: Target) {
        let gate = &self.swarm.behaviour().gate;
        let is_known = self.peers.get(&target.peer_id).is_some() || self.targets.has(&target.peer_id);
        let has_room = 2 * gate.connections() < gate.limits().connections;
        let Some(discovery) = self.discovery.as_mut().filter(|_| !is_known && has_room) else { return };
        if !discovery.begin_dial(target.peer_id, Instant::now()) {
            return;
        }
        self.log.of(Part::Peers).info("peer_found", &[("peer", &target.peer_id), ("address", &target.address)]);
        let options = DialOpts::peer_id(target.peer_id).addresses(vec![target.address]).build();
        if let Err(error) = self.swarm.dial(options) {
            self.on_dial_failure(&target.peer_id, &error);
        }
    }

    fn on_dial_failure(&mut self, peer: &PeerId, error: &DialError) {
        let why = match error {
            DialError::Transport(attempts) => attempts.first().map(|(_, error)| root_cause(error)),
            DialError::WrongPeerId { obtained, .. } => Some(format!("another peer has this address: {obtained}")),
            DialError::Denied { cause } => cause.downcast_ref::<Refusal>().map(Refusal::to_string),
            _ => None,
        };
        let why = text::ascii(&why.unwrap_or_else(|| error.to_string()), 200);
        let now = Instant::now();
        self.totals.dials.count(&why);
        self.log.of(Part::Peers).warn_limited("peer_unreachable", &[("peer", peer), ("reason", &why)]);
        self.targets.failed(peer, &why, None, now);
    }

    pub(super) fn on_identify(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else { return };
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        let agent = text::ascii(&info.agent_version, 64);
        let first = peer.identity.is_none();
        let serves_range = info.protocols.contains(&BY_RANGE);
        if first {
            self.log
                .of(Part::Peers)
                .info("peer_identified", &[("peer", &peer_id), ("agent", &agent), ("serves_range", &serves_range)]);
        }
        peer.identity = Some(Identity { agent, serves_range });
        self.introduce(&peer_id, Instant::now());
    }

    /// Closes TCP connections whose other side does not answer. QUIC notices that by itself.
    pub(super) fn on_ping(&mut self, event: ping::Event) {
        let Err(ping::Failure::Timeout) = event.result else { return };
        let over_tcp = |peer: &Peer| peer.address.iter().any(|part| matches!(part, Protocol::Tcp(_)));
        if self.peers.get(&event.peer).is_some_and(over_tcp) {
            self.swarm.close_connection(event.connection);
        }
    }

    /// Disconnects strangers that do not send their status, peers that do not read, and peers whose score is too low.
    pub(super) fn end_unfit_peers(&mut self, now: Instant) {
        let is_silent = |peer: &Peer| {
            peer.status.is_none()
                && self.own_status.is_some()
                && !self.targets.has(&peer.id)
                && now.duration_since(peer.since) >= STATUS_PATIENCE
        };
        let gossip = &self.swarm.behaviour().gossip;
        let is_worthless = |peer: &Peer| gossip.peer_score(&peer.id).is_some_and(|score| score <= WORTHLESS);
        let mut unfit = vec![];
        for peer in self.peers.iter().filter(|peer| peer.end.is_none()) {
            let stalled = peer.stalled.filter(|(_, sent)| *sent == peer.meter.bytes_out());
            if stalled.is_some_and(|(since, _)| now.duration_since(since) >= STALL_PATIENCE) {
                unfit.push((peer.id, Duration::ZERO, "it does not read its messages"));
            } else if is_silent(peer) {
                unfit.push((peer.id, Duration::ZERO, "it has sent no status"));
            } else if is_worthless(peer) {
                unfit.push((peer.id, WORTHLESS_BAN, "its gossip breaks the rules"));
            }
        }
        for (peer, ban, why) in unfit {
            self.ban(&peer, ban, why);
            self.end_peer(&peer, why);
        }
    }
}

/// Whether a connection ended because nothing arrived. A process that stops in order, or closes a spare connection,
/// says so.
fn fell_silent(cause: &ConnectionError) -> bool {
    matches!(cause, ConnectionError::IO(error) if root_cause(error) == "timed out")
}

impl Failures {
    fn count(&mut self, why: &str) {
        match cause_of(why) {
            Cause::Timeout => self.timed_out += 1,
            _ => self.failed += 1,
        }
    }
}

/// Finds the cause of a connection error. The transports report it only as text.
fn cause_of(error: &str) -> Cause {
    let error = error.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if says(&["timed out", "timeout"]) {
        Cause::Timeout
    } else if says(&["closed by peer", "reset by peer", "end of file", "connection lost: closed"]) {
        Cause::RemoteClose
    } else {
        Cause::Error
    }
}

/// The innermost error. The outer ones repeat its text.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_an_end_is_told_from_its_words() {
        for (error, cause) in [
            ("timed out", Cause::Timeout),
            ("Handshake with the remote timed out.", Cause::Timeout),
            ("closed by peer: 0", Cause::RemoteClose),
            ("aborted by peer: the cryptographic handshake failed", Cause::Error),
        ] {
            assert_eq!(cause_of(error), cause, "{error}");
        }
    }
}
