//! Engines that find each other with discv5.

use std::{
    collections::HashSet,
    net::{SocketAddr, UdpSocket},
};

use crate::common::{Beacon, Node, Plan, noise};
use futures::future::join_all;
use lean_p2p::{discovery, enr::Enr};

/// Starts an engine that knows these bootnodes only.
async fn start(bootnodes: &[&Node]) -> Node {
    // A free port: the record of the engine names it.
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

fn discovery_address(node: &Node) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], Enr::parse(&node.hello.enr).unwrap().ports.udp.unwrap()))
}

/// Waits until all of them are connected to each other.
async fn expect_all_linked(nodes: &[&Node]) {
    let ids: Vec<_> = nodes.iter().map(|node| node.hello.peer_id.clone()).collect();
    let linked = nodes.iter().map(|node| async {
        let others: HashSet<_> = ids.iter().filter(|id| **id != node.hello.peer_id).cloned().collect();
        assert_eq!(peers(&mut Beacon::attach(node).await, others.len()).await, others);
    });
    join_all(linked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_know_the_same_bootnode_find_each_other() {
    let first = start(&[]).await;
    let others = join_all([[&first]; 4].iter().map(|bootnodes| start(bootnodes))).await;
    let all: Vec<_> = others.iter().chain([&first]).collect();
    expect_all_linked(&all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_packets_does_not_get_the_nodes_of_its_address_banned() {
    let first = start(&[]).await;
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    for seed in 0..500 {
        attacker.send_to(&noise(100, seed), discovery_address(&first)).unwrap();
    }
    let second = start(&[&first]).await;
    expect_all_linked(&[&first, &second]).await;
}
