//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Command, CommandFactory, FromArgMatches, Parser, error::ErrorKind};
use libp2p::{PeerId, identity::Keypair};

use crate::{
    discovery,
    enr::{Enr, Ports},
    gossip::Authors,
    log::{Format, Levels},
    nodes_yaml,
    settings::{self, Origins},
    signature_form::SignatureForm,
    targets::Target,
    wire::frame::LengthOf,
};

/// The network engine of a lean Ethereum node: it speaks libp2p with other clients and serves a beacon on a unix
/// socket.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "lean-p2p",
    version,
    after_help = "Each option may also stand in the file of --config, and in the environment as LEAN_P2P_NODE_KEY for \
                  --node-key, with commas between several values. `lean-p2p config check` takes the same options."
)]
pub struct Options {
    /// YAML file with these options as `name: value`; an option has precedence over the environment (LEAN_P2P_NAME), which
    /// has precedence over the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Unix socket on which this engine serves a beacon
    #[arg(long, value_name = "PATH", required_unless_present = "print_identity")]
    pub socket: Option<PathBuf>,

    /// Group whose members may open the socket as well
    #[arg(long, value_name = "NAME")]
    pub socket_group: Option<String>,

    /// File with the key that identifies this engine to its peers: 32 bytes in hex; made if it is missing
    #[arg(long, value_name = "FILE")]
    pub node_key: PathBuf,

    /// Name of this node in the log
    #[arg(long, value_name = "NAME")]
    pub node_id: Option<String>,

    /// Address to listen on for QUIC; may be repeated
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:9000")]
    pub listen: Vec<SocketAddr>,

    /// Address to listen on for TCP (noise, yamux) as well; may be repeated
    #[arg(long, value_name = "IP:PORT")]
    pub listen_tcp: Vec<SocketAddr>,

    /// Address at which others reach this engine for QUIC, for its ENR; by default the listening address, if there is
    /// only one
    #[arg(long, value_name = "IP:PORT")]
    pub announce: Option<SocketAddr>,

    /// Peer to stay connected to, /ip4/.../udp/.../quic-v1/p2p/..., /ip4/.../tcp/.../p2p/... or enr:...; may be
    /// repeated
    #[arg(long, value_name = "ADDRESS", value_parser = Target::parse)]
    pub peer: Vec<Target>,

    /// YAML list of the ENRs of peers to stay connected to; the engine's own entry names the address to announce
    #[arg(long, value_name = "FILE")]
    pub nodes: Option<PathBuf>,

    /// UDP address for discovery of peers by discv5, starting with the bootnodes; off by default
    #[arg(long, value_name = "IP:PORT", value_parser = own_port)]
    pub discovery: Option<SocketAddr>,

    /// ENR of a node that discovery asks first; may be repeated. Nodes of --nodes with a udp port are asked as well
    #[arg(long, value_name = "ENR", requires = "discovery")]
    pub bootnode: Vec<discv5::Enr>,

    /// Name of the network in the gossip topics
    #[arg(long, value_name = "NAME", default_value = "devnet0", value_parser = network_name)]
    pub network: String,

    /// Form of signatures on the wire: 3116 flat bytes, or leanSig's SSZ of 3112 bytes
    #[arg(long, value_name = "FORM", default_value = "flat", value_enum)]
    pub signature_form: SignatureForm,

    /// Handling of gossip that names an author without a signature: refuse it as invalid, or ignore the author
    #[arg(long, value_name = "WHAT", default_value = "refuse", value_enum)]
    pub gossip_authors: Authors,

    /// What the length prefix of a request counts, until a peer has shown what its own prefixes count
    #[arg(long, value_name = "FRAMING", default_value = "content", value_enum)]
    pub request_framing: LengthOf,

    /// Most connections in total
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_connections: u32,

    /// Most connections from one address; four times as many from this machine
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_connections_per_ip: u32,

    /// Memory in MiB above which strangers are disconnected
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(64..=65_536))]
    pub memory: u32,

    /// Address of the metrics for Prometheus, or a port of 127.0.0.1; without it there are none
    #[arg(long, value_name = "IP:PORT", value_parser = metrics_address)]
    pub metrics_address: Option<SocketAddr>,

    /// Print peer id, address and ENR of this engine, and exit; the key is made if it is missing
    #[arg(long)]
    pub print_identity: bool,

    /// Least level that is logged: debug, info, warn or error; also for parts: info,gossip=debug. It may be changed in the
    /// file of --config while the program runs
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = Levels::parse)]
    pub log_level: Levels,

    /// Form of the log: text, with columns and colours on a terminal; or JSON, one object a line
    #[arg(long, value_name = "FORM", default_value = "text", value_enum)]
    pub log_format: Format,
}

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Order {
    /// To run with these options, or to print the identity.
    Run(Box<Options>),
    /// To print the effective settings, which are these.
    Check(String),
}

/// The words that select the check of settings.
const CHECK: [&str; 2] = ["config", "check"];
const CHECK_HELP: &str = "Prints the effective settings, and where each comes from, as a file for --config.";

impl Order {
    /// Reads the arguments, the first of which is the program, with the environment and the file of settings.
    pub fn read(arguments: &[OsString], environment: &[(OsString, OsString)]) -> Result<Self, clap::Error> {
        let mut command = Options::command().mut_args(|arg| match arg.get_action() {
            ArgAction::Append => arg.value_delimiter(','),
            _ => arg,
        });
        // The check has the options of the program itself, so it is no subcommand for clap.
        let mut arguments = arguments.to_vec();
        let checks = arguments.iter().skip(1).take(CHECK.len()).eq(&CHECK.map(OsString::from));
        if checks {
            arguments.drain(1..=CHECK.len());
            command = command.bin_name("lean-p2p config check").after_help(CHECK_HELP);
        }
        let (completed, origins) = settings::complete(&command, &arguments, environment)
            .map_err(|why| command.error(ErrorKind::ValueValidation, why))?;
        let matches = match command.try_get_matches_from_mut(&completed) {
            Ok(matches) => matches,
            Err(error) => return Err(with_origins(error, &origins, &mut command)),
        };
        if checks {
            return Ok(Self::Check(settings::print(&command, &matches, &origins)));
        }
        let mut options = Options::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        options.config = settings::file_of(&arguments, environment).ok().flatten().map(PathBuf::from);
        Ok(Self::Run(Box::new(options)))
    }
}

/// An error that tells where the options that it names come from, if not from the command line.
fn with_origins(error: clap::Error, origins: &Origins, command: &mut Command) -> clap::Error {
    let what = cause(&error);
    let named = settings::origins_in(&what, origins);
    if named.is_empty() { error } else { command.error(error.kind(), format!("{what}{named}")) }
}

/// What is wrong, without the usage of the program.
pub fn cause(error: &clap::Error) -> String {
    let text = error.to_string();
    text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ").trim().into()
}

impl Options {
    fn nodes(&self) -> Result<Vec<Enr>, String> {
        self.nodes.as_ref().map_or(Ok(vec![]), |path| nodes_yaml::read(path))
    }

    /// The address at which others reach this engine for QUIC, if the operator names one.
    pub fn announced(&self, own: PeerId) -> Result<Option<SocketAddr>, String> {
        let listed = self.nodes()?.into_iter().find(|node| node.peer_id == own);
        Ok(self.announce.or_else(|| listed.and_then(|node| Some((node.ip, node.ports.quic?).into()))))
    }

    /// The settings of discovery. None: it is off.
    pub fn discovery(&self) -> Result<Option<discovery::Plan>, String> {
        let Some(listen) = self.discovery else { return Ok(None) };
        let mut bootnodes: Vec<_> = self.bootnode.iter().map(discv5::Enr::to_base64).collect();
        bootnodes.extend(self.nodes()?.iter().filter(|node| node.ports.udp.is_some()).map(Enr::to_string));
        Ok(Some(discovery::Plan { listen, bootnodes }))
    }

    /// All peers to stay connected to, without duplicates and without this engine.
    pub fn targets(&self, own: PeerId) -> Result<Vec<Target>, String> {
        let mut targets = self.peer.clone();
        targets.extend(self.nodes()?.iter().map(Target::from));
        let mut seen = std::collections::HashSet::from([own]);
        targets.retain(|target| seen.insert(target.peer_id));
        let most = self.max_connections as usize;
        if targets.len() > most {
            return Err(format!(
                "there are {} peers to stay connected to, but at most {most} connections",
                targets.len()
            ));
        }
        Ok(targets)
    }

    /// The record of this engine for others, as far as it is known before the engine listens.
    pub fn record(&self, key: &Keypair) -> Result<Option<Enr>, String> {
        let only = |addresses: &[SocketAddr]| match addresses {
            [address] if address.port() != 0 => Some(*address),
            _ => None,
        };
        let listens = only(&self.listen).filter(|address| !address.ip().is_unspecified());
        let Some(address) = self.announced(key.public().to_peer_id())?.or(listens) else { return Ok(None) };
        let ports = Ports {
            quic: Some(address.port()),
            tcp: only(&self.listen_tcp).map(|address| address.port()),
            udp: self.discovery.map(|address| address.port()),
        };
        Enr::make(key, address.ip(), ports, 1).map(Some)
    }
}

/// Parses an address whose port others need to know, so that it cannot be 0.
fn own_port(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error: std::net::AddrParseError| error.to_string())?;
    if address.port() == 0 { Err("its port is 0".into()) } else { Ok(address) }
}

fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
    port.or_else(|_| text.parse()).map_err(|_| "expected IP:PORT, or PORT on 127.0.0.1".into())
}

fn network_name(text: &str) -> Result<String, String> {
    let fits =
        !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits { Ok(text.into()) } else { Err("a name has 1 to 32 letters, digits, '-', '_' or '.'".into()) }
}

#[cfg(test)]
mod tests {
    use temp_dir::TempDir;

    use super::*;

    const ID: &str = "16Uiu2HAmPQhkD6Zg5Co2ee8ShshkiY4tDePKFARPpCS2oKSLj1E1";

    fn parse(more: &[&str]) -> Result<Options, clap::Error> {
        let arguments: Vec<OsString> = [&["lean-p2p", "--socket", "s", "--node-key", "k"], more]
            .concat()
            .into_iter()
            .map(OsString::from)
            .collect();
        match Order::read(&arguments, &[])? {
            Order::Run(options) => Ok(*options),
            Order::Check(settings) => panic!("{settings}"),
        }
    }

    #[test]
    fn an_own_entry_and_a_repeated_one_are_passed_over() {
        let other = PeerId::random();
        let of = |id: &str| format!("/ip4/10.0.0.1/udp/9000/quic-v1/p2p/{id}");
        let options =
            parse(&["--peer", &of(ID), "--peer", &of(&other.to_string()), "--peer", &of(&other.to_string())]).unwrap();
        let targets = options.targets(ID.parse().unwrap()).unwrap();
        assert_eq!(targets.iter().map(|target| target.peer_id).collect::<Vec<_>>(), [other]);
    }

    #[test]
    fn others_dial_what_is_announced_or_the_only_address() {
        let key = Keypair::generate_secp256k1();
        let record = |more: &[&str]| parse(more).unwrap().record(&key).unwrap();
        let address = |more: &[&str]| record(more).unwrap().multiaddr().to_string();
        assert_eq!(address(&["--listen", "10.0.0.1:9000"]), "/ip4/10.0.0.1/udp/9000/quic-v1");
        assert_eq!(address(&["--announce", "192.0.2.1:9"]), "/ip4/192.0.2.1/udp/9/quic-v1");
        for unknown in [&[][..], &["--listen", "10.0.0.1:0"], &["--listen", "10.0.0.1:1", "--listen", "10.0.0.1:2"]] {
            assert_eq!(record(unknown), None, "{unknown:?}");
        }
        let all = ["--listen", "10.0.0.1:1", "--listen-tcp", "0.0.0.0:2", "--discovery", "0.0.0.0:3"];
        assert_eq!(record(&all).unwrap().ports, Ports { quic: Some(1), tcp: Some(2), udp: Some(3) });
    }

    #[test]
    fn a_file_of_nodes_tells_the_own_address_and_where_a_search_begins() {
        let (own, other) = (Keypair::generate_secp256k1(), Keypair::generate_secp256k1());
        let enr = |key, udp| {
            let ports = Ports { quic: Some(9000), tcp: None, udp };
            Enr::make(key, [10, 0, 0, 1].into(), ports, 1).unwrap().to_string()
        };
        let bootnode = enr(&other, Some(9001));
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("nodes.yaml");
        std::fs::write(&file, format!("- {}\n- {bootnode}\n", enr(&own, None))).unwrap();
        let with = |more: &[&str]| parse(&[&["--nodes", file.to_str().unwrap()], more].concat()).unwrap();
        let (own, stranger) = (own.public().to_peer_id(), PeerId::random());
        assert_eq!(with(&[]).announced(own), Ok("10.0.0.1:9000".parse().ok()));
        assert_eq!(with(&[]).announced(stranger), Ok(None));
        assert_eq!(with(&["--announce", "10.0.0.2:1"]).announced(own), Ok("10.0.0.2:1".parse().ok()));
        assert!(with(&[]).discovery().unwrap().is_none());
        let plan = with(&["--discovery", "127.0.0.1:9002"]).discovery().unwrap().unwrap();
        assert_eq!((plan.listen.to_string(), plan.bootnodes), ("127.0.0.1:9002".into(), vec![bootnode.clone()]));
        assert!(parse(&["--bootnode", &bootnode]).is_err(), "a search of what?");
        assert!(parse(&["--discovery", "127.0.0.1:0"]).is_err());
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for wrong in
            [["--network", "a/b"], ["--signature-form", "other"], ["--request-framing", "other"], ["--listen", "9000"]]
        {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
