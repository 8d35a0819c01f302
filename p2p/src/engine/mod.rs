//! The engine: one task owns the swarm and all state, and handles one event after the other.

mod beacon;
mod blocks;
mod connections;
mod gossip;
mod listening;
mod report;
mod status;

use std::{
    cmp::Ordering,
    mem,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, identity::Keypair, swarm::SwarmEvent};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, timeout},
};

use self::listening::{Listening, listen, own_enr};
use crate::{
    AGENT,
    beacon_link::{Beacon, LinkEvent},
    budget::{Bounds, CONNECTION_BYTES, MEMORY_PATIENCE, Memory},
    contract::{VERSION, proto::EngineHello},
    discovery::{self, Discovery},
    enr::{ip_of, quic_address, tcp_address},
    gate::Limits,
    gossip::{Authors, Counts, Topics},
    log::Log,
    metrics::Figures,
    outbox::Outbox,
    peers::{Peer, Peers},
    requests::{
        asked::{AskedRequests, Method},
        served::ServedRequests,
    },
    signature_form::SignatureForm,
    swarm::{self, Event, Protocols, Wiring},
    targets::{Target, Targets},
    traffic::Meters,
    undecided::Undecided,
    wire::{frame::LengthOf, status::Status},
};

/// How long it may take to start listening.
const LISTEN_PATIENCE: Duration = Duration::from_secs(5);
/// How often deadlines are checked.
const TICK: Duration = MEMORY_PATIENCE;
/// How often the beacon receives a report.
const REPORT: Duration = Duration::from_secs(1);
/// How long the engine waits until its peers know that it stops.
const FAREWELL: Duration = Duration::from_millis(300);

/// The settings of the operator.
pub struct Setup {
    /// The key that identifies this engine.
    pub key: Keypair,
    /// The name of the node in the log. May be empty.
    pub name: String,
    /// Peers to stay connected to.
    pub targets: Vec<Target>,
    /// Limits on connections.
    pub limits: Limits,
    /// Addresses to listen on for QUIC.
    pub listen: Vec<SocketAddr>,
    /// Addresses to listen on for TCP.
    pub listen_tcp: Vec<SocketAddr>,
    /// The address at which others reach this engine for QUIC.
    pub announce: Option<SocketAddr>,
    /// Settings of discovery. None: it is off.
    pub discovery: Option<discovery::Plan>,
    /// The network's name in the gossip topics.
    pub network: String,
    /// The form of signatures on the wire.
    pub form: SignatureForm,
    /// How gossip that names an author is handled.
    pub authors: Authors,
    /// The framing of requests to peers whose own framing is not known.
    pub framing: LengthOf,
    /// The memory budget in bytes. Above it strangers are refused and disconnected.
    pub memory: usize,
    /// Returns unused memory of the process to the system.
    pub release_memory: fn(),
}

/// The beacon that is attached.
struct Link {
    id: u64,
    beacon: Beacon,
}

/// Counters since the start.
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

/// Connection attempts that failed.
#[derive(Default)]
struct Failures {
    failed: u64,
    timed_out: u64,
}

/// The engine.
pub struct Engine {
    log: Arc<Log>,
    swarm: Swarm<Protocols>,
    /// What happened before `run`.
    early: Vec<SwarmEvent<Event>>,
    hello: EngineHello,
    topics: Topics,
    form: SignatureForm,
    framing: LengthOf,
    memory: usize,
    release_memory: fn(),
    /// The addresses of this machine. They are never banned, because other peers may run on it.
    own_addresses: Vec<IpAddr>,
    peers: Peers,
    targets: Targets,
    discovery: Option<Discovery>,
    meters: Meters,
    counts: Counts,
    totals: Totals,
    /// None: no beacon is attached, and gossip is dropped.
    link: Option<Link>,
    outbox: Outbox,
    undecided: Undecided,
    asked: AskedRequests,
    served: ServedRequests,
    /// As named by the last beacon.
    bounds: Bounds,
    slot: Duration,
    /// The status of the beacon's chain. It is kept when the beacon detaches. None: no beacon has attached yet.
    own_status: Option<Status>,
    next_report: Instant,
    /// For the metrics.
    figures: watch::Sender<Figures>,
}

impl Engine {
    /// Starts to listen. `run` dials the peers.
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
        let Listening { addresses, events: early } = timeout(LISTEN_PATIENCE, listen(&mut swarm, listen_on))
            .await
            .map_err(|_| "cannot listen: no address became ready in time")??;
        let enr = own_enr(&setup, &addresses)?;
        let discovery = match (&setup.discovery, &enr) {
            (None, _) => None,
            (Some(_), None) => return Err("discovery needs an address that others can dial: set --announce".into()),
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
            early,
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
            release_memory: setup.release_memory,
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
            figures: watch::Sender::new(Figures::default()),
        })
    }

    /// The first message to a beacon.
    pub fn hello(&self) -> &EngineHello {
        &self.hello
    }

    /// The figures of the last second.
    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.subscribe()
    }

    /// Runs until `stop` completes, or until no beacon can attach any more.
    pub async fn run(mut self, mut events: mpsc::Receiver<LinkEvent>, stop: impl Future<Output = ()>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        for event in mem::take(&mut self.early) {
            self.on_swarm(event);
        }
        loop {
            let beacon = self.link.as_ref().filter(|_| !self.outbox.is_empty()).map(|link| link.beacon.sender());
            // The order matters: votes that arrive together are sent to the beacon together, when there is nothing else
            // to read.
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
        self.answer_waiting(now);
        self.ask_for_status(now);
        self.introduce_all(now);
        self.send_at_once();
        self.watch_memory();
        if now >= self.next_report {
            self.next_report = now + REPORT;
            self.end_unfit_peers(now);
            self.report(now);
            self.figures.send_replace(self.figures_now(now));
            self.log.tell_left_out();
        }
    }

    /// Above the memory budget, returns unused memory to the system. If that does not suffice, refuses strangers and
    /// disconnects as many as necessary, lowest score first.
    fn watch_memory(&mut self) {
        let Some(mut resident) = Memory::resident() else { return };
        if resident > self.memory {
            (self.release_memory)();
            resident = Memory::resident().unwrap_or(resident);
        }
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
            // Peers that are being disconnected come first: their memory will be free soon.
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

    /// Closes all connections, so that the peers notice immediately.
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
