//! Peers that break the rules: the engine keeps running, and an honest peer keeps its place.

use std::time::Duration;

use crate::common::{
    Beacon, Node, Plan,
    foreign::{Foreign, Manners, Method, Raw, only_status},
    noise, vote, votes_of,
};
use lean_p2p::{
    budget::MAX_BLOCK,
    contract::{
        Outcome,
        proto::{GossipItem, engine_to_beacon::Content as Heard},
    },
    gate::Limits,
    wire::frame::LengthOf,
};
use snap::raw::Encoder;

/// An engine with an honest peer.
pub struct Scene {
    pub node: Node,
    pub beacon: Beacon,
    honest: (Node, Beacon),
    pub peer: u64,
}

impl Scene {
    async fn set() -> Self {
        Self::set_with(2).await
    }

    /// With this limit on connections from one address; from this machine four times as many.
    pub async fn set_with(per_host: usize) -> Self {
        let node = Node::start(Plan { limits: Limits::new(8 * per_host, per_host), ..Plan::default() }).await;
        let other = Node::with_targets(&[&node]).await;
        let mut beacon = Beacon::attach_with(&node, 16, crate::common::chain_status(5)).await;
        let mut theirs = Beacon::attach(&other).await;
        let peer = beacon.peer().await.peer;
        beacon.is_meshed(peer).await;
        theirs.meshed_peer().await;
        Self { node, beacon, honest: (other, theirs), peer }
    }

    /// The honest peer is still served: its next vote arrives.
    pub async fn goes_on(&mut self, seed: u64) {
        let vote = vote(seed);
        self.honest.1.publish_votes(vec![vote.clone()]).await;
        let is_it =
            |item: &GossipItem| item.peer == self.peer && votes_of(std::slice::from_ref(item)) == [vote.clone()];
        while !self.beacon.items(1, Outcome::Accept).await.iter().any(is_it) {}
    }

    pub async fn stop(self) {
        self.node.stop().await;
        self.honest.0.stop().await;
    }
}

fn compressed(data: &[u8]) -> Vec<u8> {
    Encoder::new().compress_vec(data).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_garbage_are_refused() {
    let mut scene = Scene::set().await;
    let foreign = Foreign::dial(&scene.node, Manners::default(), only_status(LengthOf::Content)).await;
    scene.beacon.peer().await;
    let endless =
        [vec![80, 0xff, 6, 0, 0], b"sNaPpY".to_vec(), [vec![0xfe, 0xff, 0xff, 0], vec![0; 0xffff]].concat()].concat();
    for garbage in [vec![], vec![0xff; 1000], noise(100_000, 1), vec![80, 0, 0xff, 0xff, 0xff], endless] {
        for method in [Method::Status, Method::ByRoot] {
            let answer = foreign.ask(method, garbage.clone()).await;
            assert!(answer.is_err() || answer.as_ref().is_ok_and(Vec::is_empty), "{answer:?}");
        }
    }
    // A frame whose content is not a request.
    let wrong = lean_p2p::wire::frame::write(&[1; 33], LengthOf::Content).unwrap();
    assert_eq!(foreign.ask(Method::ByRoot, wrong).await.unwrap()[0], 1);
    scene.goes_on(1).await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_slow_streams_keep_nobody_else_from_being_served() {
    let mut scene = Scene::set().await;
    let foreign = Foreign::dial(&scene.node, Manners::default(), only_status(LengthOf::Content)).await;
    scene.beacon.peer().await;
    let slow = || Raw { bytes: vec![0x80; 3], pause: Duration::from_secs(60) };
    let streams: Vec<_> = (0..200).map(|_| foreign.ask(Method::ByRoot, slow())).collect();
    let hold = tokio::time::timeout(Duration::from_secs(3), futures::future::join_all(streams));
    let (_, ()) = tokio::join!(hold, async {
        for seed in 0..5 {
            scene.goes_on(seed).await;
        }
    });
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gossip_of_garbage_does_not_reach_the_beacon() {
    let mut scene = Scene::set().await;
    let foreign = Foreign::dial(&scene.node, Manners::default(), only_status(LengthOf::Content)).await;
    scene.beacon.meshed_peer().await;
    let garbage = [
        noise(1000, 1),
        compressed(&noise(3251, 2)),
        compressed(&vec![0; MAX_BLOCK + 1]),
        [vec![0xff, 0xff, 0xff, 0x7f], noise(100, 3)].concat(),
    ];
    for (kind, data) in [("attestation", 0), ("attestation", 1), ("block", 2), ("block", 3)] {
        foreign.publish(kind, garbage[data].clone()).await;
    }
    // Snappy of a valid size, but not a block: the engine notices when it looks for the signatures.
    foreign.publish("block", compressed(&noise(5000, 4))).await;
    while scene.beacon.counts().await.items_malformed < 5 {}
    let score = scene
        .beacon
        .hear("a score", |heard| match heard {
            Heard::Report(report) => report.peers.iter().map(|peer| peer.score).find(|score| *score < 0.0),
            _ => None,
        })
        .await;
    assert!(score < -10.0, "{score}");
    scene.goes_on(1).await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_gossip_is_refused() {
    let mut scene = Scene::set().await;
    let manners = Manners { signs: true, ..Manners::default() };
    let foreign = Foreign::dial(&scene.node, manners, only_status(LengthOf::Content)).await;
    scene.beacon.meshed_peer().await;
    foreign.publish("attestation", compressed(&vote(1))).await;
    scene
        .beacon
        .hear("a score", |heard| match heard {
            Heard::Report(report) => report.peers.iter().any(|peer| peer.score < 0.0).then_some(()),
            _ => None,
        })
        .await;
    scene.goes_on(2).await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_tell_its_status_is_not_heard() {
    let mut scene = Scene::set().await;
    let foreign = Foreign::dial(&scene.node, Manners::default(), |_, _| None).await;
    for seed in 0..20 {
        foreign.publish("attestation", compressed(&vote(seed))).await;
    }
    // The honest peer sends the same votes: they count as new.
    for seed in 0..20 {
        scene.goes_on(seed).await;
    }
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_one_address_are_limited() {
    let mut scene = Scene::set().await;
    let mut strangers: Vec<_> = (0..30)
        .map(|_| Foreign::dial_in_vain(&scene.node, Manners::default(), only_status(LengthOf::Content)))
        .collect();
    let mut counts = scene.beacon.counts().await;
    while counts.connections_refused < 20 {
        counts = scene.beacon.counts().await;
        // Eight connections from this machine, including the honest peer.
        assert!(counts.connections <= 8, "{counts:?}");
    }
    strangers.retain(Foreign::is_connected);
    assert!(strangers.len() <= 7, "{}", strangers.len());
    scene.goes_on(1).await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_votes_is_bounded_by_the_registry() {
    let mut scene = Scene::set().await;
    let foreign = Foreign::dial(&scene.node, Manners::default(), only_status(LengthOf::Content)).await;
    let peer = scene.beacon.meshed_peer().await.peer;
    for seed in 0..2000 {
        foreign.publish("attestation", compressed(&vote(1000 + seed))).await;
    }
    // They get no verdict: at most 768 of one peer wait, and those that expire make room for others.
    let mut heard = 0;
    let heard_of =
        |heard: &mut usize, items: &[GossipItem]| *heard += items.iter().filter(|item| item.peer == peer).count();
    scene
        .beacon
        .hear("a drop", |message| match message {
            Heard::Items(batch) => {
                heard_of(&mut heard, &batch.items);
                None
            }
            Heard::Report(report) => {
                let counts = report.counts.unwrap();
                assert!(counts.items_undecided <= 768, "{counts:?}");
                (counts.items_dropped + counts.items_expired >= 1900).then_some(())
            }
            _ => None,
        })
        .await;
    assert!((768..2000).contains(&heard), "{heard}");
    while scene.beacon.counts().await.items_expired < 768 {}
    scene.goes_on(1).await;
    scene.stop().await;
}
