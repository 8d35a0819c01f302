//! The command line.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Parser;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

use crate::{enr::Enr, log::Level, nodes_yaml, signature_form::SignatureForm};

/// The network engine of a lean Ethereum node: it speaks libp2p with other clients, and serves a beacon on a unix socket.
#[derive(Clone, Debug, Parser)]
#[command(name = "lean-p2p", version)]
pub struct Options {
    /// Unix socket on which a beacon finds this engine
    #[arg(long, value_name = "PATH", required_unless_present = "print_identity")]
    pub socket: Option<PathBuf>,

    /// Group whose members may open the socket, too
    #[arg(long, value_name = "NAME")]
    pub socket_group: Option<String>,

    /// File with the key that names this engine among its peers: 32 bytes in hex; made when it is missing
    #[arg(long, value_name = "FILE")]
    pub node_key: PathBuf,

    /// Name of this node, for its log
    #[arg(long, value_name = "NAME")]
    pub node_id: Option<String>,

    /// Address to listen on for QUIC; several
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:9000")]
    pub listen: Vec<SocketAddr>,

    /// Address under which others reach this engine, for its ENR; the one it listens on when it listens on one
    #[arg(long, value_name = "IP:PORT")]
    pub announce: Option<SocketAddr>,

    /// Peer to stay connected to, /ip4/.../udp/.../quic-v1/p2p/... or enr:...; several
    #[arg(long, value_name = "ADDRESS", value_parser = Target::parse)]
    pub peer: Vec<Target>,

    /// YAML list of the ENRs of peers to stay connected to; an own entry is passed over
    #[arg(long, value_name = "FILE")]
    pub nodes: Option<PathBuf>,

    /// Name of the network within the gossip topics
    #[arg(long, value_name = "NAME", default_value = "devnet0", value_parser = network_name)]
    pub network: String,

    /// How signatures are encoded on the wire: 3116 flat bytes, or leanSig's SSZ of 3112 bytes
    #[arg(long, value_name = "FORM", default_value = "flat", value_enum)]
    pub signature_form: SignatureForm,

    /// Connections in all
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_connections: u32,

    /// Connections from one address; four times as many from this machine
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_connections_per_ip: u32,

    /// Memory above which strangers are turned away, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(64..=65_536))]
    pub memory: u32,

    /// Print what others need to dial this engine (peer id, address and ENR), and end; the key is made when it is missing
    #[arg(long)]
    pub print_identity: bool,

    /// What is logged
    #[arg(long, value_name = "LEVEL", default_value = "info", value_enum)]
    pub log_level: Level,
}

impl Options {
    /// All peers to stay connected to, each once, without this engine itself.
    pub fn targets(&self, own: PeerId) -> Result<Vec<Target>, String> {
        let mut targets = self.peer.clone();
        if let Some(path) = &self.nodes {
            targets.extend(nodes_yaml::read(path)?.iter().map(Target::from));
        }
        let mut seen = std::collections::HashSet::from([own]);
        targets.retain(|target| seen.insert(target.peer_id));
        let most = self.max_connections as usize;
        if targets.len() > most {
            return Err(format!("{} peers to stay connected to, and at most {most} connections", targets.len()));
        }
        Ok(targets)
    }

    /// Where others dial this engine, as far as that is known before it listens.
    pub fn address_for_others(&self) -> Option<SocketAddr> {
        let only = match self.listen.as_slice() {
            [address] if !address.ip().is_unspecified() && address.port() != 0 => Some(*address),
            _ => None,
        };
        self.announce.or(only)
    }
}

/// A peer to stay connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its identity: nobody else is taken for it.
    pub peer_id: PeerId,
    /// Without the identity.
    pub address: Multiaddr,
}

impl Target {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("enr:") {
            return Enr::parse(text).map(|enr| Self::from(&enr));
        }
        let mut address: Multiaddr = text.parse().map_err(|error| format!("{error}"))?;
        let Some(Protocol::P2p(peer_id)) = address.pop() else {
            return Err("it does not end with /p2p/ and the peer's id".into());
        };
        match address.iter().collect::<Vec<_>>().as_slice() {
            [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(1..), Protocol::QuicV1] => {
                Ok(Self { peer_id, address })
            }
            _ => Err("it is not /ip4/.../udp/.../quic-v1/p2p/...".into()),
        }
    }
}

impl From<&Enr> for Target {
    fn from(enr: &Enr) -> Self {
        Self { peer_id: enr.peer_id, address: enr.multiaddr() }
    }
}

/// The address within a multiaddr.
pub fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        // The same host, whichever way it came.
        Protocol::Ip6(ip) => Some(ip.to_canonical()),
        _ => None,
    })
}

fn network_name(text: &str) -> Result<String, String> {
    let fits =
        !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits { Ok(text.into()) } else { Err("a name has 1 to 32 letters, digits, '-', '_' or '.'".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "16Uiu2HAmPQhkD6Zg5Co2ee8ShshkiY4tDePKFARPpCS2oKSLj1E1";

    fn parse(more: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["lean-p2p", "--socket", "s", "--node-key", "k"], more].concat())
    }

    #[test]
    fn a_peer_is_named_by_address_and_identity() {
        let target = Target::parse(&format!("/ip4/10.0.0.1/udp/9000/quic-v1/p2p/{ID}")).unwrap();
        assert_eq!(
            (target.peer_id.to_string(), target.address.to_string()),
            (ID.into(), "/ip4/10.0.0.1/udp/9000/quic-v1".into())
        );
        for wrong in ["/ip4/10.0.0.1/udp/9000/quic-v1", "/ip4/10.0.0.1/tcp/9000", "10.0.0.1:9000", "enr:xyz", ""] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Target::parse(&format!("/ip4/10.0.0.1/tcp/9000/p2p/{ID}")).is_err());
        assert!(Target::parse(&format!("/ip4/10.0.0.1/udp/0/quic-v1/p2p/{ID}")).is_err());
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
        let address = |more: &[&str]| parse(more).unwrap().address_for_others().map(|address| address.to_string());
        assert_eq!(address(&["--listen", "10.0.0.1:9000"]).unwrap(), "10.0.0.1:9000");
        assert_eq!(address(&["--announce", "192.0.2.1:9"]).unwrap(), "192.0.2.1:9");
        for unknown in [&[][..], &["--listen", "10.0.0.1:0"], &["--listen", "10.0.0.1:1", "--listen", "10.0.0.1:2"]] {
            assert_eq!(address(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for wrong in [["--network", "a/b"], ["--signature-form", "other"], ["--listen", "9000"], ["--memory", "1"]] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
