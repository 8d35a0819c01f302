//! Discovery by discv5: asks the nodes that are known for others, and names those that can be dialled.
//!
//! Off unless the operator asks for it. A record tells neither the network nor the software of its node: who is found is a
//! stranger like any other, and has to tell its status.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use discv5::{
    ConfigBuilder, Discv5, ListenConfig,
    enr::{CombinedKey, NodeId},
};
use libp2p::{PeerId, identity::Keypair};
use tokio::{sync::mpsc, time::sleep};

use crate::{enr::Enr, log::Log, options::Target};

/// Pauses between searches grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// A node is dialled once within.
const DIAL_PAUSE: Duration = Duration::from_secs(120);
/// Nodes that wait to be looked at by the engine: what one search finds.
const FOUND: usize = 16;
/// Nodes whose last attempt is kept.
const MAX_DIALLED: usize = 1024;

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The UDP address of its own.
    pub listen: SocketAddr,
    /// Records of nodes to begin with, `enr:...`.
    pub bootnodes: Vec<String>,
}

/// Nodes that were found.
pub struct Discovery {
    found: mpsc::Receiver<Target>,
    dialled: HashMap<PeerId, Instant>,
}

impl Discovery {
    /// Listens and searches until this is dropped. `own` is the record that others are told.
    pub async fn start(plan: &Plan, key: &Keypair, own: &Enr, log: Arc<Log>) -> Result<Self, String> {
        let pair = key.clone().try_into_secp256k1().map_err(|_| "the node key is not of secp256k1")?;
        let key =
            CombinedKey::secp256k1_from_bytes(&mut pair.secret().to_bytes()).map_err(|error| error.to_string())?;
        let config = ConfigBuilder::new(ListenConfig::from_ip(plan.listen.ip(), plan.listen.port()))
            // The record says what the operator says, not what strangers claim to see.
            .disable_enr_update()
            .disable_report_discovered_peers()
            .enable_packet_filter()
            .ip_limit()
            .build();
        let mut discv5 = Discv5::new(own.to_string().parse()?, key, config)?;
        for bootnode in &plan.bootnodes {
            // An error: it is this node itself, or has no address for discovery.
            if let Err(error) = discv5.add_enr(bootnode.parse()?) {
                log.warn("bootnode_refused", &[("enr", bootnode), ("reason", &error)]);
            }
        }
        discv5.start().await.map_err(|error| format!("cannot listen on {} for discovery: {error}", plan.listen))?;
        let (sender, found) = mpsc::channel(FOUND);
        tokio::spawn(search(discv5, sender));
        Ok(Self { found, dialled: HashMap::new() })
    }

    /// The next node to dial.
    pub async fn next(&mut self) -> Option<Target> {
        loop {
            let target = self.found.recv().await?;
            if self.is_new(target.peer_id, Instant::now()) {
                return Some(target);
            }
        }
    }

    fn is_new(&mut self, peer: PeerId, now: Instant) -> bool {
        self.dialled.retain(|_, dialled| now.duration_since(*dialled) < DIAL_PAUSE);
        if self.dialled.contains_key(&peer) || self.dialled.len() >= MAX_DIALLED {
            return false;
        }
        self.dialled.insert(peer, now);
        true
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
        pause = (pause * 2).min(LAST_PAUSE);
        // Those that only take part in discovery are passed over.
        for node in nodes.iter().filter_map(|node| Enr::parse(&node.to_base64()).ok()) {
            if found.send(Target::from(&node)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_dialled_once_in_a_while() {
        let (_sender, found) = mpsc::channel(1);
        let mut discovery = Discovery { found, dialled: HashMap::new() };
        let (peer, now) = (PeerId::random(), Instant::now());
        assert!(discovery.is_new(peer, now));
        assert!(!discovery.is_new(peer, now + DIAL_PAUSE / 2));
        assert!(discovery.is_new(peer, now + DIAL_PAUSE));
        while discovery.dialled.len() < MAX_DIALLED {
            assert!(discovery.is_new(PeerId::random(), now + DIAL_PAUSE));
        }
        assert!(!discovery.is_new(PeerId::random(), now + DIAL_PAUSE));
    }
}
