//! The interface of the crate `futures-timer`, which the crates of libp2p use, implemented with tokio's timers.
//!
//! gossipsub makes a timer for each message to each peer. The original crate runs its timers on a thread that wakes
//! whenever a timer is made or dropped. A timer of this crate costs nothing until it is polled.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::{Sleep, sleep_until};

/// A time so far away that it never comes, but that the clock can express.
const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Completes after a time. It must be polled within a tokio runtime with timers enabled.
pub struct Delay {
    at: Instant,
    /// None: it was not polled yet.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Delay {
    /// Completes after `duration`.
    pub fn new(duration: Duration) -> Self {
        Self { at: Instant::now() + duration.min(NEVER), sleep: None }
    }

    /// Completes after `duration`, counted from now.
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
