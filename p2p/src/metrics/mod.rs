//! Metrics for Prometheus, served over HTTP on an address of the operator.

mod process;
mod table;

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use futures::StreamExt;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    service::Routes,
    transport::{Server, server::Connected},
};

use crate::contract::proto::EngineCounts;

/// Connections that are open at once. There are few scrapers; others wait to be accepted.
const CONNECTIONS: usize = 8;
/// A connection is closed at this age, whatever it does.
const CONNECTION_AGE: Duration = Duration::from_secs(10);

/// Items and bytes of a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Footprint {
    /// The items.
    pub items: usize,
    /// Their bytes, approximately.
    pub bytes: usize,
}

/// What the engine publishes once a second.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Counts since the start.
    pub counts: EngineCounts,
    /// Whether a beacon is attached.
    pub beacon: bool,
    /// Connected peers.
    pub peers: usize,
    /// Their open streams.
    pub streams: usize,
    /// Configured peers that are not connected.
    pub targets_missing: usize,
    /// Messages to the beacon.
    pub outbox: Footprint,
    /// Items of gossip without a verdict.
    pub undecided: Footprint,
    /// Requests to peers.
    pub asked: Footprint,
    /// Requests of peers, with what has come of their answers.
    pub served: Footprint,
}

/// Listens on the address of the operator.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("--metrics-address: cannot listen on {address}: {error}"))
}

/// Serves `/metrics` until `stop` completes.
pub async fn serve(listener: TcpListener, figures: watch::Receiver<Figures>, stop: impl Future<Output = ()>) {
    let page = get(move || {
        let page = table::page(&figures.borrow(), &process::Process::read());
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page) }
    });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let incoming = TcpListenerStream::new(listener).then(move |accepted| {
        let places = places.clone();
        async move {
            // An error means that the semaphore is closed, which nobody does.
            let place = places.acquire_owned().await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(Placed { stream: accepted?, _place: place })
        }
    });
    // A connection that fails ends by itself, and accepting goes on.
    let _ = Server::builder()
        .accept_http1(true)
        .max_connection_age(CONNECTION_AGE)
        .max_connection_age_grace(Duration::ZERO)
        .add_routes(Routes::from(Router::new().route("/metrics", page)))
        .serve_with_incoming_shutdown(incoming, stop)
        .await;
}

/// A connection with one of the places.
struct Placed {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl Connected for Placed {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Placed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
