//! All bounds of the engine's memory.
//!
//! The most that the engine can hold, with the bounds below and the largest registry (4096 validators):
//!
//! | what | bound | MiB |
//! | --- | --- | --- |
//! | gossip that waits for a verdict | two votes of each validator, 64 blocks of [`UNDECIDED_BLOCK_BYTES`] in total, held twice: by gossipsub and on the way to the beacon | 310 |
//! | gossip that was accepted, for [`GOSSIP_HISTORY`] heartbeats | the votes and blocks of two slots, which the beacon accepts in 4.2 s | 54 |
//! | gossip that waits to be sent | [`GOSSIP_QUEUE`] messages for each of at most 12 peers in a mesh; a peer that reads nothing for [`STALL_PATIENCE`] is disconnected | 12 * 54 |
//! | frames that arrive | [`CONNECTION_BYTES`] for each connection | 64 * 36 |
//! | frames that arrive over TCP, which is off by default | yamux's bound, which cannot be changed; only [`Memory`] bounds it in practice | 64 * 1024 |
//! | answers to peers | [`SERVED_BYTES`] | 128 |
//! | answers from peers | [`ASKED_REQUESTS`] of [`MAX_ANSWER`] | 256 |
//! | messages for the beacon, other than gossip | [`LINK_BYTES`], these answers among them | 64 |
//! | freed buffers | [`KEPT_BYTES`], until the budget of [`Memory`] is reached | 128 |
//!
//! Only an attacker with many addresses can reach all bounds at once. [`Memory`] is the last resort: above the budget
//! that the operator sets, the engine accepts no new connections and closes those of strangers, lowest score first,
//! until it is within the budget.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The largest message on the stream with the beacon.
pub const MAX_MESSAGE: usize = 16 * MIB;
/// The largest SSZ(SignedBlockWithAttestation). It fits into such a message.
pub const MAX_BLOCK: usize = MAX_MESSAGE - 64 * KIB;
/// The largest gossip message on the wire: an incompressible block and its envelope.
pub const MAX_WIRE_MESSAGE: usize = MAX_MESSAGE;
/// The most bytes of a GossipItems message, unless it holds one block only.
pub const BATCH_BYTES: usize = 4 * MIB;
/// The most bytes of all blocks of an answer, unless it holds one block only.
pub const MAX_ANSWER: usize = 32 * MIB;
/// The most bytes of all answers to peers that are under way.
pub const SERVED_BYTES: usize = 128 * MIB;
/// The most of these bytes for the peers of one address.
pub const SERVED_BYTES_PER_HOST: usize = 64 * MIB;
/// The most of these bytes for the peers of one network.
pub const SERVED_BYTES_PER_PREFIX: usize = 96 * MIB;
/// The most requests of the beacon that are under way, in total and to one peer.
pub const ASKED_REQUESTS: usize = 8;
/// See [`ASKED_REQUESTS`].
pub const ASKED_REQUESTS_PER_PEER: usize = 2;
/// The most requests of peers that are under way.
pub const SERVED_REQUESTS: usize = 32;
/// The most of these requests that come from one peer.
pub const SERVED_REQUESTS_PER_PEER: usize = 2;
/// The most of these requests that come from one address.
pub const SERVED_REQUESTS_PER_HOST: usize = 8;
/// The most of these requests that come from one network: 24 bits of IPv4, 48 of IPv6. The same bound holds for an
/// address of this machine.
pub const SERVED_REQUESTS_PER_PREFIX: usize = 16;
/// The most bytes of unread messages for the beacon, without gossip; above it the stream is closed. There is room for
/// all answers that the beacon can have requested.
pub const LINK_BYTES: usize = ASKED_REQUESTS * MAX_ANSWER + 64 * MIB;
/// Messages in the channel between the engine and the beacon's stream, in each direction.
pub const LINK_QUEUE: usize = 2;

/// The most gossip messages that wait to be sent to one peer: two votes of each validator of the largest registry.
pub const GOSSIP_QUEUE: usize = 8192;
/// The number of heartbeats for which gossipsub keeps a message.
pub const GOSSIP_HISTORY: usize = 6;
/// The most blocks that wait for a verdict, in total and from one peer.
pub const UNDECIDED_BLOCKS: usize = 64;
/// See [`UNDECIDED_BLOCKS`].
pub const UNDECIDED_BLOCKS_PER_PEER: usize = 16;
/// The most bytes of blocks that wait for a verdict, in total and from one peer.
pub const UNDECIDED_BLOCK_BYTES: usize = 128 * MIB;
/// See [`UNDECIDED_BLOCK_BYTES`].
pub const UNDECIDED_BLOCK_BYTES_PER_PEER: usize = 64 * MIB;

/// The most memory for the incoming bytes of a connection: an incomplete message, in a buffer that grows by doubling,
/// and unread bytes.
pub const CONNECTION_BYTES: usize = 2 * MAX_WIRE_MESSAGE + CONNECTION_WINDOW as usize;
/// The most unread bytes of a QUIC stream and of a QUIC connection. yamux, over TCP, has its own limits: up to 1 GiB a
/// connection.
pub const STREAM_WINDOW: u32 = 2 * MIB as u32;
/// See [`STREAM_WINDOW`].
pub const CONNECTION_WINDOW: u32 = 4 * MIB as u32;
/// The most messages that a connection has read and that wait for the engine. Reading one at a time takes a fifth more CPU
/// time. They take no more memory than [`CONNECTION_BYTES`]: the engine takes all of them before the connection receives
/// more, so that only the first may be longer than the unread bytes were.
pub const WAITING_MESSAGES: usize = 8;
/// The most bytes that are read of each stream of a stranger: a peer that the beacon does not know yet, and whose gossip
/// is dropped. They suffice for the messages of a new connection.
pub const STRANGER_BYTES: usize = 16 * KIB;
/// The most streams that a peer may have open.
pub const STREAMS: u32 = 32;
/// The most streams of a peer whose protocol is being negotiated.
pub const NEGOTIATING_STREAMS: usize = 8;
/// The most requests of one protocol on a connection at the same time, in both directions.
pub const REQUEST_STREAMS: usize = 4;

/// The most bytes of large freed buffers that are kept for the next ones: those of a slot, with the largest block.
pub const KEPT_BYTES: usize = 128 * MIB;
/// How often the engine checks its memory.
pub const MEMORY_PATIENCE: Duration = Duration::from_millis(100);
/// How long a peer may read nothing while gossip for it is dropped.
pub const STALL_PATIENCE: Duration = Duration::from_secs(10);
/// The least bounds on votes that wait for a verdict, in total and from one peer: bursts in a small network are larger
/// than its registry.
const LEAST_VOTES: usize = 1024;
const LEAST_VOTES_PER_PEER: usize = 768;
/// The number of validators of the largest registry.
pub const MAX_VALIDATORS: u64 = 4096;

/// Bounds that depend on the registry. The beacon names its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The most votes that wait for a verdict.
    pub votes: usize,
    /// The most of these votes from one peer.
    pub votes_per_peer: usize,
    /// The average number of bytes a second that are read from a peer.
    pub peer_bytes_per_second: f64,
    /// The number of bytes that are read from a peer without a pause.
    pub peer_burst_bytes: f64,
}

impl Bounds {
    /// `slot` is the duration of a slot.
    pub fn of(validators: u64, slot: Duration) -> Self {
        let validators = validators.clamp(1, MAX_VALIDATORS) as usize;
        // The votes of a slot, and the block that contains them, with the overhead of the wire.
        let slot_bytes = (validators * 2 * 3400) as f64;
        Self {
            votes: (2 * validators).max(LEAST_VOTES),
            votes_per_peer: (validators + 64).max(LEAST_VOTES_PER_PEER),
            peer_bytes_per_second: 2.0 * slot_bytes / slot.as_secs_f64().max(0.1) + MIB as f64,
            peer_burst_bytes: 2.0 * slot_bytes + 2.0 * MAX_ANSWER as f64,
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of(MAX_VALIDATORS, Duration::from_secs(4))
    }
}

/// Buffers of this size and larger are returned to the system when the allocator frees them.
const LARGE_BUFFER: i32 = MIB as i32;
/// Unused memory at the end of the heap that is not returned: the votes of a slot, which wait to be sent.
const KEPT_HEAP: i32 = 32 * MIB as i32;

/// The memory of the process.
pub struct Memory;

impl Memory {
    /// Makes glibc return large freed buffers to the system. By default it keeps buffers of up to 32 MiB, and the
    /// process stays above its budget after a flood of large messages. Must be called before other threads start.
    #[allow(unsafe_code)]
    pub fn return_large_buffers() {
        for (option, value) in [(libc::M_MMAP_THRESHOLD, LARGE_BUFFER), (libc::M_TRIM_THRESHOLD, KEPT_HEAP)] {
            // SAFETY: mallopt() takes two integers and reports failure by its return value only. A failure is harmless.
            unsafe { libc::mallopt(option, value) };
        }
    }

    /// The resident memory of the process in bytes. None: the system does not tell.
    pub fn resident() -> Option<usize> {
        let text = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(KIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_the_registry() {
        let small = Bounds::of(4, Duration::from_secs(4));
        assert_eq!((small.votes, small.votes_per_peer), (1024, 768));
        let large = Bounds::of(4096, Duration::from_secs(4));
        assert_eq!((large.votes, large.votes_per_peer), (8192, 4160));
        assert!(large.peer_bytes_per_second > 2.0 * small.peer_bytes_per_second);
        assert_eq!(Bounds::of(1 << 40, Duration::from_secs(4)), large);
        assert!(Bounds::of(1, Duration::ZERO).peer_bytes_per_second.is_finite());
    }

    #[test]
    fn the_process_knows_its_memory() {
        assert!(Memory::resident().is_some_and(|bytes| bytes > 100 * KIB));
    }
}
