//! Engines that find each other by discv5.

use std::{collections::HashSet, net::UdpSocket};

use crate::common::{Beacon, Node, Plan};
use lean_p2p::{discovery, enr::Enr};

/// An engine that knows these, by discovery alone.
async fn start(bootnodes: &[&Node]) -> Node {
    // A port that is free: whoever is found tells it in its record.
    let listen = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bootnodes = bootnodes.iter().map(|node| node.hello.enr.clone()).collect();
    Node::start(Plan { discovery: Some(discovery::Plan { listen, bootnodes }), ..Plan::default() }).await
}

async fn peers(beacon: &mut Beacon, count: usize) -> HashSet<String> {
    let mut peers = HashSet::new();
    while peers.len() < count {
        peers.insert(beacon.peer().await.peer_id);
    }
    peers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_know_the_same_bootnode_find_each_other() {
    let first = start(&[]).await;
    let (second, third) = (start(&[&first]).await, start(&[&first]).await);
    assert!(Enr::parse(&first.hello.enr).unwrap().ports.udp.is_some());
    let mut beacons = [Beacon::attach(&first).await, Beacon::attach(&second).await, Beacon::attach(&third).await];
    let ids = [&first, &second, &third].map(|node| node.hello.peer_id.clone());
    for (own, beacon) in ids.iter().zip(&mut beacons) {
        let others: HashSet<_> = ids.iter().filter(|id| *id != own).cloned().collect();
        assert_eq!(peers(beacon, 2).await, others);
    }
}
