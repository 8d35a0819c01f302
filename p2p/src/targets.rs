//! Peers to stay connected to, and when to dial them again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

use crate::enr::Enr;

/// The pause between attempts doubles from the first value to the last, with a jitter of a quarter. It stays short,
/// because the parts of a network that was split find each other only with the next attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// After a connection of this length the pauses start with the first value again.
const GOOD_AFTER: Duration = Duration::from_secs(30);

/// A peer to stay connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its identity. Another peer at the same address is refused.
    pub peer_id: PeerId,
    /// Its address, without the identity.
    pub address: Multiaddr,
}

impl Target {
    /// Parses a multiaddr or a node record.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("enr:") {
            return Enr::parse(text).map(|enr| Self::from(&enr));
        }
        let mut address: Multiaddr = text.parse().map_err(|error| format!("{error}"))?;
        let Some(Protocol::P2p(peer_id)) = address.pop() else {
            return Err("it does not end with /p2p/ and the peer's id".into());
        };
        match address.iter().collect::<Vec<_>>().as_slice() {
            [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(1..), Protocol::QuicV1]
            | [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(1..)] => Ok(Self { peer_id, address }),
            _ => Err("it is neither /ip4/.../udp/.../quic-v1/p2p/... nor /ip4/.../tcp/.../p2p/...".into()),
        }
    }
}

impl From<&Enr> for Target {
    fn from(enr: &Enr) -> Self {
        Self { peer_id: enr.peer_id, address: enr.multiaddr() }
    }
}

enum State {
    /// Waits until this time.
    Waits(Instant),
    Dials,
    Connected(Instant),
}

struct Entry {
    address: Multiaddr,
    state: State,
    pause: Duration,
    failure: String,
}

/// A target that is not connected.
pub struct Missing<'a> {
    /// Its identity.
    pub peer_id: PeerId,
    /// The address that is dialled.
    pub address: &'a Multiaddr,
    /// Why the last attempt failed. Empty: there was no attempt yet.
    pub failure: &'a str,
    /// The time until the next attempt. Zero: an attempt is under way.
    pub retry: Duration,
}

/// All targets.
pub struct Targets(HashMap<PeerId, Entry>);

impl Targets {
    /// All targets are due immediately.
    pub fn new(targets: Vec<Target>, now: Instant) -> Self {
        let entry = |target: Target| Entry {
            address: target.address,
            state: State::Waits(now),
            pause: FIRST_PAUSE,
            failure: String::new(),
        };
        Self(targets.into_iter().map(|target| (target.peer_id, entry(target))).collect())
    }

    /// Whether it is one of them.
    pub fn has(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }

    /// The targets to dial now. The caller reports the result of each by `failed` or `connected`.
    pub fn due(&mut self, now: Instant) -> Vec<Target> {
        let mut due = vec![];
        for (peer_id, entry) in &mut self.0 {
            if matches!(entry.state, State::Waits(until) if until <= now) {
                entry.state = State::Dials;
                due.push(Target { peer_id: *peer_id, address: entry.address.clone() });
            }
        }
        due
    }

    /// Reports that an attempt failed. `not_before` is the end of a ban.
    pub fn failed(&mut self, peer: &PeerId, failure: &str, not_before: Option<Instant>, now: Instant) {
        let Some(entry) = self.0.get_mut(peer).filter(|entry| matches!(entry.state, State::Dials)) else { return };
        entry.failure = failure.into();
        entry.wait(not_before, now);
    }

    /// Reports that a target is connected, whichever side dialled.
    pub fn connected(&mut self, peer: &PeerId, now: Instant) {
        if let Some(entry) = self.0.get_mut(peer).filter(|entry| !matches!(entry.state, State::Connected(_))) {
            entry.state = State::Connected(now);
        }
    }

    /// Reports that the last connection of a target has ended.
    pub fn disconnected(&mut self, peer: &PeerId, reason: &str, not_before: Option<Instant>, now: Instant) {
        let Some(entry) = self.0.get_mut(peer) else { return };
        if matches!(entry.state, State::Connected(since) if now.duration_since(since) >= GOOD_AFTER) {
            entry.pause = FIRST_PAUSE;
        }
        entry.failure = reason.into();
        entry.wait(not_before, now);
    }

    /// The targets that are not connected.
    pub fn missing(&self, now: Instant) -> impl Iterator<Item = Missing<'_>> {
        self.0.iter().filter_map(move |(peer_id, entry)| {
            let retry = match entry.state {
                State::Connected(_) => return None,
                State::Dials => Duration::ZERO,
                // An attempt that is due now is not under way yet.
                State::Waits(until) => until.saturating_duration_since(now).max(Duration::from_millis(1)),
            };
            Some(Missing { peer_id: *peer_id, address: &entry.address, failure: &entry.failure, retry })
        })
    }
}

impl Entry {
    fn wait(&mut self, not_before: Option<Instant>, now: Instant) {
        let next = now + self.pause.mul_f64(rand::random_range(0.75..1.25));
        self.state = State::Waits(not_before.map_or(next, |end| next.max(end)));
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "16Uiu2HAmPQhkD6Zg5Co2ee8ShshkiY4tDePKFARPpCS2oKSLj1E1";

    fn one(now: Instant) -> (Targets, PeerId) {
        let peer_id = PeerId::random();
        let address = "/ip4/127.0.0.1/udp/1/quic-v1".parse().unwrap();
        (Targets::new(vec![Target { peer_id, address }], now), peer_id)
    }

    #[test]
    fn a_peer_is_named_by_address_and_identity() {
        let target = Target::parse(&format!("/ip4/10.0.0.1/udp/9000/quic-v1/p2p/{ID}")).unwrap();
        assert_eq!(
            (target.peer_id.to_string(), target.address.to_string()),
            (ID.into(), "/ip4/10.0.0.1/udp/9000/quic-v1".into())
        );
        for wrong in ["/ip4/10.0.0.1/udp/9000/quic-v1", "/ip4/10.0.0.1/tcp/9000", "10.0.0.1:9000", "enr:xyz", ""] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Target::parse(&format!("/ip4/10.0.0.1/tcp/9000/p2p/{ID}")).is_ok());
        for wrong in
            ["/ip4/10.0.0.1/tcp/0", "/ip4/10.0.0.1/udp/0/quic-v1", "/dns4/localhost/tcp/1", "/ip4/1.2.3.4/tcp/1/ws"]
        {
            assert!(Target::parse(&format!("{wrong}/p2p/{ID}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pauses_grow_to_the_last() {
        let start = Instant::now();
        let (mut targets, peer) = one(start);
        let mut now = start;
        let mut pauses = vec![];
        for _ in 0..10 {
            assert_eq!(targets.due(now).len(), 1);
            assert!(targets.due(now).is_empty(), "it is under way");
            targets.failed(&peer, "refused", None, now);
            let pause = targets.missing(now).next().unwrap().retry;
            pauses.push(pause.as_secs_f64());
            now += pause;
        }
        assert!((0.18..0.32).contains(&pauses[0]) && (3.7..6.3).contains(&pauses[9]), "{pauses:?}");
        assert_eq!(targets.missing(now).next().unwrap().failure, "refused");
    }

    #[test]
    fn a_good_connection_begins_the_pauses_anew() {
        let mut now = Instant::now();
        let (mut targets, peer) = one(now);
        for _ in 0..8 {
            targets.due(now);
            targets.connected(&peer, now);
            assert_eq!(targets.missing(now).count(), 0);
            targets.disconnected(&peer, "closed", None, now);
            now += LAST_PAUSE * 2;
        }
        targets.due(now);
        targets.connected(&peer, now);
        now += GOOD_AFTER;
        targets.disconnected(&peer, "closed", None, now);
        assert!(targets.missing(now).next().unwrap().retry < Duration::from_millis(320));
    }

    #[test]
    fn the_banned_are_not_dialled() {
        let now = Instant::now();
        let (mut targets, peer) = one(now);
        targets.due(now);
        targets.connected(&peer, now);
        targets.disconnected(&peer, "banned", Some(now + Duration::from_secs(60)), now);
        assert!(targets.due(now + Duration::from_secs(59)).is_empty());
        assert_eq!(targets.due(now + Duration::from_secs(60)).len(), 1);
    }
}
