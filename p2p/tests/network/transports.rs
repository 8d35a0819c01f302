//! Engines over TCP, and over both transports.

use crate::common::{Beacon, Node, Plan, block, block_of, vote, votes_of};
use lean_p2p::{contract::Outcome, enr::Enr, targets::Target};
use libp2p::multiaddr::Protocol;

/// An engine that listens on both transports, and its TCP address.
async fn listener() -> (Node, Target) {
    let node = Node::start(Plan { listen_tcp: vec![([127, 0, 0, 1], 0).into()], ..Plan::default() }).await;
    let address = |text: &String| text.parse::<libp2p::Multiaddr>().unwrap();
    let over_tcp = |address: &libp2p::Multiaddr| address.iter().any(|part| matches!(part, Protocol::Tcp(_)));
    let address = node.hello.addresses.iter().map(address).find(over_tcp).unwrap();
    let target = Target { peer_id: node.hello.peer_id.parse().unwrap(), address };
    (node, target)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_and_votes_pass_over_tcp() {
    let (node, target) = listener().await;
    let other = Node::start(Plan { targets: vec![target.clone()], ..Plan::default() }).await;
    let (mut beacon, mut theirs) = (Beacon::attach(&node).await, Beacon::attach(&other).await);
    let peer = theirs.meshed_peer().await;
    assert_eq!(peer.address, target.address.to_string());
    assert!(beacon.meshed_peer().await.address.starts_with("/ip4/127.0.0.1/tcp/"));
    theirs.publish_votes(vec![vote(1)]).await;
    assert_eq!(votes_of(&beacon.items(1, Outcome::Accept).await), [vote(1)]);
    // As large as the blocks of the largest registry.
    theirs.publish_block(block(4096, 1)).await;
    assert!(block_of(&beacon.items(1, Outcome::Accept).await[0]) == block(4096, 1));
    beacon.publish_votes((2..1026).map(vote).collect()).await;
    assert_eq!(theirs.items(1024, Outcome::Accept).await.len(), 1024);
    node.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_tells_both_of_its_ports_and_is_found_by_either() {
    let (node, target) = listener().await;
    let enr = Enr::parse(&node.hello.enr).unwrap();
    assert_eq!(
        enr.multiaddr().to_string(),
        node.hello.addresses.iter().find(|text| text.contains("quic-v1")).unwrap().as_str()
    );
    assert_eq!(target.address.to_string(), format!("/ip4/127.0.0.1/tcp/{}", enr.ports.tcp.unwrap()));
    let over_quic = Node::start(Plan { targets: vec![Target::from(&enr)], ..Plan::default() }).await;
    let over_tcp = Node::start(Plan { targets: vec![target], ..Plan::default() }).await;
    let (mut between, mut last) = (Beacon::attach(&node).await, Beacon::attach(&over_tcp).await);
    let mut first = Beacon::attach(&over_quic).await;
    let (one, two) = (between.peer().await, between.peer().await);
    between.is_meshed(one.peer).await;
    between.is_meshed(two.peer).await;
    first.meshed_peer().await;
    last.meshed_peer().await;
    first.publish_votes(vec![vote(1)]).await;
    assert_eq!(votes_of(&between.items(1, Outcome::Accept).await), [vote(1)]);
    assert_eq!(votes_of(&last.items(1, Outcome::Accept).await), [vote(1)]);
}
