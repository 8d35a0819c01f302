//! The engine: one task owns the swarm and everything that is known, and does one thing after the other.

mod beacon;
mod blocks;
mod connections;
mod gossip;
mod report;
mod status;

use std::{
    cmp::Ordering,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, identity::Keypair, multiaddr::Protocol, swarm::SwarmEvent};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    AGENT,
    beacon_link::{Beacon, LinkEvent},
    budget::{Bounds, CONNECTION_BYTES, MEMORY_PATIENCE, Memory},
    contract::{VERSION, proto::EngineHello},
    discovery::{self, Discovery},
    enr::{Enr, Ports, quic_address, tcp_address},
    gate::Limits,
    gossip::{Authors, Counts, Topics},
    log::Log,
    options::{Target, ip_of},
    outbox::Outbox,
    peers::{Peer, Peers},
    requests::{
        asked::{AskedRequests, Method},
        served::ServedRequests,
    },
    signature_form::SignatureForm,
    swarm::{self, Event, Protocols, Wiring},
    targets::Targets,
    traffic::Meters,
    undecided::Undecided,
    wire::{frame::LengthOf, status::Status},
};

/// Listening has begun within.
const LISTEN_PATIENCE: Duration = Duration::from_secs(5);
const FURTHER_ADDRESSES: Duration = Duration::from_millis(20);
/// How often is looked at what waits for time to pass.
const TICK: Duration = MEMORY_PATIENCE;
/// How often the beacon gets a report.
const REPORT: Duration = Duration::from_secs(1);
/// Peers have heard that the engine stops within.
const FAREWELL: Duration = Duration::from_millis(300);

/// What the operator decides.
pub struct Setup {
    /// Names this engine among its peers.
    pub key: Keypair,
    /// For the log; may be empty.
    pub name: String,
    /// Peers to stay connected to.
    pub targets: Vec<Target>,
    /// Of connections.
    pub limits: Limits,
    /// Addresses for QUIC.
    pub listen: Vec<SocketAddr>,
    /// Addresses for TCP.
    pub listen_tcp: Vec<SocketAddr>,
    /// Address under which others reach this engine for QUIC.
    pub announce: Option<SocketAddr>,
    /// Of peers; None: it is off.
    pub discovery: Option<discovery::Plan>,
    /// Name within the topics.
    pub network: String,
    /// On the wire.
    pub form: SignatureForm,
    /// Of gossip.
    pub authors: Authors,
    /// Of requests to peers whose own is not known.
    pub framing: LengthOf,
    /// Bytes of memory above which strangers are turned away.
    pub memory: usize,
}

/// The beacon that is attached.
struct Link {
    id: u64,
    beacon: Beacon,
}

/// What is counted since the start.
#[derive(Default)]
struct Totals {
    expired: u64,
    dropped: u64,
    unconverted: u64,
    published: u64,
    unpublished: u64,
    unsent: u64,
    bytes_in: u64,
    bytes_out: u64,
    dials: Failures,
    arrivals: Failures,
}

/// Connections that did not come about.
#[derive(Default)]
struct Failures {
    failed: u64,
    timed_out: u64,
}

/// The engine.
pub struct Engine {
    log: Arc<Log>,
    swarm: Swarm<Protocols>,
    hello: EngineHello,
    topics: Topics,
    form: SignatureForm,
    framing: LengthOf,
    memory: usize,
    /// This machine's: others on it must not suffer from one that is banned.
    own_addresses: Vec<IpAddr>,
    peers: Peers,
    targets: Targets,
    discovery: Option<Discovery>,
    meters: Meters,
    counts: Counts,
    totals: Totals,
    /// None: no beacon is there. Gossip is dropped then.
    link: Option<Link>,
    outbox: Outbox,
    undecided: Undecided,
    asked: AskedRequests,
    served: ServedRequests,
    /// What the last beacon has named.
    bounds: Bounds,
    slot: Duration,
    /// Of the beacon's chain; it stays when the beacon goes. None: there has been no beacon.
    own_status: Option<Status>,
    next_report: Instant,
}

impl Engine {
    /// Listens. Peers are dialled when it runs.
    pub async fn start(setup: Setup, log: Arc<Log>) -> Result<Self, String> {
        let (topics, meters, counts) = (Topics::new(&setup.network), Meters::default(), Counts::default());
        let mut swarm = swarm::build(&Wiring {
            key: &setup.key,
            topics: &topics,
            form: setup.form,
            authors: setup.authors,
            limits: setup.limits,
            targets: &setup.targets,
            meters: &meters,
            counts: &counts,
        })?;
        let listen_on = setup.listen.iter().map(|address| quic_address(*address));
        let listen_on = listen_on.chain(setup.listen_tcp.iter().map(|address| tcp_address(*address))).collect();
        let addresses = timeout(LISTEN_PATIENCE, listen(&mut swarm, listen_on))
            .await
            .map_err(|_| "cannot listen: no address came up")??;
        let enr = own_enr(&setup, &addresses)?;
        let discovery = match (&setup.discovery, &enr) {
            (None, _) => None,
            (Some(_), None) => return Err("discovery needs an address that others can dial: give --announce".into()),
            (Some(plan), Some(enr)) => Some(Discovery::start(plan, &setup.key, enr, log.clone()).await?),
        };
        let enr = enr.map(|enr| enr.to_string()).unwrap_or_default();
        let peer_id = swarm.local_peer_id().to_string();
        let of_machine = addresses.iter().filter_map(ip_of).collect();
        let addresses: Vec<_> = addresses.iter().map(Multiaddr::to_string).collect();
        log.info(
            "engine_started",
            &[
                ("agent", &AGENT),
                ("peer_id", &peer_id),
                ("addresses", &addresses.join(",")),
                ("network", &setup.network),
                ("node_id", &setup.name),
            ],
        );
        log.info("engine_enr", &[("enr", &enr)]);
        let now = Instant::now();
        Ok(Self {
            log,
            swarm,
            hello: EngineHello {
                contract_version: VERSION,
                agent: AGENT.into(),
                peer_id,
                enr,
                addresses,
                network: setup.network,
            },
            topics,
            form: setup.form,
            framing: setup.framing,
            memory: setup.memory,
            own_addresses: of_machine,
            peers: Peers::default(),
            targets: Targets::new(setup.targets, now),
            discovery,
            meters,
            counts,
            totals: Totals::default(),
            link: None,
            outbox: Outbox::default(),
            undecided: Undecided::default(),
            asked: AskedRequests::default(),
            served: ServedRequests::default(),
            bounds: Bounds::default(),
            slot: Duration::from_secs(4),
            own_status: None,
            next_report: now,
        })
    }

    /// What it says of itself to a beacon.
    pub fn hello(&self) -> &EngineHello {
        &self.hello
    }

    /// Runs until `stop` is ready, or no beacon can attach any more.
    pub async fn run(mut self, mut events: mpsc::Receiver<LinkEvent>, stop: impl Future<Output = ()>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            let beacon = self.link.as_ref().filter(|_| !self.outbox.is_empty()).map(|link| link.beacon.sender());
            // In this order: votes that follow each other are sent together, once nothing more is there to be read.
            tokio::select! {
                biased;
                () = &mut stop => break,
                _ = tick.tick() => self.tick(Instant::now()),
                event = events.recv() => match event {
                    Some(event) => self.on_link(event),
                    None => break,
                },
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(target) = async { self.discovery.as_mut()?.next().await } => self.dial_found(target),
                Ok(room) = async { beacon.ok_or(())?.reserve_owned().await.map_err(|_| ()) } => {
                    if let Some(message) = self.outbox.pop() {
                        room.send(Ok(message));
                    }
                }
            }
        }
        self.leave().await;
    }

    fn on_swarm(&mut self, event: SwarmEvent<Event>) {
        match event {
            SwarmEvent::Behaviour(Event::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(Event::Status(event)) => self.on_status_event(event),
            SwarmEvent::Behaviour(Event::ByRoot(event)) => self.on_blocks_event(Method::ByRoot, event),
            SwarmEvent::Behaviour(Event::ByRange(event)) => self.on_blocks_event(Method::ByRange, event),
            SwarmEvent::Behaviour(Event::Identify(event)) => self.on_identify(event),
            SwarmEvent::Behaviour(Event::Ping(event)) => self.on_ping(event),
            event => self.on_connection(event),
        }
    }

    fn tick(&mut self, now: Instant) {
        self.expire_items(now);
        self.expire_requests(now);
        self.dial_targets(now);
        self.ask_for_status(now);
        self.introduce_all(now);
        self.send_at_once();
        self.watch_memory();
        if now >= self.next_report {
            self.next_report = now + REPORT;
            self.end_unfit_peers(now);
            self.report(now);
            self.log.tell_left_out();
        }
    }

    /// Above the budget no stranger gets in, and of those that are, as many have to go as it takes: first those that have
    /// earned the lowest score.
    fn watch_memory(&mut self) {
        let Some(resident) = Memory::resident() else { return };
        let short = resident > self.memory;
        self.swarm.behaviour_mut().gate.short_of_memory = short;
        if !short {
            return;
        }
        self.log.warn_limited("memory_short", &[("resident", &resident), ("budget", &self.memory)]);
        let gossip = &self.swarm.behaviour().gossip;
        let strangers = self.peers.iter().filter(|peer| !self.targets.has(&peer.id));
        let rank = |peer: &Peer| {
            let (score, bytes) = (gossip.peer_score(&peer.id).unwrap_or_default(), peer.meter.bytes_in() as usize);
            // Those that are ended already come first: their memory is about to be free.
            (peer.end.is_none(), score, (2 * bytes).min(CONNECTION_BYTES), peer.id)
        };
        let mut ranked: Vec<_> = strangers.map(rank).collect();
        ranked.sort_unstable_by(|a, b| (a.0, a.1, b.2).partial_cmp(&(b.0, b.1, a.2)).unwrap_or(Ordering::Equal));
        let mut excess = resident - self.memory;
        for (_, _, bytes, peer) in ranked {
            if excess == 0 {
                return;
            }
            self.end_peer(&peer, "the engine is short of memory");
            excess = excess.saturating_sub(bytes);
        }
    }

    /// Says good-bye to the peers, so that they need not wait to notice.
    async fn leave(mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let all_gone = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        let _ = timeout(FAREWELL, all_gone).await;
        self.log.info("engine_stopped", &[]);
    }
}

/// The record that others are told; None: no address is known under which they reach this engine.
fn own_enr(setup: &Setup, addresses: &[Multiaddr]) -> Result<Option<Enr>, String> {
    let Some(address) = setup.announce.or_else(|| only_address(&setup.listen, addresses)) else { return Ok(None) };
    let ports = Ports {
        quic: Some(address.port()),
        tcp: only_port(&setup.listen_tcp, addresses, tcp_port),
        udp: setup.discovery.as_ref().map(|plan| plan.listen.port()),
    };
    Enr::make(&setup.key, address.ip(), ports, 1).map(Some)
}

/// The addresses that come up.
async fn listen(swarm: &mut Swarm<Protocols>, addresses: Vec<Multiaddr>) -> Result<Vec<Multiaddr>, String> {
    let mut open = std::collections::HashSet::new();
    for address in addresses {
        let name = address.to_string();
        open.insert(swarm.listen_on(address).map_err(|error| format!("cannot listen on {name}: {error}"))?);
    }
    let mut found = vec![];
    loop {
        // Further ones of a listener on all addresses come at once.
        let event = if open.is_empty() {
            let Ok(event) = timeout(FURTHER_ADDRESSES, swarm.select_next_some()).await else { return Ok(found) };
            event
        } else {
            swarm.select_next_some().await
        };
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                open.remove(&listener_id);
                found.push(address);
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => return Err(format!("cannot listen: {error}")),
            _ => {}
        }
    }
}

/// Where others can dial an engine that listens on one address for QUIC, if that is one of this machine's.
fn only_address(asked: &[SocketAddr], found: &[Multiaddr]) -> Option<SocketAddr> {
    let port = only_port(asked, found, quic_port)?;
    asked.first().filter(|asked| !asked.ip().is_unspecified()).map(|asked| SocketAddr::new(asked.ip(), port))
}

/// The port of an engine that listens on one address of a kind.
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
    use super::*;

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
