//! Engines on loopback, and beacons that send what a test tells them.

pub mod foreign;

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use lean_p2p::{
    beacon_link::{self, Socket},
    contract::proto::{
        self, BeaconHello, BeaconToEngine, ChainStatus, EngineCounts, EngineHello, GossipItem, PeerConnected,
        PeerReport, Publish, Verdict, Verdicts, beacon_to_engine::Content as Said, engine_to_beacon::Content as Heard,
        gossip_item::Item, network_engine_client::NetworkEngineClient, verdict::Outcome,
    },
    discovery,
    engine::{Engine, Setup},
    gate::Limits,
    gossip::Authors,
    log::{Format, Levels, Log},
    signature_form::SignatureForm,
    targets::Target,
    wire::{
        frame::LengthOf,
        status::{Checkpoint, Status},
    },
};
use libp2p::identity::Keypair;
use temp_dir::TempDir;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Endpoint};

pub use crate::raw::noise;

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The settings of an engine.
pub struct Plan {
    pub key: Keypair,
    pub listen: SocketAddr,
    pub listen_tcp: Vec<SocketAddr>,
    pub discovery: Option<discovery::Plan>,
    pub targets: Vec<Target>,
    pub form: SignatureForm,
    pub authors: Authors,
    pub framing: LengthOf,
    pub limits: Limits,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            key: Keypair::generate_secp256k1(),
            listen: ([127, 0, 0, 1], 0).into(),
            listen_tcp: vec![],
            discovery: None,
            targets: vec![],
            form: SignatureForm::Flat,
            authors: Authors::Refuse,
            framing: LengthOf::Content,
            limits: Limits::new(64, 8),
        }
    }
}

/// A running engine.
pub struct Node {
    pub hello: EngineHello,
    pub socket: PathBuf,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Node {
    pub async fn start(plan: Plan) -> Self {
        let folder = TempDir::new().unwrap();
        let socket = folder.path().join("engine.sock");
        let log = Arc::new(Log::to_stderr(Levels::parse("info").unwrap(), Format::Text).unwrap());
        let setup = Setup {
            key: plan.key,
            name: String::new(),
            targets: plan.targets,
            limits: plan.limits,
            listen: vec![plan.listen],
            listen_tcp: plan.listen_tcp,
            announce: None,
            discovery: plan.discovery,
            network: "devnet0".into(),
            form: plan.form,
            authors: plan.authors,
            framing: plan.framing,
            memory: 4 << 30,
            release_memory: || {},
        };
        let bound = Socket::bind(&socket, None).unwrap();
        let engine = Engine::start(setup, log).await.unwrap();
        let hello = engine.hello().clone();
        let (stop, stopped) = watch::channel(false);
        let (events, link) = mpsc::channel(2);
        let wait = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let server = beacon_link::serve(bound, hello.clone(), events, wait(stopped.clone()));
        let task = tokio::spawn(async move {
            tokio::select! {
                () = engine.run(link, wait(stopped)) => {}
                _ = server => {}
            }
        });
        Self { hello, socket, stop, task, _folder: folder }
    }

    /// Starts an engine that stays connected to these.
    pub async fn with_targets(nodes: &[&Node]) -> Self {
        let targets = nodes.iter().map(|node| node.target()).collect();
        Self::start(Plan { targets, ..Plan::default() }).await
    }

    pub fn target(&self) -> Target {
        let peer_id = self.hello.peer_id.parse().unwrap();
        Target { peer_id, address: self.hello.addresses[0].parse().unwrap() }
    }

    pub async fn stop(self) {
        let _ = self.stop.send(true);
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

/// An attached beacon.
pub struct Beacon {
    say: mpsc::Sender<BeaconToEngine>,
    hear: Streaming<proto::EngineToBeacon>,
}

impl Beacon {
    pub async fn attach(node: &Node) -> Self {
        Self::attach_with(node, 4096, chain_status(1)).await
    }

    pub async fn attach_with(node: &Node, validators: u64, status: ChainStatus) -> Self {
        let hello = BeaconHello {
            contract_version: 1,
            validator_count: validators,
            slot_duration_ms: 1000,
            status: Some(status),
        };
        let (say, mut hear) = open(node, Said::Hello(hello)).await;
        let first = hear.message().await.unwrap().unwrap().content;
        assert_eq!(first, Some(Heard::Hello(node.hello.clone())));
        Self { say, hear }
    }

    pub async fn say(&self, content: Said) {
        self.say.send(BeaconToEngine { content: Some(content) }).await.unwrap();
    }

    /// Waits for a message that `pick` accepts. Other messages are dropped.
    pub async fn hear<T>(&mut self, what: &str, mut pick: impl FnMut(Heard) -> Option<T>) -> T {
        within(what, async {
            loop {
                let message = self.hear.message().await.unwrap().expect("the stream goes on");
                if let Some(found) = message.content.and_then(&mut pick) {
                    return found;
                }
            }
        })
        .await
    }

    /// Waits until the stream ends.
    pub async fn end(&mut self) -> Result<(), tonic::Status> {
        within("the end of the stream", async {
            loop {
                match self.hear.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(()),
                    Err(status) => return Err(status),
                }
            }
        })
        .await
    }

    pub async fn peer(&mut self) -> PeerConnected {
        self.hear("a peer", |heard| match heard {
            Heard::Connected(peer) => Some(peer),
            _ => None,
        })
        .await
    }

    /// Waits for a peer that is in both meshes.
    pub async fn meshed_peer(&mut self) -> PeerConnected {
        let peer = self.peer().await;
        self.is_meshed(peer.peer).await;
        peer
    }

    /// Waits until this peer is in both meshes.
    pub async fn is_meshed(&mut self, peer: u64) {
        let meshed = |report: &PeerReport| report.peer == peer && report.in_block_mesh && report.in_vote_mesh;
        self.hear("a mesh", |heard| match heard {
            Heard::Report(report) => report.peers.iter().any(meshed).then_some(()),
            _ => None,
        })
        .await;
    }

    pub async fn counts(&mut self) -> EngineCounts {
        self.hear("a report", |heard| match heard {
            Heard::Report(report) => report.counts,
            _ => None,
        })
        .await
    }

    /// Receives at least `count` items, and sends this verdict on each.
    pub async fn items(&mut self, count: usize, outcome: Outcome) -> Vec<GossipItem> {
        let mut items = vec![];
        while items.len() < count {
            let batch = self
                .hear("items", |heard| match heard {
                    Heard::Items(batch) => Some(batch.items),
                    _ => None,
                })
                .await;
            let verdicts = batch.iter().map(|item| Verdict { id: item.id, outcome: outcome.into() }).collect();
            self.say(Said::Verdicts(Verdicts { verdicts })).await;
            items.extend(batch);
        }
        items
    }

    pub async fn publish_votes(&self, votes: Vec<Vec<u8>>) {
        self.say(Said::Publish(Publish { blocks: vec![], votes })).await;
    }

    pub async fn publish_block(&self, block: Vec<u8>) {
        self.say(Said::Publish(Publish { blocks: vec![block], votes: vec![] })).await;
    }
}

/// A stream that begins with `first`.
pub async fn open(node: &Node, first: Said) -> (mpsc::Sender<BeaconToEngine>, Streaming<proto::EngineToBeacon>) {
    let channel = Endpoint::from_shared(format!("unix://{}", node.socket.display())).unwrap().connect().await.unwrap();
    let mut client =
        NetworkEngineClient::new(channel).max_decoding_message_size(16 << 20).max_encoding_message_size(16 << 20);
    let (say, said) = mpsc::channel(16);
    say.send(BeaconToEngine { content: Some(first) }).await.unwrap();
    let hear = client.attach(ReceiverStream::new(said)).await.unwrap().into_inner();
    (say, hear)
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} has not come"))
}

pub fn chain_status(head: u64) -> ChainStatus {
    let checkpoint = |slot: u64| Checkpoint { root: [slot as u8; 32], slot };
    Status { finalized: checkpoint(head / 2), head: checkpoint(head) }.into()
}

fn signature(seed: u64) -> Vec<u8> {
    let mut signature = noise(3100, seed);
    signature.extend([0; 16]);
    signature
}

pub fn vote(seed: u64) -> Vec<u8> {
    [noise(136, seed), signature(seed)].concat()
}

pub fn block(signatures: usize, seed: u64) -> Vec<u8> {
    let message = noise(300, seed);
    let mut block = vec![8, 0, 0, 0];
    block.extend((8 + message.len() as u32).to_le_bytes());
    block.extend(message);
    (0..signatures).for_each(|i| block.extend(signature(seed * 10_000 + i as u64)));
    block
}

pub fn votes_of(items: &[GossipItem]) -> Vec<Vec<u8>> {
    let vote = |item: &GossipItem| match &item.item {
        Some(Item::Vote(vote)) => vote.clone(),
        other => panic!("not a vote: {other:?}"),
    };
    items.iter().map(vote).collect()
}

pub fn block_of(item: &GossipItem) -> Vec<u8> {
    match &item.item {
        Some(Item::Block(block)) => block.clone(),
        other => panic!("not a block: {other:?}"),
    }
}
