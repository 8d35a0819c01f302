//! Bans: peers and addresses that are refused for some time.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use libp2p::PeerId;

/// The most bans of each kind. A further ban replaces the one that ends first.
const MAX_BANS: usize = 4096;

/// Banned peers and addresses.
#[derive(Default)]
pub struct Bans {
    peers: HashMap<PeerId, Instant>,
    hosts: HashMap<IpAddr, Instant>,
}

impl Bans {
    /// Bans a peer and, if given, its address.
    pub fn add(&mut self, peer: PeerId, address: Option<IpAddr>, time: Duration, now: Instant) {
        let Some(until) = now.checked_add(time) else { return };
        insert(&mut self.peers, peer, until, now);
        if let Some(address) = address {
            insert(&mut self.hosts, host(address), until, now);
        }
    }

    /// When the ban of a peer ends. None: the peer is not banned.
    pub fn peer(&self, peer: &PeerId, now: Instant) -> Option<Instant> {
        self.peers.get(peer).copied().filter(|until| *until > now)
    }

    /// Whether an address is banned.
    pub fn has_address(&self, address: IpAddr, now: Instant) -> bool {
        self.hosts.get(&host(address)).is_some_and(|until| *until > now)
    }
}

/// Adds a ban. It does not shorten a longer one.
fn insert<K: Clone + Eq + Hash>(bans: &mut HashMap<K, Instant>, key: K, until: Instant, now: Instant) {
    if bans.len() >= MAX_BANS && !bans.contains_key(&key) {
        bans.retain(|_, end| *end > now);
        let first = bans.iter().min_by_key(|(_, end)| **end).map(|(key, _)| key.clone());
        if let (MAX_BANS.., Some(first)) = (bans.len(), first) {
            bans.remove(&first);
        }
    }
    let end = bans.entry(key).or_insert(until);
    *end = until.max(*end);
}

/// The part of an address that identifies a host: all of IPv4, or 64 bits of IPv6.
pub fn host(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(ip) => leading_bits(ip, 64),
    }
}

/// The part of an address that identifies a network: 24 bits of IPv4, or 48 of IPv6.
pub fn prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(ip) => leading_bits(ip, 48),
    }
}

fn leading_bits(ip: Ipv6Addr, bits: u32) -> IpAddr {
    Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << (128 - bits))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends() {
        let (mut bans, now, peer) = (Bans::default(), Instant::now(), PeerId::random());
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        bans.add(peer, Some(address), Duration::from_secs(60), now);
        let later = now + Duration::from_secs(59);
        assert!(bans.peer(&peer, later).is_some() && bans.has_address(address, later));
        let end = now + Duration::from_secs(60);
        assert!(bans.peer(&peer, end).is_none() && !bans.has_address(address, end));
    }

    #[test]
    fn a_shorter_ban_does_not_end_a_longer_one() {
        let (mut bans, now, peer) = (Bans::default(), Instant::now(), PeerId::random());
        bans.add(peer, None, Duration::from_secs(60), now);
        bans.add(peer, None, Duration::from_secs(1), now);
        assert!(bans.peer(&peer, now + Duration::from_secs(30)).is_some());
    }

    #[test]
    fn a_host_of_ipv6_has_64_bits() {
        let (mut bans, now) = (Bans::default(), Instant::now());
        bans.add(PeerId::random(), "2001:db8:1:2::1".parse().ok(), Duration::from_secs(60), now);
        assert!(bans.has_address("2001:db8:1:2:ffff::".parse().unwrap(), now));
        assert!(!bans.has_address("2001:db8:1:3::1".parse().unwrap(), now));
        assert_eq!(prefix("2001:db8:1:2::1".parse().unwrap()), prefix("2001:db8:1:ffff::".parse().unwrap()));
        assert_eq!(prefix("192.0.2.77".parse().unwrap()), "192.0.2.0".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn bans_are_bounded() {
        let (mut bans, now, first) = (Bans::default(), Instant::now(), PeerId::random());
        bans.add(first, None, Duration::from_secs(1), now);
        for _ in 0..MAX_BANS {
            bans.add(PeerId::random(), None, Duration::from_secs(60), now);
        }
        assert_eq!(bans.peers.len(), MAX_BANS);
        assert!(bans.peer(&first, now).is_none());
    }
}
