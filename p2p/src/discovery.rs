//! Node discovery with discv5: asks known nodes for other nodes and returns those that can be dialled.
//!
//! It is off unless the operator enables it. A node record names neither the network nor the software of its node, so a
//! node that is found is a stranger like any other and must tell its status.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use discv5::{
    Config, ConfigBuilder, Discv5, ListenConfig, RateLimiterBuilder,
    enr::{CombinedKey, NodeId},
};
use libp2p::{PeerId, identity::Keypair};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    enr::Enr,
    log::{Log, Part},
    targets::Target,
};

/// The pause between searches doubles from the first value to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause after a search that found fewer than [`ENOUGH`] nodes: bootnodes may not be up yet.
const LAST_PAUSE_OF_FEW: Duration = Duration::from_secs(5);
/// As many peers as a gossip mesh has.
const ENOUGH: usize = 8;
/// The pause before the same node is dialled again doubles from the first value to the last.
const FIRST_DIAL_PAUSE: Duration = Duration::from_secs(4);
const LAST_DIAL_PAUSE: Duration = Duration::from_secs(120);
/// Found nodes that wait for the engine: the result of one search.
const FOUND: usize = 16;
/// Nodes whose last attempt is remembered.
const MAX_DIALLED: usize = 1024;
/// Requests of strangers that are read in a second.
const PACKETS_PER_SECOND: u64 = 100;

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The UDP address for discovery.
    pub listen: SocketAddr,
    /// Records of the first nodes to ask, `enr:...`.
    pub bootnodes: Vec<String>,
}

/// Nodes that were found, and when each was dialled.
pub struct Discovery {
    found: mpsc::Receiver<Target>,
    dialled: Dialled,
}

impl Discovery {
    /// Listens and searches until this value is dropped. `own` is the record that other nodes receive.
    pub async fn start(plan: &Plan, key: &Keypair, own: &Enr, log: Arc<Log>) -> Result<Self, String> {
        let pair = key.clone().try_into_secp256k1().map_err(|_| "the node key is not of secp256k1")?;
        let key =
            CombinedKey::secp256k1_from_bytes(&mut pair.secret().to_bytes()).map_err(|error| error.to_string())?;
        let mut discv5 = Discv5::new(own.to_string().parse()?, key, config(plan.listen, own.ip)?)?;
        for bootnode in &plan.bootnodes {
            // An error means that the record is this node's own, or has no address for discovery.
            if let Err(error) = discv5.add_enr(bootnode.parse()?) {
                log.of(Part::Discovery).warn("bootnode_refused", &[("enr", bootnode), ("reason", &error)]);
            }
        }
        discv5.start().await.map_err(|error| format!("cannot listen on {} for discovery: {error}", plan.listen))?;
        let (sender, found) = mpsc::channel(FOUND);
        tokio::spawn(search(discv5, sender));
        Ok(Self { found, dialled: Dialled::default() })
    }

    /// The next node that a search has found.
    pub async fn next(&mut self) -> Option<Target> {
        self.found.recv().await
    }

    /// Whether a node may be dialled now. If so, the attempt is remembered.
    pub fn begin_dial(&mut self, peer: PeerId, now: Instant) -> bool {
        self.dialled.begin(peer, now)
    }
}

fn config(listen: SocketAddr, own: IpAddr) -> Result<Config, String> {
    let limiter = RateLimiterBuilder::new().total_n_every(PACKETS_PER_SECOND, Duration::from_secs(1)).build()?;
    let mut builder = ConfigBuilder::new(ListenConfig::from_ip(listen.ip(), listen.port()));
    builder
        // The record holds what the operator says, not what strangers claim to see.
        .disable_enr_update()
        .disable_report_discovered_peers()
        // The limits by node and by address are off, because the library bans whoever exceeds them for an hour. Source
        // addresses of UDP can be forged and several nodes may share an address, so that a stranger could have any node
        // banned. Above the limit for all, requests are dropped. Answers to this node's own requests are always read.
        .enable_packet_filter()
        .filter_rate_limiter(Some(limiter))
        .filter_max_nodes_per_ip(None)
        .filter_max_bans_per_ip(None);
    if is_public(own) {
        // A few nodes of each /24 network: it makes it harder to surround this node with one operator's nodes.
        builder.ip_limit();
    }
    Ok(builder.build())
}

/// Whether an address is of the internet. In a private network all nodes may have addresses that are close.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

async fn search(discv5: Discv5, found: mpsc::Sender<Target>) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::select! {
            () = found.closed() => return,
            () = sleep(pause) => {}
        }
        // An error means that the service has ended, or is busy.
        let nodes = discv5.find_node(NodeId::random()).await.unwrap_or_default();
        // Nodes that take part in discovery only have no address to dial.
        let targets: Vec<_> = nodes.iter().filter_map(|node| Enr::parse(&node.to_base64()).ok()).collect();
        pause = next_pause(pause, targets.len());
        for node in &targets {
            if found.send(Target::from(node)).await.is_err() {
                return;
            }
        }
    }
}

fn next_pause(pause: Duration, found: usize) -> Duration {
    (pause * 2).min(if found < ENOUGH { LAST_PAUSE_OF_FEW } else { LAST_PAUSE })
}

struct Attempt {
    at: Instant,
    /// Until the next attempt.
    pause: Duration,
}

/// The last attempt to dial each node.
#[derive(Default)]
struct Dialled(HashMap<PeerId, Attempt>);

impl Dialled {
    /// Whether a node may be dialled now. If so, the attempt is remembered.
    fn begin(&mut self, peer: PeerId, now: Instant) -> bool {
        // A node that was left alone for the longest pause starts with the shortest one again.
        self.0.retain(|_, attempt| now.duration_since(attempt.at) < attempt.pause + LAST_DIAL_PAUSE);
        let pause = match self.0.get(&peer) {
            Some(attempt) if now.duration_since(attempt.at) < attempt.pause => return false,
            Some(attempt) => (attempt.pause * 2).min(LAST_DIAL_PAUSE),
            None if self.0.len() >= MAX_DIALLED => return false,
            None => FIRST_DIAL_PAUSE,
        };
        self.0.insert(peer, Attempt { at: now, pause });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_dialled_again_after_growing_pauses() {
        let (mut dialled, peer, mut now) = (Dialled::default(), PeerId::random(), Instant::now());
        for seconds in [4, 8, 16, 32, 64, 120, 120] {
            assert!(dialled.begin(peer, now), "{seconds}");
            let pause = Duration::from_secs(seconds);
            assert!(!dialled.begin(peer, now + pause - Duration::from_millis(1)), "{seconds}");
            now += pause;
        }
        now += 2 * LAST_DIAL_PAUSE;
        assert!(dialled.begin(peer, now) && dialled.begin(peer, now + FIRST_DIAL_PAUSE));
    }

    #[test]
    fn attempts_are_bounded() {
        let (mut dialled, now) = (Dialled::default(), Instant::now());
        assert_eq!((0..2 * MAX_DIALLED).filter(|_| dialled.begin(PeerId::random(), now)).count(), MAX_DIALLED);
        assert!(dialled.begin(PeerId::random(), now + FIRST_DIAL_PAUSE + LAST_DIAL_PAUSE));
    }

    #[test]
    fn searches_that_find_few_nodes_stay_frequent() {
        let last = |found| (0..10).fold(FIRST_PAUSE, |pause, _| next_pause(pause, found));
        assert_eq!((last(ENOUGH - 1), last(ENOUGH)), (LAST_PAUSE_OF_FEW, LAST_PAUSE));
        assert_eq!(next_pause(LAST_PAUSE, 0), LAST_PAUSE_OF_FEW);
    }

    #[test]
    fn nodes_of_one_network_are_limited_on_the_internet_only() {
        let is_limited = |own: &str| config(([0, 0, 0, 0], 9).into(), own.parse().unwrap()).unwrap().ip_limit;
        assert!(is_limited("8.8.8.8") && is_limited("2600::1"));
        for own in ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"] {
            assert!(!is_limited(own), "{own}");
        }
    }
}
