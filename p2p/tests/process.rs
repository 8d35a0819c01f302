//! The program: files, exit codes and signals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use temp_dir::TempDir;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lean-p2p"));
    command.current_dir(folder).args(["--socket", "engine.sock", "--node-key", "node.key", "--listen", "127.0.0.1:0"]);
    command.stderr(Stdio::piped());
    command
}

type Lines = std::io::Lines<BufReader<ChildStderr>>;

/// The program after its start: what it logged until it listened, and a reader for what it logs later.
fn start_with(folder: &Path, more: &[&str]) -> (Child, Vec<String>, Lines) {
    let mut child = command(folder).args(more).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut logged = vec![];
    while !logged.iter().any(|line: &String| line.contains(" engine_enr ")) {
        logged.push(lines.next().expect("it goes on").unwrap());
    }
    (child, logged, lines)
}

fn start(folder: &Path) -> (Child, Vec<String>) {
    let (child, logged, _) = start_with(folder, &[]);
    (child, logged)
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn it_stops_within_a_second_and_leaves_its_key() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("engine.sock");
    let (mut ids, mut fastest) = (vec![], Duration::MAX);
    for name in ["TERM", "INT", "HUP"] {
        let (mut child, logged, lines) = start_with(folder.path(), &[]);
        let started = logged.iter().find(|line| line.contains(" info    engine_started ")).unwrap();
        ids.push(started.split("peer_id=").nth(1).unwrap().split(' ').next().unwrap().to_owned());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&socket), mode(&folder.path().join("node.key"))), (0o600, 0o600));
        let began = Instant::now();
        signal(&child, name);
        assert!(child.wait().unwrap().success());
        fastest = fastest.min(began.elapsed());
        assert!(!socket.exists());
        assert!(lines.last().unwrap().unwrap().contains(" engine_stopped"), "it said good-bye");
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // A busy machine may delay some of them.
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
}

#[test]
fn a_killed_one_is_followed_by_the_next() {
    let folder = TempDir::new().unwrap();
    let (mut child, _) = start(folder.path());
    let second = command(folder.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process serves on engine.sock"));
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, _) = start(folder.path());
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_prints_the_identity_that_it_runs_with() {
    let folder = TempDir::new().unwrap();
    let print = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lean-p2p"));
        let output =
            command.current_dir(folder.path()).args(["--print-identity", "--node-key", "node.key"]).args(more).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let [peer_id] = print(&[]).try_into().unwrap();
    let [with_address, address, enr] = print(&["--announce", "10.0.0.1:9000"]).try_into().unwrap();
    let id = peer_id.strip_prefix("peer_id: ").unwrap();
    assert_eq!(with_address, peer_id);
    assert_eq!(address, format!("address: /ip4/10.0.0.1/udp/9000/quic-v1/p2p/{id}"));
    let (mut child, lines, _) = start_with(folder.path(), &["--announce", "10.0.0.1:9000"]);
    assert!(lines.iter().any(|line| line.contains(&format!("peer_id={id} "))), "{lines:?}");
    let logged = lines.iter().find_map(|line| line.split_once(" engine_enr enr=")).unwrap().1;
    assert_eq!(enr, format!("enr: {logged}"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn its_log_is_json_if_asked() {
    let folder = TempDir::new().unwrap();
    let mut json = command(folder.path());
    let output = json.args(["--nodes", "absent.yaml", "--log-format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["level"], &last["event"]), (&"error".into(), &"engine_failed".into()), "{log}");
}

#[test]
fn options_may_stand_in_the_environment() {
    let folder = TempDir::new().unwrap();
    let print = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lean-p2p"));
        command.current_dir(folder.path()).envs(variables.iter().copied()).args(more).output().unwrap()
    };
    let key = ("LEAN_P2P_NODE_KEY", "node.key");
    let address = |output: std::process::Output| {
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().nth(1).map(|line| line.split('/').nth(2).unwrap().to_owned())
    };
    let identity = ("LEAN_P2P_PRINT_IDENTITY", "true");
    assert_eq!(address(print(&[key, identity, ("LEAN_P2P_ANNOUNCE", "10.0.0.1:9000")], &[])), Some("10.0.0.1".into()));
    assert_eq!(address(print(&[key, identity, ("LEAN_P2P_LISTEN", "10.0.0.1:1")], &[])), Some("10.0.0.1".into()));
    assert_eq!(address(print(&[key, identity, ("LEAN_P2P_LISTEN", "10.0.0.1:1,10.0.0.2:1")], &[])), None, "two");
    let both = print(&[key, ("LEAN_P2P_ANNOUNCE", "10.0.0.1:9000")], &["--print-identity", "--announce", "10.0.0.2:1"]);
    assert_eq!(address(both), Some("10.0.0.2".into()));
    for (variable, words) in [
        (("LEAN_P2P_ANNOUNCE", "elsewhere"), "--announce is in the environment (LEAN_P2P_ANNOUNCE)"),
        (("LEAN_P2P_ANNOUNC", "10.0.0.1:9"), "LEAN_P2P_ANNOUNC, which is no setting (did you mean LEAN_P2P_ANNOUNCE?)"),
        (("LEAN_P2P_ANNOUNCE", ""), "announce: has no value"),
        (("LEAN_P2P_PRINT_IDENTITY", "yes"), "print-identity: is a flag: expected true or false"),
    ] {
        let wrong = print(&[key, identity, variable], &[]);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&wrong.stderr).contains(words), "{wrong:?}");
    }
}

/// Runs the check of settings with a file and variables.
fn check(folder: &Path, file: &str, variables: &[(&str, &str)], more: &[&str]) -> (Option<i32>, String, String) {
    fs::write(folder.join("p2p.yaml"), file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lean-p2p"));
    command.current_dir(folder).args(["config", "check", "--config", "p2p.yaml"]).args(more);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_effective_settings_are_printed_with_their_origins() {
    let folder = TempDir::new().unwrap();
    let file = "socket: engine.sock\nnode-key: node.key\nmemory: 512\nlisten: [127.0.0.1:1, 127.0.0.1:2]\n";
    let (code, printed, said) =
        check(folder.path(), file, &[("LEAN_P2P_MEMORY", "256"), ("LEAN_P2P_NODE_ID", "one")], &["--node-id", "two"]);
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<String> =
        printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "socket: engine.sock # p2p.yaml:1",
        "node-key: node.key # p2p.yaml:2",
        "memory: 256 # the environment (LEAN_P2P_MEMORY)",
        "node-id: two # an option",
        "listen: [127.0.0.1:1, 127.0.0.1:2] # p2p.yaml:4",
        "network: devnet0 # default",
        "print-identity: false # default",
        "# announce: # not set",
        "log-level: info # default",
    ] {
        assert!(lines.iter().any(|printed| printed == line), "{line} is missing in:\n{printed}");
    }
    assert!(!folder.path().join("node.key").exists(), "nothing is started");
    // What it prints is a file with the same effect.
    let values = |text: &str| text.lines().map(|line| line.split(" #").next().unwrap().to_owned()).collect::<Vec<_>>();
    let (code, again, said) = check(folder.path(), &printed, &[], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(values(&again), values(&printed));
}

#[test]
fn wrong_settings_are_refused_with_their_place() {
    let folder = TempDir::new().unwrap();
    let least = "socket: s\nnode-key: k\n";
    for (file, words) in [
        ("lisen: 127.0.0.1:1\n", "p2p.yaml:3: lisen: unknown setting (did you mean listen?)"),
        ("memory: 1\n", "--memory is in p2p.yaml:3"),
        ("memory: [100, 200]\n", "p2p.yaml:3: memory: takes one value, not a list"),
        ("network:\n", "p2p.yaml:3: network: has no value"),
        ("bootnode: enr:x\n", "--bootnode is in p2p.yaml:3"),
        ("node-key: other\n", "p2p.yaml:3: node-key: it is in p2p.yaml:2 already"),
        ("config: other.yaml\n", "p2p.yaml:3: config: a file names no other file"),
        ("listen: {a: b}\n", "p2p.yaml:3: listen: expected a value or a list of them"),
        ("log-level: info,chain=debug\n", "expected beacon, discovery, gossip, peers, requests"),
        ("peer: [\n", "not YAML"),
    ] {
        let (code, printed, said) = check(folder.path(), &format!("{least}{file}"), &[], &[]);
        assert_eq!((code, printed.as_str()), (Some(2), ""), "{file}: {said}");
        assert!(said.contains(words), "{file}: {said}");
        // The program itself refuses the same.
        let output = Command::new(env!("CARGO_BIN_EXE_lean-p2p"))
            .current_dir(folder.path())
            .args(["--config", "p2p.yaml"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().next(), said.lines().next());
    }
    let (code, _, said) = check(folder.path(), "socket: s\n", &[], &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("--node-key"), "{said}");
    let (code, _, said) = check(folder.path(), least, &[], &["--lisen", "127.0.0.1:1"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("a similar argument exists: '--listen'"), "{said}");
}

#[test]
fn levels_follow_the_file_while_it_runs() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("p2p.yaml");
    let write = |level: &str| {
        // A new file in one step, as editors write it.
        let next = folder.path().join("next.yaml");
        fs::write(&next, format!("log-level: {level}\n")).unwrap();
        fs::rename(&next, &file).unwrap();
    };
    write("info");
    let (mut child, _, mut lines) = start_with(folder.path(), &["--config", "p2p.yaml"]);
    let mut wait_for = |words: &str| {
        let found = lines.by_ref().map(Result::unwrap).find(|line| line.contains(words));
        assert!(found.is_some(), "{words}");
    };
    write("warn,gossip=debug");
    wait_for("log_level_changed level=\"warn,gossip=debug\"");
    write("loud");
    wait_for("settings_refused message=");
    write("info");
    wait_for("log_level_changed level=info");
    signal(&child, "TERM");
    wait_for(" engine_stopped");
    assert!(child.wait().unwrap().success());
}

#[test]
fn wrong_options_are_told() {
    let folder = TempDir::new().unwrap();
    let output = command(folder.path()).args(["--peer", "10.0.0.1:9000"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("invalid value '10.0.0.1:9000' for '--peer <ADDRESS>'"));
    let output = Command::new(env!("CARGO_BIN_EXE_lean-p2p")).args(["--node-key", "node.key"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--socket <PATH>"));
    let output = command(folder.path()).args(["--nodes", "missing.yaml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read missing.yaml"));
}

#[test]
fn metrics_are_served() {
    let folder = TempDir::new().unwrap();
    let (mut child, logged, lines) = start_with(folder.path(), &["--metrics-address", "0"]);
    let mut lines = logged.into_iter().chain(lines.map(Result::unwrap));
    let line = lines.find(|line| line.contains(" metrics_listening ")).unwrap();
    let address = line.split_once("http://").unwrap().1.split('/').next().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    for part in ["HTTP/1.1 200 OK", "text/plain; version=0.0.4", "\nlean_p2p_peers 0\n", "\nprocess_open_fds "] {
        assert!(answer.contains(part), "{part:?} is missing in {answer}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
