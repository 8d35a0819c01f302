//! The interface of the crate `futures-timer`, which libp2p's crates use, on tokio's timers.
//!
//! gossipsub makes a timer for each message to each peer. The crate's own timers live in a thread that is woken whenever
//! one is made or dropped; a timer here costs nothing until it is polled.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::{Sleep, sleep_until};

/// A time that is as good as never, and which the clock can express.
const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Ready once a time has passed. It must be polled within a tokio runtime that has its timers enabled.
pub struct Delay {
    at: Instant,
    /// None: nobody waits for it yet.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Delay {
    /// Ready after `duration`.
    pub fn new(duration: Duration) -> Self {
        Self { at: Instant::now() + duration.min(NEVER), sleep: None }
    }

    /// Ready after `duration` from now on.
    pub fn reset(&mut self, duration: Duration) {
        self.at = Instant::now() + duration.min(NEVER);
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().reset(self.at.into());
        }
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        match &mut self.sleep {
            None if at <= Instant::now() => Poll::Ready(()),
            sleep => sleep.get_or_insert_with(|| Box::pin(sleep_until(at.into()))).as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delay").field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Poll};

    use super::*;

    async fn poll_once(delay: &mut Delay) -> Poll<()> {
        poll_fn(|context| Poll::Ready(Pin::new(&mut *delay).poll(context))).await
    }

    #[tokio::test]
    async fn it_is_ready_when_its_time_has_come() {
        let (begin, time) = (Instant::now(), Duration::from_millis(20));
        Delay::new(time).await;
        assert!(begin.elapsed() >= time);
    }

    #[tokio::test]
    async fn it_can_be_put_off_and_brought_forward() {
        let mut delay = Delay::new(Duration::ZERO);
        delay.reset(Duration::MAX);
        assert_eq!(poll_once(&mut delay).await, Poll::Pending);
        delay.reset(Duration::from_millis(1));
        delay.await;
    }
}
