//! The encoding of gossip on the wire: raw snappy of SSZ.

use std::{
    io::{Error, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use libp2p::gossipsub::{DataTransform, Message, RawMessage, TopicHash};
use sha2::{Digest, Sha256};
use snap::raw::{Decoder, Encoder, decompress_len};

use super::{Kind, Topics};
use crate::{budget::MAX_BLOCK, signature_form::SignatureForm};

/// Snappy expands three bytes to 64 at most. A message that claims more is refused before memory is allocated.
const MAX_EXPANSION: usize = 32;

/// The message id: the first 20 bytes of SHA-256(01000000 ‖ u64 of the topic's length ‖ topic ‖ decompressed content).
/// The domain 01000000 stands for content that decompresses; other content is dropped before it gets an id.
pub fn message_id(topic: &str, content: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update([1, 0, 0, 0]);
    hash.update((topic.len() as u64).to_le_bytes());
    hash.update(topic);
    hash.update(content);
    hash.finalize().iter().copied().take(20).collect()
}

/// The number of messages that were dropped as malformed.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<AtomicU64>);

impl Counts {
    /// Messages that are signed, not snappy, too large, or votes of a wrong size.
    pub fn malformed(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Decompresses incoming messages and compresses outgoing ones.
pub struct Content {
    topics: Topics,
    form: SignatureForm,
    counts: Counts,
}

impl Content {
    /// Makes the encoding for these topics and this form of signatures.
    pub fn new(topics: Topics, form: SignatureForm, counts: Counts) -> Self {
        Self { topics, form, counts }
    }

    fn decompress(&self, topic: &TopicHash, data: &[u8]) -> Option<Vec<u8>> {
        let length = decompress_len(data).ok().filter(|length| *length / MAX_EXPANSION <= data.len())?;
        let fits = match self.topics.kind(topic)? {
            Kind::Block => length <= MAX_BLOCK,
            Kind::Vote => length == self.form.vote_size(),
        };
        if fits { Decoder::new().decompress_vec(data).ok() } else { None }
    }
}

impl DataTransform for Content {
    fn inbound_transform(&self, raw: RawMessage) -> Result<Message, Error> {
        let unsigned = raw.signature.is_none() && raw.key.is_none();
        let Some(data) = self.decompress(&raw.topic, &raw.data).filter(|_| unsigned) else {
            self.counts.0.fetch_add(1, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::InvalidData, "it is signed, not snappy, or has a wrong size"));
        };
        Ok(Message { source: raw.source, data, sequence_number: raw.sequence_number, topic: raw.topic })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        Encoder::new().compress_vec(&data).map_err(Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        Content::new(Topics::new("devnet0"), SignatureForm::Leansig, Counts::default())
    }

    fn raw(kind: Kind, data: Vec<u8>) -> RawMessage {
        let topic = Topics::new("devnet0").of(kind).hash();
        RawMessage { source: None, data, sequence_number: None, topic, signature: None, key: None, validated: false }
    }

    fn compressed(size: usize) -> Vec<u8> {
        Encoder::new().compress_vec(&vec![3; size]).unwrap()
    }

    #[test]
    fn votes_have_one_size_and_blocks_are_bounded() {
        let content = content();
        assert_eq!(content.inbound_transform(raw(Kind::Vote, compressed(3248))).unwrap().data, vec![3; 3248]);
        assert!(content.inbound_transform(raw(Kind::Vote, compressed(3252))).is_err());
        assert!(content.inbound_transform(raw(Kind::Block, compressed(MAX_BLOCK))).is_ok());
        assert!(content.inbound_transform(raw(Kind::Block, compressed(MAX_BLOCK + 1))).is_err());
        assert_eq!(content.counts.malformed(), 2);
    }

    #[test]
    fn what_is_not_snappy_is_counted() {
        let content = content();
        let claims_much = vec![0xff, 0xff, 0xff, 0x07, 0];
        for data in [vec![], vec![0xff; 10], claims_much, compressed(3248)[..20].to_vec()] {
            assert!(content.inbound_transform(raw(Kind::Block, data)).is_err());
        }
        assert_eq!(content.counts.malformed(), 4);
    }

    #[test]
    fn what_goes_comes_back() {
        let content = content();
        let topic = Topics::new("devnet0").of(Kind::Block).hash();
        let wire = content.outbound_transform(&topic, vec![9; 100_000]).unwrap();
        assert!(wire.len() < 10_000);
        assert_eq!(content.inbound_transform(raw(Kind::Block, wire)).unwrap().data, vec![9; 100_000]);
    }
}
