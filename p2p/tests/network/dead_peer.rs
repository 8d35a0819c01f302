//! A peer that stops without closing its connections.

use std::{
    io::{BufRead, BufReader, Lines},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    common::{Beacon, Node, Plan},
    raw::{Answers, Dialer, Peer},
};
use lean_p2p::{contract::proto::engine_to_beacon::Content as Heard, targets::Target, wire::status::Status};
use temp_dir::TempDir;
use tokio::{net::UdpSocket, task::JoinHandle};

/// An engine in a separate process.
struct Program {
    child: Child,
    target: Target,
    /// Further lines are not read. They fit into the pipe.
    _log: Lines<BufReader<ChildStderr>>,
}

impl Program {
    fn start(folder: &TempDir) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lean-p2p"))
            .current_dir(folder.path())
            .args(["--socket", "engine.sock", "--node-key", "node.key", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let started = log.find_map(|line| line.ok().filter(|line| line.contains(" engine_started "))).unwrap();
        let field = |name: &str| started.split(' ').find_map(|field| field.strip_prefix(name)).unwrap();
        let target = Target {
            peer_id: field("peer_id=").parse().unwrap(),
            address: field("addresses=").trim_matches('"').parse().unwrap(),
        };
        Self { child, target, _log: log }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until the engine reports that its only target is connected, or is not.
async fn connected(beacon: &mut Beacon, is: bool) {
    let what = if is { "the connection" } else { "the end of the connection" };
    beacon
        .hear(what, |heard| match heard {
            Heard::Report(report) => (report.targets.is_empty() == is).then_some(()),
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_was_killed_is_noticed_soon() {
    let mut took = Duration::MAX;
    // A busy machine may delay one of them.
    for _ in 0..3 {
        let folder = TempDir::new().unwrap();
        let mut program = Program::start(&folder);
        let node = Node::start(Plan { targets: vec![program.target.clone()], ..Plan::default() }).await;
        let mut beacon = Beacon::attach(&node).await;
        connected(&mut beacon, true).await;
        program.kill();
        let killed = Instant::now();
        connected(&mut beacon, false).await;
        took = killed.elapsed();
        // The engine waits 5 seconds since its last keep-alive, which it sends within a second, and reports come once a
        // second. By default, QUIC waits 10 seconds.
        if took < Duration::from_secs(10) {
            break;
        }
    }
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// Forwards packets between a client and an engine, from a different address, until the task is aborted.
async fn relay(engine: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut packet, mut client) = ([0; 2048], None);
        loop {
            let (size, from) = socket.recv_from(&mut packet).await.unwrap();
            if from != engine {
                client = Some(from);
            }
            let to = if from == engine { client.unwrap() } else { engine };
            socket.send_to(&packet[..size], to).await.unwrap();
        }
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_is_disconnected_when_one_of_its_connections_falls_silent() {
    let node = Node::start(Plan::default()).await;
    let mut beacon = Beacon::attach(&node).await;
    let port = node.hello.addresses[0].split('/').nth(4).unwrap().parse().unwrap();
    let engine = SocketAddr::from(([127, 0, 0, 1], port));
    let (address, task) = relay(engine).await;
    let dialer = Dialer::new(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    let answers = Answers { agent: "twice".into(), status: Status::default().to_ssz(), blocks: None };
    // An engine accepts two connections of a peer if it dials over two ways at the same time. If a busy machine takes
    // longer than that for the second one, the engine closes both.
    let (direct, _relayed, handle) = loop {
        while beacon.counts().await.connections > 0 {}
        let (direct, relayed) = tokio::join!(Peer::begin(&dialer, engine, answers.clone(), true), dialer.dial(address));
        let (Ok(direct), Ok(relayed)) = (direct, relayed) else { continue };
        let both_stand = async {
            let handle = beacon.peer().await.peer;
            while beacon.counts().await.connections < 2 {}
            handle
        };
        let stands = tokio::select! {
            handle = both_stand => Some(handle),
            _ = direct.connection.closed() => None,
            _ = relayed.closed() => None,
        };
        if let Some(handle) = stands {
            break (direct, relayed, handle);
        }
    };
    task.abort();
    let reason = beacon
        .hear("the end of the peer", |heard| match heard {
            Heard::Disconnected(gone) => (gone.peer == handle).then_some(gone.reason),
            _ => None,
        })
        .await;
    assert!(reason.starts_with("one of its connections was lost"), "{reason}");
    direct.connection.closed().await;
}
