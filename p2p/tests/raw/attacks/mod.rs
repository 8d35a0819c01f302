//! Attacks of a hostile peer, each for some time and over several connections.

mod gossip;
mod quic;
mod requests;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use clap::ValueEnum;
use quinn::Connection;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Answers, Dialer, Peer, Result};

/// Pause before a connection that was ended is dialled again, and after the last one.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    // QUIC.
    HalfHandshakes,
    Connections,
    Streams,
    EmptyStreams,
    Resets,
    // The negotiation of protocols.
    Garbage,
    Negotiation,
    // gossipsub.
    Ihave,
    Iwant,
    Idontwant,
    Grafts,
    Prunes,
    Subscriptions,
    Oversized,
    InFlight,
    ManyInOne,
    NoMessages,
    NoSnappy,
    Bombs,
    Signed,
    Votes,
    Unread,
    // Requests and answers.
    Lengths,
    FrameBombs,
    Trickle,
    Roots,
    Requests,
    UnreadAnswers,
    Unasked,
}

/// The settings of an attack.
#[derive(Clone)]
pub struct Plan {
    pub to: SocketAddr,
    /// Whether each connection uses a different address of this machine.
    pub from_many: bool,
    pub connections: usize,
    pub time: Duration,
    pub answers: Answers,
}

/// The result of an attack.
#[derive(Debug, Default)]
pub struct Done {
    pub dialled: AtomicU64,
    pub connected: AtomicU64,
    /// Connections that the other side ended.
    pub ended: AtomicU64,
    /// Connections that stood at the end.
    pub standing: AtomicU64,
    pub streams: AtomicU64,
    pub messages: AtomicU64,
    /// UDP's content, sent and received.
    pub bytes_out: AtomicU64,
    pub bytes_in: AtomicU64,
}

impl Done {
    fn add(count: &AtomicU64, amount: u64) {
        count.fetch_add(amount, Ordering::Relaxed);
    }

    /// As a line of names and numbers.
    pub fn line(&self) -> String {
        let counts = [
            ("dialled", &self.dialled),
            ("connected", &self.connected),
            ("ended", &self.ended),
            ("standing", &self.standing),
            ("streams", &self.streams),
            ("messages", &self.messages),
            ("bytes_out", &self.bytes_out),
            ("bytes_in", &self.bytes_in),
        ];
        counts.map(|(name, count)| format!("{name}={}", count.load(Ordering::Relaxed))).join(" ")
    }
}

/// Runs an attack.
pub async fn run(attack: Attack, plan: &Plan) -> Done {
    let done = Done::default();
    let until = Instant::now() + plan.time;
    let workers = (0..plan.connections).map(|number| work(attack, plan, &done, number, until));
    futures::future::join_all(workers).await;
    // The other side hears that the connections are closed.
    sleep(PAUSE).await;
    done
}

fn address(plan: &Plan, number: usize) -> IpAddr {
    let [_, a, b, c] = (number as u32 + 2).to_be_bytes();
    if plan.from_many { Ipv4Addr::new(127, a + 1, b, c).into() } else { Ipv4Addr::LOCALHOST.into() }
}

async fn work(attack: Attack, plan: &Plan, done: &Done, number: usize, until: Instant) {
    if attack == Attack::HalfHandshakes {
        // An error is the end of the time.
        let _ = timeout_at(until, quic::half_handshakes(plan, done)).await;
        return;
    }
    while Instant::now() < until {
        Done::add(&done.dialled, 1);
        let (mut connection, reached) = (None, timeout_at(until, begin(attack, plan, number)));
        if let Ok(Ok(mut subject)) = reached.await {
            Done::add(&done.connected, 1);
            connection = Some(subject.connection().clone());
            // The attack itself never ends.
            let _ = timeout_at(until, lead(attack, &mut subject, done)).await;
            let stands = subject.connection().close_reason().is_none();
            Done::add(if stands { &done.standing } else { &done.ended }, 1);
        }
        if let Some(connection) = connection {
            Done::add(&done.bytes_out, connection.stats().udp_tx.bytes);
            Done::add(&done.bytes_in, connection.stats().udp_rx.bytes);
        }
        let _ = timeout_at(until, sleep(PAUSE)).await;
    }
}

/// The attacker: a bare connection, or a peer.
enum Subject {
    Connection(Connection),
    Peer(Box<Peer>),
}

impl Subject {
    fn connection(&self) -> &Connection {
        match self {
            Self::Connection(connection) => connection,
            Self::Peer(peer) => &peer.connection,
        }
    }
}

async fn begin(attack: Attack, plan: &Plan, number: usize) -> Result<Subject> {
    let dialer = Dialer::new(address(plan, number))?;
    let is_bare = matches!(
        attack,
        Attack::Connections
            | Attack::Streams
            | Attack::EmptyStreams
            | Attack::Resets
            | Attack::Garbage
            | Attack::Negotiation
    );
    if is_bare {
        return Ok(Subject::Connection(dialer.dial(plan.to).await?));
    }
    let reads = !matches!(attack, Attack::Unread | Attack::UnreadAnswers);
    Ok(Subject::Peer(Box::new(Peer::begin(&dialer, plan.to, plan.answers.clone(), reads).await?)))
}

async fn lead(attack: Attack, subject: &mut Subject, done: &Done) -> Result<()> {
    match subject {
        Subject::Connection(connection) => match attack {
            Attack::Streams => quic::streams(connection, done, b"\x13").await,
            Attack::EmptyStreams => quic::streams(connection, done, b"").await,
            Attack::Resets => quic::resets(connection, done).await,
            Attack::Garbage => quic::garbage(connection, done).await,
            Attack::Negotiation => quic::negotiation(connection, done).await,
            _ => quic::nothing(connection).await,
        },
        Subject::Peer(peer) => match attack {
            Attack::InFlight => gossip::in_flight(peer, done).await,
            Attack::Oversized => gossip::oversized(peer, done).await,
            Attack::NoMessages => gossip::no_messages(peer, done).await,
            Attack::Iwant => gossip::iwant(peer, done).await,
            Attack::Unread => quic::nothing(&peer.connection).await,
            Attack::Lengths | Attack::FrameBombs | Attack::Roots | Attack::Requests => {
                requests::repeat(attack, peer, done).await
            }
            Attack::Trickle => requests::trickle(peer, done).await,
            Attack::UnreadAnswers => requests::unread(peer, done).await,
            Attack::Unasked => requests::unasked(peer, done).await,
            _ => gossip::flood(attack, peer, done).await,
        },
    }
}
