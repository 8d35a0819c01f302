//! Limits on connections.

/// Limits on connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In total.
    pub connections: usize,
    /// From one address.
    pub per_host: usize,
    /// From this machine.
    pub per_loopback: usize,
    /// From one network: 24 bits of IPv4, 48 of IPv6.
    pub per_prefix: usize,
    /// Handshakes under way, in total and from one address.
    pub handshakes: usize,
    /// See `handshakes`.
    pub handshakes_per_host: usize,
}

impl Limits {
    /// `connections` in total and `per_host` from one address.
    pub fn new(connections: usize, per_host: usize) -> Self {
        Self {
            connections,
            per_host,
            per_loopback: 4 * per_host,
            per_prefix: 2 * per_host,
            handshakes: 64,
            handshakes_per_host: 8,
        }
    }
}
