//! A limit on the rate of something that others cause.

use std::time::{Duration, Instant};

/// A token bucket: it allows a burst, and an average rate.
#[derive(Clone, Debug)]
pub struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// Makes a full bucket.
    pub fn new(burst: f64, per_second: f64, now: Instant) -> Self {
        Self { burst, per_second, tokens: burst, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.at = now;
    }

    /// Takes `amount` if the bucket holds it.
    pub fn take(&mut self, amount: f64, now: Instant) -> bool {
        self.refill(now);
        let there = self.tokens >= amount;
        if there {
            self.tokens -= amount;
        }
        there
    }

    /// Takes `amount` even if the bucket does not hold it yet.
    pub fn owe(&mut self, amount: f64, now: Instant) {
        self.refill(now);
        self.tokens -= amount;
    }

    /// The time until the bucket is no longer empty.
    pub fn wait(&mut self, now: Instant) -> Duration {
        self.refill(now);
        if self.tokens > 0.0 || self.per_second <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(-self.tokens / self.per_second).unwrap_or(Duration::MAX)
    }

    /// Changes the rate and keeps the content.
    pub fn set(&mut self, burst: f64, per_second: f64, now: Instant) {
        self.refill(now);
        (self.burst, self.per_second) = (burst, per_second);
        self.tokens = self.tokens.min(burst);
    }

    /// Whether the bucket is full: nothing was taken for some time.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= self.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(3.0, 2.0, start);
        assert!((0..3).all(|_| bucket.take(1.0, start)));
        assert!(!bucket.take(1.0, start));
        assert!(bucket.take(1.0, start + Duration::from_millis(500)));
        assert!(!bucket.take(1.0, start + Duration::from_millis(600)));
        assert!(bucket.is_full(start + Duration::from_secs(60)));
    }

    #[test]
    fn a_debt_is_waited_for() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10.0, 10.0, start);
        bucket.owe(30.0, start);
        assert_eq!(bucket.wait(start), Duration::from_secs(2));
        assert_eq!(bucket.wait(start + Duration::from_secs(3)), Duration::ZERO);
    }
}
