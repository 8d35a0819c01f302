//! The messages between engine and beacon, checked when they arrive.

use std::time::Duration;

use crate::{
    budget::{Bounds, MAX_BLOCK, MAX_VALIDATORS},
    gate::MAX_BAN,
    signature_form::{self, is_block},
    wire::{
        block_requests::{BlockRequest, MAX_BLOCKS},
        status::{Checkpoint, Status},
    },
};

/// Generated from `proto/lean/v1/network_engine.proto`.
#[allow(missing_docs, clippy::all, clippy::restriction)]
pub mod proto {
    tonic::include_proto!("lean.v1");
}

use proto::{BeaconHello, beacon_to_engine::Content, block_request::Blocks};
pub use proto::{block_answer::End, engine_to_beacon::Content as ToBeacon, verdict::Outcome};

/// The version of the contract.
pub const VERSION: u32 = 1;

/// The first message of a beacon.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The bounds that follow from its registry.
    pub bounds: Bounds,
    /// The duration of a slot.
    pub slot: Duration,
    /// The state of its chain.
    pub status: Status,
}

/// The further messages of a beacon.
#[derive(Clone, Debug, PartialEq)]
pub enum FromBeacon {
    /// The state of its chain.
    Status(Status),
    /// Items to publish, in the beacon's encoding.
    Publish {
        /// SSZ(SignedBlockWithAttestation)
        blocks: Vec<Vec<u8>>,
        /// SSZ(SignedAttestation)
        votes: Vec<Vec<u8>>,
    },
    /// Verdicts, by the ids of the items.
    Verdicts(Vec<(u64, Outcome)>),
    /// A request to a peer.
    Request {
        /// The id of the request.
        id: u64,
        /// The handle of the peer.
        peer: u64,
        /// The request.
        request: BlockRequest,
    },
    /// An answer to the request of a peer.
    Answer {
        /// The id of the request.
        id: u64,
        /// Blocks in the beacon's encoding.
        blocks: Vec<Vec<u8>>,
        /// Whether and how the answer ends.
        end: End,
        /// The text of a failure.
        message: String,
    },
    /// Disconnects a peer.
    EndPeer {
        /// The handle of the peer.
        peer: u64,
        /// The length of the ban. Zero: no ban.
        ban: Duration,
        /// The reason, for people.
        reason: String,
    },
}

/// Checks the first message of a stream.
pub fn parse_hello(content: Option<Content>) -> Result<Hello, String> {
    let Some(Content::Hello(hello)) = content else { return Err("the first message is not a hello".into()) };
    let BeaconHello { contract_version, validator_count, slot_duration_ms, status } = hello;
    if contract_version != VERSION {
        return Err(format!("contract_version is {contract_version}, not {VERSION}"));
    }
    if !(1..=MAX_VALIDATORS).contains(&validator_count) {
        return Err(format!("validator_count is {validator_count}, not 1 to {MAX_VALIDATORS}"));
    }
    if !(1..=3_600_000).contains(&slot_duration_ms) {
        return Err(format!("slot_duration_ms is {slot_duration_ms}, not 1 to 3600000"));
    }
    let slot = Duration::from_millis(slot_duration_ms);
    Ok(Hello { bounds: Bounds::of(validator_count, slot), slot, status: status_of(status)? })
}

/// Checks any further message. None: the engine does not know this kind of message.
pub fn parse(content: Option<Content>) -> Result<Option<FromBeacon>, String> {
    let Some(content) = content else { return Ok(None) };
    Ok(Some(match content {
        Content::Hello(_) => return Err("a second hello".into()),
        Content::Status(status) => FromBeacon::Status(status_of(Some(status))?),
        Content::Publish(publish) => {
            publish.blocks.iter().try_for_each(|block| check_block(block))?;
            if publish.votes.iter().any(|vote| vote.len() != signature_form::VOTE) {
                return Err(format!("a vote does not have {} bytes", signature_form::VOTE));
            }
            FromBeacon::Publish { blocks: publish.blocks, votes: publish.votes }
        }
        Content::Verdicts(verdicts) => {
            let outcomes = verdicts.verdicts.iter().map(|verdict| match verdict.outcome() {
                Outcome::Unspecified => Err("a verdict has no outcome".to_owned()),
                outcome => Ok((verdict.id, outcome)),
            });
            FromBeacon::Verdicts(outcomes.collect::<Result<_, _>>()?)
        }
        Content::Request(request) => FromBeacon::Request {
            id: request.id,
            peer: request.peer,
            request: request_of(request.blocks.ok_or("a request has neither roots nor a range")?)?,
        },
        Content::Answer(answer) => {
            answer.blocks.iter().try_for_each(|block| check_block(block))?;
            let end = End::try_from(answer.end).unwrap_or(End::Failed);
            FromBeacon::Answer { id: answer.id, blocks: answer.blocks, end, message: answer.message }
        }
        Content::EndPeer(end) => {
            let ban = Duration::from_secs(end.ban_seconds.into());
            if ban > MAX_BAN {
                return Err(format!("a ban has {} seconds, the most are {}", ban.as_secs(), MAX_BAN.as_secs()));
            }
            FromBeacon::EndPeer { peer: end.peer, ban, reason: end.reason }
        }
    }))
}

fn check_block(block: &[u8]) -> Result<(), String> {
    // The beacon uses the flat form.
    if block.len() > MAX_BLOCK || !is_block(block) {
        return Err(format!("a block of {} bytes is malformed", block.len()));
    }
    Ok(())
}

fn request_of(blocks: Blocks) -> Result<BlockRequest, String> {
    match blocks {
        Blocks::ByRoot(by_root) if (1..=MAX_BLOCKS).contains(&by_root.roots.len()) => {
            let roots = by_root.roots.iter().map(|root| root_of(root)).collect::<Result<_, _>>()?;
            Ok(BlockRequest::ByRoot(roots))
        }
        Blocks::ByRoot(by_root) => Err(format!("a request has {} roots, not 1 to {MAX_BLOCKS}", by_root.roots.len())),
        Blocks::ByRange(range) => BlockRequest::range(range.first_slot, range.count)
            .ok_or_else(|| format!("a range has {} slots from slot {}", range.count, range.first_slot)),
    }
}

fn root_of(bytes: &[u8]) -> Result<[u8; 32], String> {
    bytes.try_into().map_err(|_| format!("a root has {} bytes", bytes.len()))
}

fn status_of(status: Option<proto::ChainStatus>) -> Result<Status, String> {
    let checkpoint = |checkpoint: Option<proto::Checkpoint>| {
        let checkpoint = checkpoint.ok_or("a status lacks a checkpoint")?;
        Ok::<_, String>(Checkpoint { root: root_of(&checkpoint.root)?, slot: checkpoint.slot })
    };
    let status = status.ok_or("a hello lacks its status")?;
    Ok(Status { finalized: checkpoint(status.finalized)?, head: checkpoint(status.head)? })
}

impl From<Status> for proto::ChainStatus {
    fn from(status: Status) -> Self {
        let checkpoint =
            |checkpoint: Checkpoint| proto::Checkpoint { root: checkpoint.root.to_vec(), slot: checkpoint.slot };
        Self { finalized: Some(checkpoint(status.finalized)), head: Some(checkpoint(status.head)) }
    }
}

impl From<&BlockRequest> for Blocks {
    fn from(request: &BlockRequest) -> Self {
        match request {
            BlockRequest::ByRoot(roots) => {
                Self::ByRoot(proto::BlocksByRoot { roots: roots.iter().map(|root| root.to_vec()).collect() })
            }
            BlockRequest::ByRange { first, count } => {
                Self::ByRange(proto::BlocksByRange { first_slot: *first, count: *count })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> BeaconHello {
        BeaconHello {
            contract_version: 1,
            validator_count: 4,
            slot_duration_ms: 4000,
            status: Some(Status::default().into()),
        }
    }

    #[test]
    fn a_hello_comes_first() {
        let parsed = parse_hello(Some(Content::Hello(hello()))).unwrap();
        assert_eq!((parsed.bounds.votes, parsed.slot), (1024, Duration::from_secs(4)));
        for wrong in [
            BeaconHello { contract_version: 2, ..hello() },
            BeaconHello { validator_count: 0, ..hello() },
            BeaconHello { validator_count: 4097, ..hello() },
            BeaconHello { slot_duration_ms: 0, ..hello() },
            BeaconHello { status: None, ..hello() },
        ] {
            assert!(parse_hello(Some(Content::Hello(wrong.clone()))).is_err(), "{wrong:?}");
        }
        assert!(parse_hello(Some(Content::Status(Status::default().into()))).is_err());
        assert!(parse_hello(None).is_err());
        assert!(parse(Some(Content::Hello(hello()))).is_err());
    }

    #[test]
    fn what_is_malformed_is_named() {
        let request = |blocks| Content::Request(proto::BlockRequest { id: 1, peer: 1, blocks });
        let verdict = proto::Verdict { id: 1, outcome: 0 };
        let end = proto::EndPeer { peer: 1, ban_seconds: 3601, reason: String::new() };
        for (content, error) in [
            (
                Content::Publish(proto::Publish { blocks: vec![], votes: vec![vec![0; 3251]] }),
                "a vote does not have 3252 bytes",
            ),
            (
                Content::Publish(proto::Publish { blocks: vec![vec![0; 9]], votes: vec![] }),
                "a block of 9 bytes is malformed",
            ),
            (Content::Verdicts(proto::Verdicts { verdicts: vec![verdict] }), "a verdict has no outcome"),
            (request(None), "a request has neither roots nor a range"),
            (
                request(Some(Blocks::ByRoot(proto::BlocksByRoot { roots: vec![] }))),
                "a request has 0 roots, not 1 to 1024",
            ),
            (request(Some(Blocks::ByRoot(proto::BlocksByRoot { roots: vec![vec![1]] }))), "a root has 1 bytes"),
            (
                request(Some(Blocks::ByRange(proto::BlocksByRange { first_slot: 2, count: 0 }))),
                "a range has 0 slots from slot 2",
            ),
            (Content::EndPeer(end), "a ban has 3601 seconds, the most are 3600"),
        ] {
            assert_eq!(parse(Some(content)), Err(error.into()));
        }
        assert_eq!(parse(None), Ok(None));
    }
}
