//! Gossip of blocks and votes: gossipsub with the network's parameters.

mod content;
mod parameters;

use clap::ValueEnum;
pub use content::{Content, Counts, message_id};
use libp2p::gossipsub::{
    self, IdentTopic, MaxCountSubscriptionFilter, MessageAuthenticity, TopicHash, WhitelistSubscriptionFilter,
};
pub use parameters::WORTHLESS;

use crate::signature_form::SignatureForm;

/// gossipsub with the network's encoding, limited to the network's topics.
pub type Gossip = gossipsub::Behaviour<Content, MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>>;

/// The kind of an item of gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SSZ(SignedBlockWithAttestation)
    Block,
    /// SSZ(SignedAttestation)
    Vote,
}

/// How gossip is handled that names an author or a sequence number without a signature. Signed gossip is always
/// refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Authors {
    /// The message is invalid, as in the spec.
    Refuse,
    /// Both are ignored. gean needs this, because its library adds them.
    Ignore,
}

/// The topics of a network.
#[derive(Clone, Debug)]
pub struct Topics {
    block: IdentTopic,
    vote: IdentTopic,
}

impl Topics {
    /// `network` is the network's name in the topics.
    pub fn new(network: &str) -> Self {
        let topic = |kind| IdentTopic::new(format!("/leanconsensus/{network}/{kind}/ssz_snappy"));
        Self { block: topic("block"), vote: topic("attestation") }
    }

    /// The topic of a kind.
    pub fn of(&self, kind: Kind) -> &IdentTopic {
        match kind {
            Kind::Block => &self.block,
            Kind::Vote => &self.vote,
        }
    }

    /// The kind of a topic. None: the topic belongs to another network.
    pub fn kind(&self, topic: &TopicHash) -> Option<Kind> {
        [Kind::Block, Kind::Vote].into_iter().find(|kind| self.of(*kind).hash() == *topic)
    }
}

/// Subscribes to the topics. `counts` counts messages that are dropped as malformed.
pub fn join(topics: &Topics, form: SignatureForm, authors: Authors, counts: Counts) -> Result<Gossip, String> {
    let filter = MaxCountSubscriptionFilter {
        filter: WhitelistSubscriptionFilter([Kind::Block, Kind::Vote].map(|kind| topics.of(kind).hash()).into()),
        max_subscribed_topics: 2,
        max_subscriptions_per_request: 100,
    };
    let content = Content::new(topics.clone(), form, counts);
    let mut gossip = Gossip::new_with_subscription_filter_and_transform(
        MessageAuthenticity::Anonymous,
        parameters::config(authors).map_err(|error| error.to_string())?,
        filter,
        content,
    )?;
    let (score, thresholds) = parameters::score(topics);
    gossip.with_peer_score(score, thresholds)?;
    for kind in [Kind::Block, Kind::Vote] {
        gossip.subscribe(topics.of(kind)).map_err(|error| error.to_string())?;
    }
    Ok(gossip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_the_networks_name() {
        let topics = Topics::new("devnet0");
        assert_eq!(topics.of(Kind::Block).to_string(), "/leanconsensus/devnet0/block/ssz_snappy");
        assert_eq!(topics.of(Kind::Vote).to_string(), "/leanconsensus/devnet0/attestation/ssz_snappy");
        assert_eq!(topics.kind(&topics.of(Kind::Vote).hash()), Some(Kind::Vote));
        assert_eq!(topics.kind(&Topics::new("devnet1").of(Kind::Vote).hash()), None);
    }

    #[test]
    fn the_parameters_are_valid() {
        let gossip = join(&Topics::new("devnet0"), SignatureForm::Flat, Authors::Refuse, Counts::default()).unwrap();
        assert_eq!(gossip.topics().count(), 2);
    }
}
