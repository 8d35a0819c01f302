//! The addresses on which the engine listens, and the record that names them.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm,
    multiaddr::Protocol,
    swarm::{NetworkBehaviour, SwarmEvent},
};
use tokio::time::timeout;

use super::Setup;
use crate::enr::{Enr, Ports};

/// How long to wait for further addresses of a listener.
const FURTHER_ADDRESSES: Duration = Duration::from_millis(20);

/// The record of this engine for others. None: the address at which they reach it is not known.
pub(super) fn own_enr(setup: &Setup, addresses: &[Multiaddr]) -> Result<Option<Enr>, String> {
    let Some(address) = setup.announce.or_else(|| only_address(&setup.listen, addresses)) else { return Ok(None) };
    let ports = Ports {
        quic: Some(address.port()),
        tcp: only_port(&setup.listen_tcp, addresses, tcp_port),
        udp: setup.discovery.as_ref().map(|plan| plan.listen.port()),
    };
    Enr::make(&setup.key, address.ip(), ports, 1).map(Some)
}

/// What `listen` returns.
pub(super) struct Listening<E> {
    pub(super) addresses: Vec<Multiaddr>,
    /// What else happened, in order. Peers connect as soon as the first listener is open.
    pub(super) events: Vec<SwarmEvent<E>>,
}

/// Starts to listen. The caller handles the events.
pub(super) async fn listen<B: NetworkBehaviour>(
    swarm: &mut Swarm<B>,
    addresses: Vec<Multiaddr>,
) -> Result<Listening<B::ToSwarm>, String> {
    let mut open = HashSet::new();
    for address in addresses {
        let name = address.to_string();
        open.insert(swarm.listen_on(address).map_err(|error| format!("cannot listen on {name}: {error}"))?);
    }
    let mut found = Listening { addresses: vec![], events: vec![] };
    loop {
        // A listener on all addresses reports its further addresses immediately.
        let event = if open.is_empty() {
            let Ok(event) = timeout(FURTHER_ADDRESSES, swarm.select_next_some()).await else { return Ok(found) };
            event
        } else {
            swarm.select_next_some().await
        };
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                open.remove(&listener_id);
                found.addresses.push(address);
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => return Err(format!("cannot listen: {error}")),
            event => found.events.push(event),
        }
    }
}

/// The address of an engine that listens for QUIC on one address of this machine.
fn only_address(asked: &[SocketAddr], found: &[Multiaddr]) -> Option<SocketAddr> {
    let port = only_port(asked, found, quic_port)?;
    asked.first().filter(|asked| !asked.ip().is_unspecified()).map(|asked| SocketAddr::new(asked.ip(), port))
}

/// The port of an engine that listens on one address of a transport.
fn only_port(asked: &[SocketAddr], found: &[Multiaddr], port_of: fn(&Multiaddr) -> Option<u16>) -> Option<u16> {
    if asked.len() == 1 { found.iter().find_map(port_of) } else { None }
}

fn quic_port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| if let Protocol::Udp(port) = part { Some(port) } else { None })
}

fn tcp_port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| if let Protocol::Tcp(port) = part { Some(port) } else { None })
}

#[cfg(test)]
mod tests {
    use libp2p::{
        Transport,
        core::muxing::StreamMuxerBox,
        identity::Keypair,
        quic,
        swarm::{Config, dummy},
    };

    use super::*;

    fn swarm() -> Swarm<dummy::Behaviour> {
        let key = Keypair::generate_secp256k1();
        let transport = quic::tokio::Transport::new(quic::Config::new(&key))
            .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
            .boxed();
        let config = Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(60));
        Swarm::new(transport, dummy::Behaviour, key.public().to_peer_id(), config)
    }

    #[tokio::test]
    async fn a_peer_that_connects_meanwhile_is_not_lost() {
        let (mut engine, mut peer) = (swarm(), swarm());
        let local = || vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()];
        let first = listen(&mut engine, local()).await.unwrap();
        peer.dial(first.addresses[0].clone()).unwrap();
        tokio::spawn(async move {
            loop {
                peer.select_next_some().await;
            }
        });
        let connects = async {
            loop {
                let more = listen(&mut engine, local()).await.unwrap();
                if more.events.iter().any(|event| matches!(event, SwarmEvent::ConnectionEstablished { .. })) {
                    return;
                }
            }
        };
        timeout(Duration::from_secs(30), connects).await.expect("the connection is lost");
    }

    #[test]
    fn only_a_known_address_is_announced() {
        let found = ["/ip4/10.0.0.1/udp/9000/quic-v1".parse().unwrap()];
        let announced = |asked: &[&str]| {
            let asked: Vec<SocketAddr> = asked.iter().map(|address| address.parse().unwrap()).collect();
            only_address(&asked, &found)
        };
        assert_eq!(announced(&["10.0.0.1:0"]), "10.0.0.1:9000".parse().ok());
        assert_eq!(announced(&["0.0.0.0:9000"]), None);
        assert_eq!(announced(&["10.0.0.1:0", "10.0.0.1:1"]), None);
    }
}
