//! A peer that the engine takes for one: it tells its Status, subscribes, and answers what it is told to answer.

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

/// What it says when it is asked.
#[derive(Clone)]
pub struct Answers {
    /// What it calls itself.
    pub agent: String,
    pub status: Vec<u8>,
    /// None: requests for blocks are never answered.
    pub blocks: Option<Vec<Vec<u8>>>,
}

/// What it hears.
#[derive(Debug)]
pub enum Event {
    /// Its protocol and content.
    Asked(String, Vec<u8>),
    /// A message of gossip.
    Item { id: Vec<u8> },
    /// Control messages, which are not told apart.
    Control,
}

/// The peer. Its connection ends with it.
pub struct Peer {
    pub connection: Connection,
    pub events: mpsc::UnboundedReceiver<Event>,
    pub answers: Arc<Mutex<Answers>>,
    gossip: SendStream,
    _unread: RecvStream,
}

impl Peer {
    /// Dials, tells its status and takes part in gossip. `reads`: it accepts streams and takes what comes on them.
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

    /// Bytes of the gossip stream.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.gossip.write_all(bytes).await?)
    }

    /// A message of gossip with this content, whatever it is.
    pub async fn publish(&mut self, kind: &str, data: Vec<u8>) -> Result<()> {
        self.send(&Rpc::published(kind, data).framed()).await
    }

    /// Begins another gossip stream, as after one that was closed upon it.
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

/// Asks, and takes the answer as it is.
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
        // An error is the end of the stream.
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
