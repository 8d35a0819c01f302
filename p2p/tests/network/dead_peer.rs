//! A peer that ends without a word.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use crate::common::{Beacon, Node, Plan};
use lean_p2p::{contract::proto::engine_to_beacon::Content as Heard, options::Target};
use temp_dir::TempDir;

/// An engine in a process of its own.
struct Program {
    child: Child,
    target: Target,
    /// What it logs further is not read, and fits into the pipe.
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

/// Waits until the engine reports that it is, or is not, connected to its one target.
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
    let folder = TempDir::new().unwrap();
    let mut program = Program::start(&folder);
    let node = Node::start(Plan { targets: vec![program.target.clone()], ..Plan::default() }).await;
    let mut beacon = Beacon::attach(&node).await;
    connected(&mut beacon, true).await;
    program.kill();
    let killed = Instant::now();
    connected(&mut beacon, false).await;
    // Silence of 5 seconds, and the reports come once a second.
    assert!(killed.elapsed() < Duration::from_secs(8), "{:?}", killed.elapsed());
}
