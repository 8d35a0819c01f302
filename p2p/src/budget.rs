//! All that bounds the engine's memory, in one place.
//!
//! What the engine can hold at most, with the numbers below and the largest registry (4096 validators):
//!
//! | what | bound | MiB |
//! | --- | --- | --- |
//! | gossip that waits for a verdict | two votes of each validator, 64 blocks of [`UNDECIDED_BLOCK_BYTES`] in all, held twice: by gossipsub and on the way to the beacon | 310 |
//! | gossip that was accepted, for [`GOSSIP_HISTORY`] heartbeats | what the beacon accepts in 4.2 s: two slots | 54 |
//! | gossip that waits to be sent | [`GOSSIP_QUEUE`] messages for each of at most 12 peers in a mesh; who takes nothing for [`STALL_PATIENCE`] is ended | 12 * 54 |
//! | frames that arrive | [`CONNECTION_BYTES`] for each connection | 64 * 36 |
//! | answers to peers | [`SERVED_BYTES`] | 128 |
//! | answers from peers | [`ASKED_REQUESTS`] of [`MAX_ANSWER`] | 256 |
//! | messages for the beacon, other than gossip | [`LINK_BYTES`], these answers among them | 64 |
//!
//! Nobody reaches these at once but an attacker from many addresses. [`Memory`] is the last resort: above the budget that
//! the operator gives the engine takes no new connections, and ends strangers, as many as it takes, those with the lowest
//! score first.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A message on the stream with the beacon.
pub const MAX_MESSAGE: usize = 16 * MIB;
/// SSZ(SignedBlockWithAttestation), so that it fits into a message.
pub const MAX_BLOCK: usize = MAX_MESSAGE - 64 * KIB;
/// A gossip message on the wire: a block that does not compress, with its envelope.
pub const MAX_WIRE_MESSAGE: usize = MAX_MESSAGE;
/// GossipItems, unless it has one block alone.
pub const BATCH_BYTES: usize = 4 * MIB;
/// Blocks of an answer, all together, unless it is one.
pub const MAX_ANSWER: usize = 32 * MIB;
/// Blocks of all answers to peers that are under way.
pub const SERVED_BYTES: usize = 128 * MIB;
/// Of these, blocks for the peers of one address.
pub const SERVED_BYTES_PER_HOST: usize = 64 * MIB;
/// Of these, blocks for the peers of one network.
pub const SERVED_BYTES_PER_PREFIX: usize = 96 * MIB;
/// Requests of the beacon's that are under way, in all and for each peer.
pub const ASKED_REQUESTS: usize = 8;
/// See [`ASKED_REQUESTS`].
pub const ASKED_REQUESTS_PER_PEER: usize = 2;
/// Requests of peers that are under way.
pub const SERVED_REQUESTS: usize = 32;
/// Of these, requests of one peer.
pub const SERVED_REQUESTS_PER_PEER: usize = 2;
/// Of these, requests of the peers of one address.
pub const SERVED_REQUESTS_PER_HOST: usize = 8;
/// Of these, requests of the peers of one network: 24 bits of IPv4, 48 of IPv6. The peers of this machine are bounded so, too.
pub const SERVED_REQUESTS_PER_PREFIX: usize = 16;
/// Of messages for the beacon other than gossip, before its stream is ended since it does not read: among them may be
/// all answers that it can have asked for at once.
pub const LINK_BYTES: usize = ASKED_REQUESTS * MAX_ANSWER + 64 * MIB;
/// Messages that a stream with the beacon holds in each direction on their way between tasks.
pub const LINK_QUEUE: usize = 2;

/// Gossip messages that wait to be sent to a peer: two votes of each validator of the largest registry.
pub const GOSSIP_QUEUE: usize = 8192;
/// Heartbeats for which gossipsub keeps messages.
pub const GOSSIP_HISTORY: usize = 6;
/// Blocks that wait for a verdict, in all and of each peer.
pub const UNDECIDED_BLOCKS: usize = 64;
/// See [`UNDECIDED_BLOCKS`].
pub const UNDECIDED_BLOCKS_PER_PEER: usize = 16;
/// Bytes of blocks that wait for a verdict, in all and of each peer.
pub const UNDECIDED_BLOCK_BYTES: usize = 128 * MIB;
/// See [`UNDECIDED_BLOCK_BYTES`].
pub const UNDECIDED_BLOCK_BYTES_PER_PEER: usize = 64 * MIB;

/// What a connection's bytes take at most: a message that is not complete yet, in a buffer that has grown by doubling, and
/// what is unread.
pub const CONNECTION_BYTES: usize = 2 * MAX_WIRE_MESSAGE + CONNECTION_WINDOW as usize;
/// Unread bytes of a stream and of a connection.
pub const STREAM_WINDOW: u32 = 2 * MIB as u32;
/// See [`STREAM_WINDOW`].
pub const CONNECTION_WINDOW: u32 = 4 * MIB as u32;
/// Streams that a peer may have open.
pub const STREAMS: u32 = 32;
/// Streams of a peer that negotiate their protocol.
pub const NEGOTIATING_STREAMS: usize = 8;
/// Requests of one protocol that a connection carries at once, in both directions.
pub const REQUEST_STREAMS: usize = 4;

/// How often the engine looks at its memory.
pub const MEMORY_PATIENCE: Duration = Duration::from_millis(100);
/// How long a peer may take nothing while gossip for it is dropped.
pub const STALL_PATIENCE: Duration = Duration::from_secs(10);
/// Votes that may wait for a verdict however small the registry is, and of these, votes of one peer: a small network's
/// bursts are larger than its registry.
const LEAST_VOTES: usize = 1024;
const LEAST_VOTES_PER_PEER: usize = 768;
/// Validators of the largest registry.
pub const MAX_VALIDATORS: u64 = 4096;

/// What follows from the registry that the beacon names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Votes that wait for a verdict.
    pub votes: usize,
    /// Of these, votes that one peer has brought.
    pub votes_per_peer: usize,
    /// Bytes a second that are read from a peer in the long run.
    pub peer_bytes_per_second: f64,
    /// Bytes that are read from a peer at once before that rate counts.
    pub peer_burst_bytes: f64,
}

impl Bounds {
    /// `slot` is a slot's duration.
    pub fn of(validators: u64, slot: Duration) -> Self {
        let validators = validators.clamp(1, MAX_VALIDATORS) as usize;
        // A slot's votes, and the block that has them, with what the wire adds.
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

/// Buffers of so many bytes go back to the system at once when they are freed.
const LARGE_BUFFER: i32 = MIB as i32;

/// The memory of the process.
pub struct Memory;

impl Memory {
    /// Without this glibc keeps buffers of up to 32 MiB for itself once one was freed, and the process stays above its budget
    /// after a flood of large messages. To be called before there are threads.
    #[allow(unsafe_code)]
    pub fn return_large_buffers() {
        // SAFETY: mallopt() takes two numbers, and fails by its return value alone, which is of no use here.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BUFFER) };
    }

    /// Bytes that the process has in memory; none where the system does not tell.
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
