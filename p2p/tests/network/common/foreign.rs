//! A client that is not lean-p2p: it sends and answers the bytes that a test chooses.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use lean_p2p::{
    requests::{BY_RANGE, BY_ROOT, BY_ROOT_OLD, STATUS},
    wire::{
        frame::{self, LengthOf},
        status::Status,
    },
};
use libp2p::{
    PeerId, StreamProtocol, Swarm, SwarmBuilder,
    gossipsub::{self, IdentTopic, MessageAuthenticity, ValidationMode},
    identity::Keypair,
    request_response::{self, Config, Event, Message, OutboundRequestId, ProtocolSupport},
    swarm::{NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Node, within};

/// The methods that it serves and uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Status,
    ByRoot,
    ByRootOld,
    ByRange,
}

/// Bytes for a stream.
#[derive(Clone, Debug)]
pub struct Raw {
    pub bytes: Vec<u8>,
    /// The pause between bytes.
    pub pause: Duration,
}

impl From<Vec<u8>> for Raw {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, pause: Duration::ZERO }
    }
}

#[derive(Clone)]
struct RawCodec;

impl request_response::Codec for RawCodec {
    type Protocol = StreamProtocol;
    type Request = Raw;
    type Response = Raw;

    async fn read_request<T: AsyncRead + Unpin + Send>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Raw> {
        let mut bytes = vec![];
        io.read_to_end(&mut bytes).await?;
        Ok(bytes.into())
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Raw> {
        let mut bytes = vec![];
        io.read_to_end(&mut bytes).await?;
        Ok(bytes.into())
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        raw: Raw,
    ) -> io::Result<()> {
        write(io, raw).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        raw: Raw,
    ) -> io::Result<()> {
        write(io, raw).await
    }
}

async fn write<T: AsyncWrite + Unpin>(io: &mut T, raw: Raw) -> io::Result<()> {
    if raw.pause.is_zero() {
        return io.write_all(&raw.bytes).await;
    }
    for byte in raw.bytes {
        io.write_all(&[byte]).await?;
        io.flush().await?;
        tokio::time::sleep(raw.pause).await;
    }
    Ok(())
}

#[derive(NetworkBehaviour)]
struct Protocols {
    gossip: gossipsub::Behaviour,
    status: request_response::Behaviour<RawCodec>,
    by_root: request_response::Behaviour<RawCodec>,
    by_root_old: request_response::Behaviour<RawCodec>,
    by_range: request_response::Behaviour<RawCodec>,
}

impl Protocols {
    fn exchange(&mut self, method: Method) -> &mut request_response::Behaviour<RawCodec> {
        match method {
            Method::Status => &mut self.status,
            Method::ByRoot => &mut self.by_root,
            Method::ByRootOld => &mut self.by_root_old,
            Method::ByRange => &mut self.by_range,
        }
    }
}

/// How it behaves.
pub struct Manners {
    /// The methods that it serves and uses.
    pub methods: Vec<Method>,
    /// Whether it signs its gossip, which the network forbids.
    pub signs: bool,
    /// Whether it names an author in its gossip, without a signature.
    pub names_author: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self { methods: vec![Method::Status, Method::ByRoot], signs: false, names_author: false }
    }
}

enum Command {
    Ask(Method, Raw, oneshot::Sender<Result<Vec<u8>, String>>),
    Publish(IdentTopic, Vec<u8>),
}

/// The client. It stops when this value is dropped.
pub struct Foreign {
    commands: mpsc::Sender<Command>,
    connected: watch::Receiver<bool>,
}

impl Foreign {
    /// Dials the engine, and answers requests with `answer`. None: no answer.
    pub async fn dial(
        node: &Node,
        manners: Manners,
        answer: impl FnMut(Method, Vec<u8>) -> Option<Raw> + Send + 'static,
    ) -> Self {
        let mut foreign = Self::dial_in_vain(node, manners, answer);
        within("a connection", foreign.connected.wait_for(|connected| *connected)).await.unwrap();
        foreign
    }

    /// The same, without waiting for a connection.
    pub fn dial_in_vain(
        node: &Node,
        manners: Manners,
        answer: impl FnMut(Method, Vec<u8>) -> Option<Raw> + Send + 'static,
    ) -> Self {
        let mut swarm = swarm(&manners);
        let target = node.target();
        swarm.dial(DialOpts::peer_id(target.peer_id).addresses(vec![target.address]).build()).unwrap();
        let (commands, received) = mpsc::channel(64);
        let (connection, connected) = watch::channel(false);
        tokio::spawn(run(swarm, target.peer_id, received, connection, answer));
        Self { commands, connected }
    }

    pub async fn ask(&self, method: Method, raw: impl Into<Raw>) -> Result<Vec<u8>, String> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Ask(method, raw.into(), reply)).await.unwrap();
        within("an answer", answer).await.unwrap_or_else(|_| Err("gone".into()))
    }

    pub async fn publish(&self, kind: &str, data: Vec<u8>) {
        let topic = IdentTopic::new(format!("/leanconsensus/devnet0/{kind}/ssz_snappy"));
        self.commands.send(Command::Publish(topic, data)).await.unwrap();
    }

    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }
}

fn swarm(manners: &Manners) -> Swarm<Protocols> {
    let exchange = |method: Method, protocol: StreamProtocol| {
        let protocols = manners.methods.contains(&method).then_some((protocol, ProtocolSupport::Full));
        request_response::Behaviour::with_codec(RawCodec, protocols, Config::default())
    };
    SwarmBuilder::with_existing_identity(Keypair::generate_secp256k1())
        .with_tokio()
        .with_quic()
        .with_behaviour(|key| {
            let (authenticity, mode) = match (manners.signs, manners.names_author) {
                (true, _) => (MessageAuthenticity::Signed(key.clone()), ValidationMode::Strict),
                (false, true) => (MessageAuthenticity::Author(key.public().to_peer_id()), ValidationMode::None),
                (false, false) => (MessageAuthenticity::Anonymous, ValidationMode::Anonymous),
            };
            let config = gossipsub::ConfigBuilder::default()
                .validation_mode(mode)
                .max_transmit_size(32 << 20)
                .heartbeat_interval(Duration::from_millis(500))
                .message_id_fn(|message: &gossipsub::Message| {
                    use sha2::Digest;
                    sha2::Sha256::digest(&message.data).to_vec().into()
                })
                .build()
                .unwrap();
            let mut gossip = gossipsub::Behaviour::new(authenticity, config).unwrap();
            for kind in ["block", "attestation"] {
                let topic = IdentTopic::new(format!("/leanconsensus/devnet0/{kind}/ssz_snappy"));
                gossip.subscribe(&topic).unwrap();
            }
            Protocols {
                gossip,
                status: exchange(Method::Status, STATUS),
                by_root: exchange(Method::ByRoot, BY_ROOT),
                by_root_old: exchange(Method::ByRootOld, BY_ROOT_OLD),
                by_range: exchange(Method::ByRange, BY_RANGE),
            }
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build()
}

async fn run(
    mut swarm: Swarm<Protocols>,
    engine: PeerId,
    mut commands: mpsc::Receiver<Command>,
    connected: watch::Sender<bool>,
    mut answer: impl FnMut(Method, Vec<u8>) -> Option<Raw>,
) {
    let mut asked = std::collections::HashMap::new();
    // Publishing needs a peer that has subscribed.
    let mut unpublished: Vec<(IdentTopic, Vec<u8>)> = vec![];
    loop {
        let (method, event) = tokio::select! {
            command = commands.recv() => match command {
                None => return,
                Some(Command::Ask(method, raw, reply)) => {
                    let id = swarm.behaviour_mut().exchange(method).send_request(&engine, raw);
                    asked.insert((method, id), reply);
                    continue;
                }
                Some(Command::Publish(topic, data)) => {
                    unpublished.push((topic, data));
                    publish(&mut swarm, &mut unpublished);
                    continue;
                }
            },
            event = swarm.select_next_some() => match event {
                SwarmEvent::ConnectionEstablished { .. } => { connected.send_replace(true); continue }
                SwarmEvent::ConnectionClosed { .. } => { connected.send_replace(false); continue }
                SwarmEvent::Behaviour(ProtocolsEvent::Gossip(_)) => { publish(&mut swarm, &mut unpublished); continue }
                SwarmEvent::Behaviour(ProtocolsEvent::Status(event)) => (Method::Status, event),
                SwarmEvent::Behaviour(ProtocolsEvent::ByRoot(event)) => (Method::ByRoot, event),
                SwarmEvent::Behaviour(ProtocolsEvent::ByRootOld(event)) => (Method::ByRootOld, event),
                SwarmEvent::Behaviour(ProtocolsEvent::ByRange(event)) => (Method::ByRange, event),
                _ => continue,
            },
        };
        on_event(&mut swarm, method, event, &mut asked, &mut answer);
    }
}

type Asked = std::collections::HashMap<(Method, OutboundRequestId), oneshot::Sender<Result<Vec<u8>, String>>>;

fn on_event(
    swarm: &mut Swarm<Protocols>,
    method: Method,
    event: Event<Raw, Raw>,
    asked: &mut Asked,
    answer: &mut impl FnMut(Method, Vec<u8>) -> Option<Raw>,
) {
    match event {
        Event::Message { message: Message::Request { request, channel, .. }, .. } => {
            if let Some(raw) = answer(method, request.bytes) {
                let _ = swarm.behaviour_mut().exchange(method).send_response(channel, raw);
            }
        }
        Event::Message { message: Message::Response { request_id, response }, .. } => {
            if let Some(reply) = asked.remove(&(method, request_id)) {
                let _ = reply.send(Ok(response.bytes));
            }
        }
        Event::OutboundFailure { request_id, error, .. } => {
            if let Some(reply) = asked.remove(&(method, request_id)) {
                let _ = reply.send(Err(error.to_string()));
            }
        }
        Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
    }
}

fn publish(swarm: &mut Swarm<Protocols>, waiting: &mut Vec<(IdentTopic, Vec<u8>)>) {
    waiting.retain(|(topic, data)| swarm.behaviour_mut().gossip.publish(topic.clone(), data.clone()).is_err());
}

/// An answer with one chunk.
pub fn chunk(code: u8, content: &[u8], length_of: LengthOf) -> Vec<u8> {
    [vec![code], frame::write(content, length_of).unwrap()].concat()
}

/// Answers status requests only.
pub fn only_status(length_of: LengthOf) -> impl FnMut(Method, Vec<u8>) -> Option<Raw> + Send {
    move |method, _| (method == Method::Status).then(|| chunk(0, &Status::default().to_ssz(), length_of).into())
}
