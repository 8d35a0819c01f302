//! Beacons, engines and peers that connect and disconnect.

use std::time::{Duration, Instant};

use crate::common::{Beacon, Node, Plan, chain_status, open, vote, votes_of};
use lean_p2p::contract::{
    Outcome,
    proto::{BeaconHello, EndPeer, Publish, beacon_to_engine::Content as Said, engine_to_beacon::Content as Heard},
};
use libp2p::identity::Keypair;
use tonic::Code;

async fn gone(beacon: &mut Beacon, peer: u64) -> String {
    beacon
        .hear("a peer's end", |heard| match heard {
            Heard::Disconnected(gone) if gone.peer == peer => Some(gone.reason),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_banned_peer_does_not_come_back_before_its_time() {
    let node = Node::start(Plan::default()).await;
    let other = Node::with_targets(&[&node]).await;
    let (mut beacon, _theirs) = (Beacon::attach(&node).await, Beacon::attach(&other).await);
    let peer = beacon.peer().await;
    let began = Instant::now();
    beacon.say(Said::EndPeer(EndPeer { peer: peer.peer, ban_seconds: 3, reason: "a bad\nblock".into() })).await;
    assert_eq!(gone(&mut beacon, peer.peer).await, "the beacon ends it: a bad block");
    let again = beacon.peer().await;
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(again.peer > peer.peer && again.peer_id == peer.peer_id);
    assert!(beacon.counts().await.connections_refused > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_ended_without_a_ban_comes_back_at_once() {
    let node = Node::start(Plan::default()).await;
    let other = Node::with_targets(&[&node]).await;
    let (mut beacon, _theirs) = (Beacon::attach(&node).await, Beacon::attach(&other).await);
    let peer = beacon.peer().await;
    beacon.say(Said::EndPeer(EndPeer { peer: peer.peer, ban_seconds: 0, reason: "no room".into() })).await;
    gone(&mut beacon, peer.peer).await;
    assert_eq!(beacon.peer().await.peer_id, peer.peer_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beacon_that_comes_back_is_told_of_the_peers_again() {
    let node = Node::start(Plan::default()).await;
    let other = Node::with_targets(&[&node]).await;
    let (mut theirs, mut beacon) = (Beacon::attach(&other).await, Beacon::attach(&node).await);
    let peer = beacon.peer().await;
    drop(beacon);
    let mut beacon = Beacon::attach(&node).await;
    let again = beacon.peer().await;
    assert!(again.peer > peer.peer && again.peer_id == peer.peer_id && again.address == peer.address);
    theirs.meshed_peer().await;
    theirs.publish_votes(vec![vote(1)]).await;
    let items = beacon.items(1, Outcome::Accept).await;
    assert_eq!((votes_of(&items), items[0].peer), (vec![vote(1)], again.peer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_stream_ends_the_one_before() {
    let node = Node::start(Plan::default()).await;
    let mut first = Beacon::attach(&node).await;
    let mut second = Beacon::attach(&node).await;
    assert_eq!(first.end().await.unwrap_err().code(), Code::Aborted);
    second.hear("a report", |heard| matches!(heard, Heard::Report(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_of_the_contract_ends_the_stream() {
    let node = Node::start(Plan::default()).await;
    let hello = |validator_count| {
        Said::Hello(BeaconHello {
            contract_version: 1,
            validator_count,
            slot_duration_ms: 4000,
            status: Some(chain_status(1)),
        })
    };
    for first in [Said::Status(chain_status(1)), hello(0), hello(4097)] {
        let (_say, mut hear) = open(&node, first).await;
        assert!(matches!(hear.message().await.unwrap().unwrap().content, Some(Heard::Hello(_))));
        let end = hear.message().await.unwrap_err();
        assert_eq!(end.code(), Code::InvalidArgument, "{end}");
    }
    let mut beacon = Beacon::attach(&node).await;
    beacon.say(Said::Publish(Publish { blocks: vec![], votes: vec![vec![0; 3251]] })).await;
    let end = beacon.end().await.unwrap_err();
    assert_eq!((end.code(), end.message()), (Code::InvalidArgument, "a vote does not have 3252 bytes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_comes_back_is_dialled_again() {
    let key = Keypair::generate_secp256k1();
    let node = Node::start(Plan { key: key.clone(), ..Plan::default() }).await;
    let listen = node.hello.addresses[0].split('/').nth(4).unwrap().parse().unwrap();
    let other = Node::with_targets(&[&node]).await;
    let (mut theirs, beacon) = (Beacon::attach(&other).await, Beacon::attach(&node).await);
    let peer = theirs.peer().await;
    drop(beacon);
    node.stop().await;
    gone(&mut theirs, peer.peer).await;
    let missing = theirs
        .hear("a failed attempt", |heard| match heard {
            Heard::Report(report) => report.targets.into_iter().find(|target| !target.failure.is_empty()),
            _ => None,
        })
        .await;
    assert_eq!(missing.peer_id, peer.peer_id);
    let node = Node::start(Plan { key, listen: ([127, 0, 0, 1], listen).into(), ..Plan::default() }).await;
    let mut beacon = Beacon::attach(&node).await;
    let again = theirs.peer().await;
    assert!(again.peer > peer.peer && again.peer_id == peer.peer_id);
    beacon.meshed_peer().await;
    theirs.publish_votes(vec![vote(1)]).await;
    assert_eq!(votes_of(&beacon.items(1, Outcome::Accept).await), [vote(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_beacon_nothing_is_passed_on_and_peers_stay() {
    let node = Node::start(Plan::default()).await;
    let other = Node::with_targets(&[&node]).await;
    let mut theirs = Beacon::attach(&other).await;
    let beacon = Beacon::attach(&node).await;
    let peer = theirs.peer().await;
    drop(beacon);
    theirs.is_meshed(peer.peer).await;
    theirs.publish_votes(vec![vote(1)]).await;
    while theirs.counts().await.published == 0 {}
    assert_eq!(theirs.counts().await.connections, 1);
    let mut beacon = Beacon::attach(&node).await;
    beacon.peer().await;
    theirs.publish_votes(vec![vote(2)]).await;
    assert_eq!(votes_of(&beacon.items(1, Outcome::Accept).await), [vote(2)]);
}
