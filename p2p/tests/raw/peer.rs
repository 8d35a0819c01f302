//! A peer that behaves like a client: it sends its status, subscribes, and answers what a test tells it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use lean_p2p::{
    gossip::message_id,
    requests::{BY_RANGE, BY_ROOT, STATUS},
    wire::frame::{self, LengthOf},
};
use prost::Message;
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::mpsc;

use super::{
    Result,
    connection::{Dialer, negotiate, open, read_varint},
    rpc::{Identify, Rpc, framed, topic},
};

const MESHSUB: &str = "/meshsub/1.1.0";
const IDENTIFY: &str = "/ipfs/id/1.0.0";

/// How it answers requests.
#[derive(Clone)]
pub struct Answers {
    /// Its agent name.
    pub agent: String,
    pub status: Vec<u8>,
    /// The answer to requests for blocks. None: they are not answered.
    pub blocks: Option<Vec<Vec<u8>>>,
}

/// An event.
#[derive(Debug)]
pub enum Event {
    /// A request: protocol and content.
    Asked(String, Vec<u8>),
    /// A message of gossip.
    Item { id: Vec<u8> },
    /// Control messages of any kind.
    Control,
}

/// The peer. Its connection is closed when this value is dropped.
pub struct Peer {
    pub connection: Connection,
    pub events: mpsc::UnboundedReceiver<Event>,
    pub answers: Arc<Mutex<Answers>>,
    gossip: SendStream,
    _unread: RecvStream,
}

impl Peer {
    /// Dials, sends its status and subscribes. `reads`: it accepts streams and reads them.
    pub async fn begin(dialer: &Dialer, to: SocketAddr, answers: Answers, reads: bool) -> Result<Self> {
        let connection = dialer.dial(to).await?;
        let (tell, events) = mpsc::unbounded_channel();
        let (agent, status) = (answers.agent.clone(), answers.status.clone());
        let answers = Arc::new(Mutex::new(answers));
        if reads {
            let identify = Identify {
                public_key: Some(dialer.public_key()),
                protocols: [STATUS, BY_ROOT, BY_RANGE].map(|protocol| protocol.to_string()).into(),
                agent: Some(agent),
            };
            tokio::spawn(serve(connection.clone(), answers.clone(), framed(&identify), tell));
        }
        request(&connection, STATUS.as_ref(), &status).await?;
        let (gossip, unread) = open(&connection, MESHSUB).await?;
        let mut peer = Self { connection, events, answers, gossip, _unread: unread };
        peer.send(&Rpc::subscribed(["block", "attestation"].map(topic).into_iter(), true).framed()).await?;
        Ok(peer)
    }

    /// Sends bytes on the gossip stream.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.gossip.write_all(bytes).await?)
    }

    /// Sends a gossip message with this content, valid or not.
    pub async fn publish(&mut self, kind: &str, data: Vec<u8>) -> Result<()> {
        self.send(&Rpc::published(kind, data).framed()).await
    }

    /// Opens another gossip stream, after the engine has closed the previous one.
    pub async fn begin_again(&mut self) -> Result<()> {
        (self.gossip, self._unread) = open(&self.connection, MESHSUB).await?;
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.connection.close(0u32.into(), &[]);
    }
}

/// Sends a request. Returns the bytes of the answer.
pub async fn request(connection: &Connection, protocol: &str, ssz: &[u8]) -> Result<Vec<u8>> {
    let (mut send, mut recv) = open(connection, protocol).await?;
    send.write_all(&frame::write(ssz, LengthOf::Content)?).await?;
    send.finish()?;
    Ok(recv.read_to_end(64 << 20).await?)
}

async fn serve(
    connection: Connection,
    answers: Arc<Mutex<Answers>>,
    identify: Vec<u8>,
    tell: mpsc::UnboundedSender<Event>,
) {
    while let Ok((send, recv)) = connection.accept_bi().await {
        let (answers, identify, tell) = (answers.clone(), identify.clone(), tell.clone());
        // An error means that the stream has ended.
        tokio::spawn(async move { serve_stream(send, recv, answers, identify, tell).await.ok() });
    }
}

async fn serve_stream(
    mut send: SendStream,
    mut recv: RecvStream,
    answers: Arc<Mutex<Answers>>,
    identify: Vec<u8>,
    tell: mpsc::UnboundedSender<Event>,
) -> Result<()> {
    let speaks = |wanted: &str| {
        [MESHSUB, IDENTIFY].contains(&wanted) || [STATUS, BY_ROOT, BY_RANGE].iter().any(|known| *known == wanted)
    };
    let protocol = negotiate(&mut send, &mut recv, speaks).await?;
    if protocol == IDENTIFY {
        send.write_all(&identify).await?;
        return Ok(send.finish()?);
    }
    if protocol == MESHSUB {
        loop {
            let mut bytes = vec![0; read_varint(&mut recv).await? as usize];
            recv.read_exact(&mut bytes).await?;
            let rpc = Rpc::decode(bytes.as_slice())?;
            for message in rpc.publish {
                let data = snap::raw::Decoder::new().decompress_vec(&message.data.unwrap_or_default())?;
                tell.send(Event::Item { id: message_id(&message.topic, &data) })?;
            }
            if rpc.control.is_some() {
                tell.send(Event::Control)?;
            }
        }
    }
    let (ssz, length_of) = frame::read(&mut recv, 64 * 1024).await?;
    let known = answers.lock().unwrap().clone();
    tell.send(Event::Asked(protocol.clone(), ssz))?;
    let chunks = if protocol == STATUS.as_ref() { Some(vec![known.status]) } else { known.blocks };
    let Some(chunks) = chunks else { return std::future::pending().await };
    for chunk in chunks {
        send.write_all(&[0]).await?;
        send.write_all(&frame::write(&chunk, length_of)?).await?;
    }
    send.finish()?;
    Ok(())
}
