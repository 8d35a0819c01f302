//! Counts the bytes of each peer and limits its rate: a peer that sends faster is read more slowly, and the flow
//! control of QUIC makes it wait. Answers to the engine's own requests do not count towards the rate.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::{
    PeerId,
    core::{
        StreamMuxer,
        muxing::{StreamMuxerBox, StreamMuxerEvent, SubstreamBox},
    },
};
use tokio::{sync::watch, time::sleep};

use crate::{
    budget::{Bounds, STRANGER_BYTES},
    rate::Bucket,
};

/// The streams and bytes of one peer, and its rate.
#[derive(Debug)]
pub struct Meter {
    streams: AtomicUsize,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    is_stranger: watch::Sender<bool>,
    bucket: Mutex<Bucket>,
}

impl Meter {
    fn new(bounds: &Bounds) -> Self {
        let bucket = Bucket::new(bounds.peer_burst_bytes, bounds.peer_bytes_per_second, Instant::now());
        Self {
            streams: AtomicUsize::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            is_stranger: watch::Sender::new(false),
            bucket: Mutex::new(bucket),
        }
    }

    /// The streams that are open.
    pub fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// The bytes that the peer has sent.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Ordering::Relaxed)
    }

    /// The bytes that were sent to the peer.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    /// Only the first [`STRANGER_BYTES`] of each stream of a stranger are read. The rest is read once the beacon knows the
    /// peer.
    pub fn set_stranger(&self, is_stranger: bool) {
        self.is_stranger.send_replace(is_stranger);
    }

    /// Waits until the beacon knows the peer.
    async fn until_known(self: Arc<Self>) {
        // There is no error: the sender lives as long as the meter.
        let _ = self.is_stranger.subscribe().wait_for(|is_stranger| !is_stranger).await;
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn received(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Takes received bytes from the peer's rate. Returns how long to pause reading.
    fn charge(&self, bytes: usize) -> Duration {
        let (now, mut bucket) = (Instant::now(), self.bucket());
        bucket.owe(bytes as f64, now);
        bucket.wait(now)
    }

    fn sent(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// The meters of all connected peers.
#[derive(Clone, Default)]
pub struct Meters(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bounds: Bounds,
    meters: HashMap<PeerId, Weak<Meter>>,
}

impl Meters {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The meter of a peer. All its connections share it.
    pub fn of(&self, peer: PeerId) -> Arc<Meter> {
        let mut state = self.state();
        if let Some(meter) = state.meters.get(&peer).and_then(Weak::upgrade) {
            return meter;
        }
        state.meters.retain(|_, meter| meter.strong_count() > 0);
        let meter = Arc::new(Meter::new(&state.bounds));
        state.meters.insert(peer, Arc::downgrade(&meter));
        meter
    }

    /// Changes the rate of all peers.
    pub fn set_bounds(&self, bounds: Bounds) {
        let mut state = self.state();
        state.bounds = bounds;
        for meter in state.meters.values().filter_map(Weak::upgrade) {
            meter.bucket().set(bounds.peer_burst_bytes, bounds.peer_bytes_per_second, Instant::now());
        }
    }

    /// Wraps a connection so that its bytes are counted.
    pub fn measure(&self, peer: PeerId, connection: StreamMuxerBox) -> StreamMuxerBox {
        StreamMuxerBox::new(Measured { connection, meter: self.of(peer) })
    }
}

struct Measured {
    connection: StreamMuxerBox,
    meter: Arc<Meter>,
}

impl Measured {
    fn stream(&self, stream: SubstreamBox, opened_by: Side) -> MeasuredStream {
        MeasuredStream::new(stream, self.meter.clone(), opened_by)
    }
}

impl StreamMuxer for Measured {
    type Substream = MeasuredStream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<MeasuredStream>> {
        let stream = ready!(Pin::new(&mut self.connection).poll_inbound(cx))?;
        Poll::Ready(Ok(self.stream(stream, Side::Peer)))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<MeasuredStream>> {
        let stream = ready!(Pin::new(&mut self.connection).poll_outbound(cx))?;
        Poll::Ready(Ok(self.stream(stream, Side::Engine)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.connection).poll(cx)
    }
}

/// Who opened a stream. What a peer sends on a stream of the engine is the answer to a request, which has its own bounds:
/// on its length, and on the requests that are under way. It does not count towards the peer's rate, so that a long sync
/// with one peer runs at the speed of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Engine,
    Peer,
}

struct MeasuredStream {
    stream: SubstreamBox,
    meter: Arc<Meter>,
    opened_by: Side,
    bytes_in: usize,
    /// What must happen before more is read.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl MeasuredStream {
    fn new(stream: SubstreamBox, meter: Arc<Meter>, opened_by: Side) -> Self {
        meter.streams.fetch_add(1, Ordering::Relaxed);
        Self { stream, meter, opened_by, bytes_in: 0, pause: None }
    }

    fn must_wait(&self) -> bool {
        self.bytes_in >= STRANGER_BYTES && *self.meter.is_stranger.borrow()
    }
}

impl Drop for MeasuredStream {
    fn drop(&mut self) {
        self.meter.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncRead for MeasuredStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            if !self.must_wait() {
                break;
            }
            self.pause = Some(Box::pin(self.meter.clone().until_known()));
        }
        let bytes = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.bytes_in += bytes;
        self.meter.received(bytes);
        if self.opened_by == Side::Peer {
            let wait = self.meter.charge(bytes);
            if !wait.is_zero() {
                self.pause = Some(Box::pin(sleep(wait)));
            }
        }
        Poll::Ready(Ok(bytes))
    }
}

impl AsyncWrite for MeasuredStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.stream).poll_write(cx, buffer))?;
        self.meter.sent(bytes);
        Poll::Ready(Ok(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicBool, task::Wake};

    use futures::io::Cursor;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_rest_of_a_stream_is_read_as_soon_as_its_peer_is_known() {
        let meter = Meters::default().of(PeerId::random());
        let stream = SubstreamBox::new(Cursor::new(vec![7; STRANGER_BYTES + 100]));
        let mut stream = MeasuredStream::new(stream, meter.clone(), Side::Peer);
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let mut context = Context::from_waker(&waker);
        let mut buffer = vec![0; STRANGER_BYTES];
        let mut read = || Pin::new(&mut stream).poll_read(&mut context, &mut buffer).map(Result::unwrap);
        meter.set_stranger(true);
        assert_eq!(read(), Poll::Ready(STRANGER_BYTES));
        assert_eq!(read(), Poll::Pending);
        assert!(!woken.0.load(Ordering::Relaxed));
        meter.set_stranger(false);
        assert!(woken.0.load(Ordering::Relaxed));
        assert_eq!(read(), Poll::Ready(100));
    }

    #[test]
    fn connections_of_a_peer_share_a_meter_until_the_last_one_is_gone() {
        let (meters, peer) = (Meters::default(), PeerId::random());
        let first = meters.of(peer);
        first.received(5);
        assert_eq!(meters.of(peer).bytes_in(), 5);
        drop(first);
        assert_eq!(meters.of(peer).bytes_in(), 0);
    }

    #[test]
    fn who_sends_faster_than_its_rate_is_read_slower() {
        let meters = Meters::default();
        let bounds = Bounds::of(4, Duration::from_secs(4));
        meters.set_bounds(bounds);
        let meter = meters.of(PeerId::random());
        assert_eq!(meter.charge(bounds.peer_burst_bytes as usize / 2), Duration::ZERO);
        let wait = meter.charge(bounds.peer_burst_bytes as usize);
        assert!(wait > Duration::from_secs(10), "{wait:?}");
    }
}
