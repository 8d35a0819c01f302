//! All attacks on an engine that has an honest peer.

use std::{collections::HashMap, net::SocketAddr, sync::atomic::Ordering, time::Duration};

use clap::ValueEnum;
use lean_p2p::{contract::proto::engine_to_beacon::Content as Heard, wire::status::Status};

use crate::{
    common::{Beacon, Node},
    hostile::Scene,
    raw::{
        Answers,
        attacks::{self, Attack, Done},
    },
};

fn address(node: &Node) -> SocketAddr {
    let port = node.hello.addresses[0].split('/').nth(4).unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn answers(agent: &str) -> Answers {
    Answers { agent: agent.into(), status: Status::default().to_ssz(), blocks: None }
}

async fn lead(attack: Attack, node: &Node, connections: usize, time: Duration) -> Done {
    let answers = answers(&format!("{attack:?}"));
    let plan = attacks::Plan { to: address(node), from_many: false, connections, time, answers };
    attacks::run(attack, &plan).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_attack_keeps_an_honest_peer_from_being_heard() {
    let mut scene = Scene::set_with(32).await;
    for (seed, attack) in Attack::value_variants().iter().enumerate() {
        let mut done = Done::default();
        // On a busy machine an attack may not have begun before its time is over.
        while done.bytes_out.load(Ordering::Relaxed) == 0 {
            done = lead(*attack, &scene.node, 2, Duration::from_millis(500)).await;
        }
        println!("{attack:?}: {}", done.line());
        scene.goes_on(seed as u64).await;
    }
    // The honest peer was never disconnected, and is in both meshes.
    let (peer, mut last) = (scene.peer, None);
    scene
        .beacon
        .hear("a report of now", |heard| match heard {
            Heard::Disconnected(gone) => {
                assert!(gone.peer != peer, "{}", gone.reason);
                None
            }
            Heard::Report(report) => {
                last = report.peers.iter().find(|report| report.peer == peer).cloned();
                last.as_ref().filter(|report| report.in_block_mesh && report.in_vote_mesh).map(|_| ())
            }
            _ => None,
        })
        .await;
    assert!(last.unwrap().score > 0.0);
    scene.stop().await;
}

/// Waits until the peer with this name is disconnected. Returns the reason.
async fn end_of(beacon: &mut Beacon, agent: &str) -> String {
    let mut names = HashMap::new();
    beacon
        .hear("the end of a peer", |heard| match heard {
            Heard::Connected(peer) => {
                names.insert(peer.peer, peer.agent);
                None
            }
            Heard::Disconnected(gone) if names.get(&gone.peer).is_some_and(|name| name == agent) => Some(gone.reason),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_breaks_the_rules_of_gossip_is_sent_away() {
    let mut scene = Scene::set_with(32).await;
    for attack in [Attack::NoSnappy, Attack::Bombs, Attack::Signed, Attack::Grafts] {
        let name = format!("{attack:?}");
        let leading = async {
            loop {
                lead(attack, &scene.node, 1, Duration::from_secs(4)).await;
            }
        };
        let why = tokio::select! {
            why = end_of(&mut scene.beacon, &name) => why,
            () = leading => unreachable!("it has no end"),
        };
        assert_eq!(why, "its gossip breaks the rules", "{attack:?}");
    }
    scene.goes_on(1).await;
    scene.stop().await;
}
