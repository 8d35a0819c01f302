//! The network engine of a lean Ethereum node.
//!
//! It speaks libp2p with other clients and serves one beacon on a unix socket. It carries bytes and verdicts: it holds
//! no validator key and makes no decision about the chain. `README.md` lists the responsibility of each module.

pub mod bans;
pub mod beacon_link;
pub mod budget;
pub mod buffers;
pub mod contract;
pub mod discovery;
pub mod engine;
pub mod enr;
pub mod gate;
pub mod gossip;
pub mod log;
pub mod metrics;
pub mod node_key;
pub mod nodes_yaml;
pub mod options;
mod outbox;
mod peers;
pub mod rate;
pub mod requests;
pub mod settings;
pub mod signature_form;
mod swarm;
pub mod targets;
pub mod text;
pub mod traffic;
mod undecided;
pub mod wire;
pub mod yaml;

/// Name and version, as other clients see them.
pub const AGENT: &str = concat!("lean-p2p/", env!("CARGO_PKG_VERSION"));
