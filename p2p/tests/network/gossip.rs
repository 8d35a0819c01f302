//! Gossip between engines on loopback: only what the beacon in the middle accepts is forwarded.

use std::collections::HashSet;

use crate::common::{
    Beacon, Node, Plan, block, block_of, chain_status,
    foreign::{Foreign, Manners, only_status},
    vote, votes_of,
};
use lean_p2p::{
    budget::STRANGER_BYTES,
    contract::{
        Outcome,
        proto::{engine_to_beacon::Content as Heard, gossip_item::Item},
    },
    gossip::Authors,
    signature_form::SignatureForm,
    wire::frame::LengthOf,
};

/// Three engines in a line, with their beacons: the first and the last are connected to the middle one only.
struct Line {
    nodes: [Node; 3],
    first: Beacon,
    between: Beacon,
    last: Beacon,
}

async fn line(form: SignatureForm) -> Line {
    let middle = Node::start(Plan { form, ..Plan::default() }).await;
    let mut between = Beacon::attach(&middle).await;
    let outer = || Plan { targets: vec![middle.target()], form, ..Plan::default() };
    let (a, b) = (Node::start(outer()).await, Node::start(outer()).await);
    let (mut first, mut last) = (Beacon::attach(&a).await, Beacon::attach(&b).await);
    let (one, other) = (between.peer().await, between.peer().await);
    between.is_meshed(one.peer).await;
    between.is_meshed(other.peer).await;
    first.meshed_peer().await;
    last.meshed_peer().await;
    Line { nodes: [a, middle, b], first, between, last }
}

impl Line {
    async fn stop(self) {
        for node in self.nodes {
            node.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_is_passed_on_and_nothing_else() {
    for form in [SignatureForm::Flat, SignatureForm::Leansig] {
        let mut line = line(form).await;
        for (seed, outcome) in [(1, Outcome::Ignore), (2, Outcome::Reject), (3, Outcome::Accept)] {
            line.first.publish_votes(vec![vote(seed)]).await;
            assert_eq!(votes_of(&line.between.items(1, outcome).await), [vote(seed)]);
        }
        // The first item that the last beacon receives is the one that was accepted.
        assert_eq!(votes_of(&line.last.items(1, Outcome::Accept).await), [vote(3)]);
        for (seed, outcome) in [(1, Outcome::Ignore), (2, Outcome::Accept)] {
            line.first.publish_block(block(2, seed)).await;
            assert_eq!(block_of(&line.between.items(1, outcome).await[0]), block(2, seed));
        }
        assert_eq!(block_of(&line.last.items(1, Outcome::Accept).await[0]), block(2, 2));
        line.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_vote_of_a_burst_arrives() {
    let mut line = line(SignatureForm::Flat).await;
    let votes: Vec<_> = (0..4096).map(vote).collect();
    let expected: HashSet<_> = votes.iter().cloned().collect();
    for part in votes.chunks(1024) {
        line.first.publish_votes(part.to_vec()).await;
    }
    let between = async { votes_of(&line.between.items(4096, Outcome::Accept).await) };
    let last = async { votes_of(&line.last.items(4096, Outcome::Accept).await) };
    let (between, last) = tokio::join!(between, last);
    for heard in [between, last] {
        assert_eq!(heard.len(), 4096);
        assert!(heard.into_iter().collect::<HashSet<_>>() == expected);
    }
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_does_not_keep_out_a_block_that_others_forward() {
    let mut line = line(SignatureForm::Flat).await;
    let stranger = Foreign::dial(&line.nodes[2], Manners::default(), |_, _| None).await;
    let before = line.last.counts().await.bytes_in;
    let block = block(100, 1);
    stranger.publish("block", snap::raw::Encoder::new().compress_vec(&block).unwrap()).await;
    while line.last.counts().await.bytes_in < before + STRANGER_BYTES as u64 {}
    line.first.publish_block(block.clone()).await;
    assert!(block_of(&line.between.items(1, Outcome::Accept).await[0]) == block);
    // Had the engine read the whole block of the stranger, it would have told the middle one not to send it.
    assert!(block_of(&line.last.items(1, Outcome::Accept).await[0]) == block);
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_blocks_arrive() {
    let mut line = line(SignatureForm::Flat).await;
    for signatures in [2600, 4096] {
        let block = block(signatures, signatures as u64);
        line.first.publish_block(block.clone()).await;
        assert!(block_of(&line.between.items(1, Outcome::Accept).await[0]) == block);
        assert!(block_of(&line.last.items(1, Outcome::Accept).await[0]) == block);
    }
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gossip_that_names_an_author_is_taken_where_the_operator_says_so() {
    for (authors, signs) in [(Authors::Ignore, false), (Authors::Ignore, true), (Authors::Refuse, false)] {
        let node = Node::start(Plan { authors, ..Plan::default() }).await;
        let mut beacon = Beacon::attach(&node).await;
        let manners = Manners { signs, names_author: true, ..Manners::default() };
        let foreign = Foreign::dial(&node, manners, only_status(LengthOf::Content)).await;
        beacon.meshed_peer().await;
        let content = snap::raw::Encoder::new().compress_vec(&vote(1)).unwrap();
        foreign.publish("attestation", content).await;
        if authors == Authors::Ignore && !signs {
            assert_eq!(votes_of(&beacon.items(1, Outcome::Accept).await), [vote(1)]);
        } else {
            beacon
                .hear("a bad score", |heard| match heard {
                    Heard::Report(report) => report.peers.iter().any(|peer| peer.score < 0.0).then_some(()),
                    _ => None,
                })
                .await;
        }
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_votes_wait_for_a_peer_that_takes_little() {
    let node = Node::start(Plan::default()).await;
    let slow = Node::with_targets(&[&node]).await;
    // In a small network an engine reads 64 MiB without a pause, and a megabyte a second after that.
    let mut reader = Beacon::attach_with(&slow, 4, chain_status(1)).await;
    let mut beacon = Beacon::attach(&node).await;
    reader.meshed_peer().await;
    beacon.meshed_peer().await;
    for seed in 0..6 {
        beacon.publish_block(block(4096, seed)).await;
    }
    // The votes wait for 8 seconds behind the blocks.
    let votes: Vec<_> = (0..500).map(vote).collect();
    beacon.publish_votes(votes.clone()).await;
    let items = reader.items(6 + votes.len(), Outcome::Accept).await;
    let arrived = items.iter().filter_map(|item| match &item.item {
        Some(Item::Vote(vote)) => Some(vote.clone()),
        _ => None,
    });
    assert_eq!(arrived.collect::<HashSet<_>>(), votes.into_iter().collect());
    assert_eq!(beacon.counts().await.unsent, 0);
}
