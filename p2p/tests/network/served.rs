//! Peers that send endless requests for blocks do not keep other peers from being served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::{
    common::{Beacon, Node, Plan, block, within},
    raw::{
        Answers, Dialer, Peer,
        connection::{line, open},
    },
};
use lean_p2p::{
    contract::{
        End,
        proto::{
            BlockAnswer, BlockRequest, BlocksByRoot, beacon_to_engine::Content as Said, block_request::Blocks,
            engine_to_beacon::Content as Heard,
        },
    },
    requests::{BY_RANGE, BY_ROOT},
    wire::{
        frame::{self, LengthOf},
        status::Status,
    },
};
use tokio::sync::mpsc;

/// The address of the attackers.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An engine, and another engine at a different address that sends it a request.
struct Scene {
    node: Node,
    beacon: Beacon,
    other: Node,
    asks: Beacon,
    /// The handles of each other.
    asker: u64,
    asked: u64,
}

impl Scene {
    async fn set() -> Self {
        let node = Node::start(Plan::default()).await;
        let listen = SocketAddr::from(([127, 0, 0, 2], 0));
        let other = Node::start(Plan { listen, targets: vec![node.target()], ..Plan::default() }).await;
        let (mut beacon, mut asks) = (Beacon::attach(&node).await, Beacon::attach(&other).await);
        let (asker, asked) = (beacon.peer().await, asks.peer().await);
        assert!(asker.address.starts_with("/ip4/127.0.0.2/"), "{}", asker.address);
        Self { node, beacon, other, asks, asker: asker.peer, asked: asked.peer }
    }

    /// A peer that the beacon knows: requests of others are refused.
    async fn attacker(&mut self, dialer: &Dialer) -> Peer {
        let to = self.node.hello.addresses[0].split('/').nth(4).unwrap().parse().unwrap();
        let answers = Answers { agent: "asker".into(), status: Status::default().to_ssz(), blocks: None };
        let peer = Peer::begin(dialer, SocketAddr::new(ADDRESS, to), answers, true).await.unwrap();
        self.beacon.peer().await;
        peer
    }

    /// Waits until this many requests have reached the beacon.
    async fn requests(&mut self, count: usize) {
        for _ in 0..count {
            self.beacon.hear("a request", |heard| matches!(heard, Heard::Request(_)).then_some(())).await;
        }
    }

    /// The request of the other engine reaches the beacon, and the answer comes back.
    async fn goes_on(mut self) {
        let blocks = Some(Blocks::ByRoot(BlocksByRoot { roots: vec![vec![7; 32]] }));
        self.asks.say(Said::Request(BlockRequest { id: 1, peer: self.asked, blocks })).await;
        let (asker, beacon) = (self.asker, &mut self.beacon);
        let answered = async {
            let id = beacon
                .hear("the request", |heard| match heard {
                    Heard::Request(request) if request.peer == asker => Some(request.id),
                    _ => None,
                })
                .await;
            let answer =
                BlockAnswer { id, blocks: vec![block(1, 1)], end: End::Complete.into(), message: String::new() };
            beacon.say(Said::Answer(answer)).await;
        };
        let heard = self.asks.hear("the answer", |heard| match heard {
            Heard::Answer(answer) => Some(answer),
            _ => None,
        });
        let (answer, ()) = tokio::join!(heard, answered);
        assert_eq!((answer.end(), answer.blocks.len()), (End::Complete, 1), "{}", answer.message);
        self.node.stop().await;
        self.other.stop().await;
    }
}

fn request(seed: u64) -> Vec<u8> {
    frame::write(&[seed as u8; 32], LengthOf::Content).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_peers_of_one_address_leave_room_for_others() {
    let mut scene = Scene::set().await;
    let (refused, mut refusals) = mpsc::unbounded_channel();
    let mut attackers = vec![];
    for seed in 0..16 {
        let peer = scene.attacker(&Dialer::new(ADDRESS).unwrap()).await;
        for _ in 0..4 {
            let (connection, refused) = (peer.connection.clone(), refused.clone());
            tokio::spawn(async move {
                let (mut send, mut recv) = open(&connection, BY_ROOT.as_ref()).await.unwrap();
                send.write_all(&request(seed as u64)).await.unwrap();
                send.finish().unwrap();
                // Only a refusal arrives: the beacon does not answer.
                recv.read_chunk(1, true).await.ok().flatten().map(|_| refused.send(()))
            });
        }
        attackers.push(peer);
    }
    // At most two of the four requests of each peer are under way.
    for _ in 0..32 {
        within("a refusal", refusals.recv()).await.unwrap();
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_that_nobody_reads_take_no_room() {
    let mut scene = Scene::set().await;
    let negotiation = |protocol: &str| [line("/multistream/1.0.0"), line(protocol)].concat();
    // On a stream that is not read, the engine can send the negotiation only.
    let window = negotiation(BY_RANGE.as_ref()).len() as u32;
    let mut attackers = vec![];
    for _ in 0..8 {
        attackers.push(scene.attacker(&Dialer::with_window(ADDRESS, window).unwrap()).await);
    }
    let mut streams = vec![];
    for (seed, attacker) in attackers.iter().enumerate() {
        for protocol in [BY_ROOT, BY_ROOT, BY_ROOT, BY_ROOT, BY_RANGE, BY_RANGE, BY_RANGE, BY_RANGE] {
            let (mut send, recv) = attacker.connection.open_bi().await.unwrap();
            send.write_all(&[negotiation(protocol.as_ref()), request(seed as u64)].concat()).await.unwrap();
            send.finish().unwrap();
            streams.push(recv);
        }
    }
    // Two requests of each attacker.
    scene.requests(16).await;
    scene.goes_on().await;
}
