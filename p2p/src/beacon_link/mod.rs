//! The server of the contract with the beacon: one stream at a time, on a unix socket.

mod socket;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use socket::Socket;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_stream::{
    Stream, StreamExt,
    wrappers::{ReceiverStream, UnixListenerStream},
};
use tonic::{Request, Response, Status, Streaming, transport::Server};

use crate::{
    budget::{LINK_QUEUE, MAX_MESSAGE},
    contract::{
        FromBeacon, Hello, ToBeacon, parse, parse_hello,
        proto::{
            BeaconToEngine, EngineHello, EngineToBeacon,
            network_engine_server::{NetworkEngine, NetworkEngineServer},
        },
    },
};

/// How long a beacon may take to send its hello.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);
/// How long the engine tries to send the reason why it closes a stream.
const LAST_WORD: Duration = Duration::from_millis(100);
/// The flow-control window of a stream. It is so large that a block takes few round trips.
const WINDOW: u32 = 4 << 20;

type Answer = Result<EngineToBeacon, Status>;

/// Events of the streams with beacons. Each stream has a number.
pub enum LinkEvent {
    /// A beacon has sent its hello. It replaces the previous beacon.
    Attached {
        /// The stream.
        link: u64,
        /// The hello.
        hello: Hello,
        /// The sender of messages to it.
        beacon: Beacon,
    },
    /// A message has arrived.
    Message {
        /// The stream.
        link: u64,
        /// The message.
        message: FromBeacon,
    },
    /// The stream has ended.
    Detached {
        /// The stream.
        link: u64,
        /// The reason, for people.
        reason: String,
    },
}

/// An attached beacon. Its stream is closed when this value is dropped.
pub struct Beacon {
    sender: mpsc::Sender<Answer>,
    _keep: oneshot::Sender<()>,
}

impl Beacon {
    /// The sender of messages to the beacon.
    pub fn sender(&self) -> mpsc::Sender<Answer> {
        self.sender.clone()
    }
}

/// Serves until `stop` completes.
pub async fn serve(
    socket: Socket,
    hello: EngineHello,
    events: mpsc::Sender<LinkEvent>,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let service = Service { hello, events, newest: Arc::new(watch::Sender::new(0)), last: AtomicU64::new(0) };
    let service =
        NetworkEngineServer::new(service).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
    let (listener, _file) = socket.into_parts();
    Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(2 * WINDOW)
        .max_concurrent_streams(4)
        .add_service(service)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop)
        .await
        .map_err(|error| format!("cannot serve beacons: {error}"))
}

struct Service {
    hello: EngineHello,
    events: mpsc::Sender<LinkEvent>,
    /// The number of the newest stream whose beacon has sent its hello.
    newest: Arc<watch::Sender<u64>>,
    last: AtomicU64,
}

#[tonic::async_trait]
impl NetworkEngine for Service {
    type AttachStream = Pin<Box<dyn Stream<Item = Answer> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<BeaconToEngine>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (sender, answers) = mpsc::channel(LINK_QUEUE);
        let hello = EngineToBeacon { content: Some(ToBeacon::Hello(self.hello.clone())) };
        sender.send(Ok(hello)).await.map_err(|_| Status::internal("the stream is closed"))?;
        let reader = Reader {
            link: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            messages: request.into_inner(),
            sender,
            events: self.events.clone(),
            newest: self.newest.clone(),
        };
        tokio::spawn(reader.run());
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

/// Reads one stream until it ends.
struct Reader {
    link: u64,
    messages: Streaming<BeaconToEngine>,
    sender: mpsc::Sender<Answer>,
    events: mpsc::Sender<LinkEvent>,
    newest: Arc<watch::Sender<u64>>,
}

impl Reader {
    async fn run(mut self) {
        let hello = match timeout(HELLO_PATIENCE, next(&mut self.messages)).await {
            Err(_) => Err(Status::deadline_exceeded("no hello has arrived")),
            Ok(Err(end)) => Err(end),
            Ok(Ok(message)) => parse_hello(message.content).map_err(Status::invalid_argument),
        };
        let status = match hello {
            Ok(hello) => {
                let status = self.read(hello).await;
                let reason = format!("{:?}: {}", status.code(), status.message());
                let _ = self.events.send(LinkEvent::Detached { link: self.link, reason }).await;
                status
            }
            Err(status) => status,
        };
        // The engine does not wait for a beacon that does not read.
        let _ = timeout(LAST_WORD, self.sender.send(Err(status))).await;
    }

    /// Reads messages. Returns why the stream ends.
    async fn read(&mut self, hello: Hello) -> Status {
        let link = self.link;
        let mut newest = self.newest.subscribe();
        self.newest.send_replace(link);
        let (keep, mut dropped) = oneshot::channel();
        let beacon = Beacon { sender: self.sender.clone(), _keep: keep };
        if self.events.send(LinkEvent::Attached { link, hello, beacon }).await.is_err() {
            return Status::unavailable("the engine is stopping");
        }
        loop {
            let message = tokio::select! {
                biased;
                () = wait_for_newer(&mut newest, link) => return Status::aborted("a newer stream has replaced this one"),
                _ = &mut dropped => return Status::resource_exhausted("the beacon does not read the messages of the engine"),
                () = self.sender.closed() => return Status::cancelled("the beacon has left"),
                message = next(&mut self.messages) => message,
            };
            let message = match message.and_then(|message| parse(message.content).map_err(Status::invalid_argument)) {
                Ok(Some(message)) => message,
                Ok(None) => continue,
                Err(status) => return status,
            };
            if self.events.send(LinkEvent::Message { link, message }).await.is_err() {
                return Status::unavailable("the engine is stopping");
            }
        }
    }
}

async fn next(messages: &mut Streaming<BeaconToEngine>) -> Result<BeaconToEngine, Status> {
    match messages.next().await {
        Some(message) => message,
        None => Err(Status::cancelled("the beacon has closed its side")),
    }
}

async fn wait_for_newer(newest: &mut watch::Receiver<u64>, link: u64) {
    // There is no error: the sender lives as long as the service.
    let _ = newest.wait_for(|newest| *newest > link).await;
}
