//! The messages of gossipsub and identify.

use prost::Message;

use super::connection::varint;

/// A topic of the network.
pub fn topic(kind: &str) -> String {
    format!("/leanconsensus/devnet0/{kind}/ssz_snappy")
}

#[derive(Clone, PartialEq, Message)]
pub struct Rpc {
    #[prost(message, repeated, tag = "1")]
    pub subscriptions: Vec<Subscription>,
    #[prost(message, repeated, tag = "2")]
    pub publish: Vec<Published>,
    #[prost(message, optional, tag = "3")]
    pub control: Option<Control>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Subscription {
    #[prost(bool, optional, tag = "1")]
    pub subscribe: Option<bool>,
    #[prost(string, optional, tag = "2")]
    pub topic: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Published {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub from: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub data: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub seqno: Option<Vec<u8>>,
    #[prost(string, tag = "4")]
    pub topic: String,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub signature: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub key: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Control {
    #[prost(message, repeated, tag = "1")]
    pub ihave: Vec<Ids>,
    #[prost(message, repeated, tag = "2")]
    pub iwant: Vec<BareIds>,
    #[prost(message, repeated, tag = "3")]
    pub graft: Vec<Graft>,
    #[prost(message, repeated, tag = "4")]
    pub prune: Vec<Prune>,
    #[prost(message, repeated, tag = "5")]
    pub idontwant: Vec<BareIds>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Ids {
    #[prost(string, optional, tag = "1")]
    pub topic: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub ids: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct BareIds {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub ids: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graft {
    #[prost(string, optional, tag = "1")]
    pub topic: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Prune {
    #[prost(string, optional, tag = "1")]
    pub topic: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub peers: Vec<Exchanged>,
    #[prost(uint64, optional, tag = "3")]
    pub backoff: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Exchanged {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub peer: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub record: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Identify {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub public_key: Option<Vec<u8>>,
    #[prost(string, repeated, tag = "3")]
    pub protocols: Vec<String>,
    #[prost(string, optional, tag = "6")]
    pub agent: Option<String>,
}

/// A message with its length prefix, as on a stream.
pub fn framed(message: &impl Message) -> Vec<u8> {
    let mut bytes = varint(message.encoded_len() as u64);
    bytes.extend(message.encode_to_vec());
    bytes
}

impl Rpc {
    /// The message with its length prefix, as on a stream.
    pub fn framed(&self) -> Vec<u8> {
        framed(self)
    }

    pub fn published(kind: &str, data: Vec<u8>) -> Self {
        let message = Published { data: Some(data), topic: topic(kind), ..Published::default() };
        Self { publish: vec![message], ..Self::default() }
    }

    pub fn subscribed(topics: impl Iterator<Item = String>, subscribe: bool) -> Self {
        let one = |topic| Subscription { subscribe: Some(subscribe), topic: Some(topic) };
        Self { subscriptions: topics.map(one).collect(), ..Self::default() }
    }
}

impl From<Control> for Rpc {
    fn from(control: Control) -> Self {
        Self { control: Some(control), ..Self::default() }
    }
}
