//! The libp2p swarm: transports and protocols.

use std::{collections::HashSet, num::NonZeroUsize, time::Duration};

use futures::future::Either;
use libp2p::{
    PeerId, Swarm, Transport,
    core::{
        muxing::{StreamMuxer, StreamMuxerBox},
        transport::Boxed,
        upgrade::Version,
    },
    identify,
    identity::Keypair,
    noise, ping, quic,
    swarm::{Config, NetworkBehaviour},
    tcp, yamux,
};

use crate::{
    AGENT,
    budget::{CONNECTION_WINDOW, NEGOTIATING_STREAMS, STREAM_WINDOW, STREAMS, WAITING_MESSAGES},
    gate::{Gate, Limits},
    gossip::{self, Authors, Counts, Gossip, Topics},
    requests::{self, Exchange},
    signature_form::SignatureForm,
    targets::Target,
    traffic::Meters,
};

/// The longest handshake.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(5);
/// A connection on which nothing arrives for this time, about a slot, is closed. Each side sends something so often
/// that three packets in a row may be lost.
const SILENCE: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Connections that no protocol uses are kept: peers are needed for gossip.
const IDLE: Duration = Duration::from_secs(24 * 3600);

/// The protocols. The gate is first, so that it is asked first.
#[derive(NetworkBehaviour)]
pub(crate) struct Protocols {
    pub gate: Gate,
    pub gossip: Gossip,
    pub status: Exchange,
    pub by_root: Exchange,
    pub by_range: Exchange,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

pub(crate) type Event = ProtocolsEvent;

/// The settings of the protocols.
pub(crate) struct Wiring<'a> {
    pub key: &'a Keypair,
    pub topics: &'a Topics,
    pub form: SignatureForm,
    pub authors: Authors,
    pub limits: Limits,
    pub targets: &'a [Target],
    pub meters: &'a Meters,
    pub counts: &'a Counts,
}

/// Makes a swarm that neither listens nor dials yet.
pub(crate) fn build(wiring: &Wiring) -> Result<Swarm<Protocols>, String> {
    let public = wiring.key.public();
    let identify = identify::Config::new("leanconsensus/1".into(), public.clone())
        .with_agent_version(AGENT.into())
        .with_cache_size(0);
    let targets: HashSet<_> = wiring.targets.iter().map(|target| target.peer_id).collect();
    let protocols = Protocols {
        gate: Gate::new(wiring.limits, targets),
        gossip: gossip::join(wiring.topics, wiring.form, wiring.authors, wiring.counts.clone())?,
        status: requests::status_exchange(),
        by_root: requests::by_root_exchange(),
        by_range: requests::by_range_exchange(),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::default(),
    };
    let config = Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE)
        .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS)
        .with_notify_handler_buffer_size(NonZeroUsize::MIN)
        .with_per_connection_event_buffer_size(WAITING_MESSAGES);
    Ok(Swarm::new(transport(wiring)?, protocols, public.to_peer_id(), config))
}

/// Makes the transport: QUIC, and TCP with noise and yamux.
fn transport(wiring: &Wiring) -> Result<Boxed<(PeerId, StreamMuxerBox)>, String> {
    let mut quic = quic::Config::new(wiring.key);
    quic.handshake_timeout = HANDSHAKE_PATIENCE;
    quic.max_idle_timeout = SILENCE.as_millis() as u32;
    quic.keep_alive_interval = KEEP_ALIVE;
    quic.max_concurrent_stream_limit = STREAMS;
    quic.max_stream_data = STREAM_WINDOW;
    quic.max_connection_data = CONNECTION_WINDOW;
    let mut yamux = yamux::Config::default();
    // yamux counts the streams of both sides.
    yamux.set_max_num_streams(2 * STREAMS as usize);
    let noise = noise::Config::new(wiring.key).map_err(|error| format!("cannot use the node key: {error}"))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise)
        .multiplex(yamux)
        .timeout(HANDSHAKE_PATIENCE)
        .map(|connection, _| boxed(connection));
    let meters = wiring.meters.clone();
    Ok(quic::tokio::Transport::new(quic)
        .map(|connection, _| boxed(connection))
        .or_transport(tcp)
        .map(move |connection, _| {
            let (Either::Left((peer, connection)) | Either::Right((peer, connection))) = connection;
            (peer, meters.measure(peer, connection))
        })
        .boxed())
}

fn boxed<C>((peer, connection): (PeerId, C)) -> (PeerId, StreamMuxerBox)
where
    C: StreamMuxer<Error: Send + Sync, Substream: Send> + Send + 'static,
{
    (peer, StreamMuxerBox::new(connection))
}
