//! Requests of peers' that are not answered yet, or whose answer is being sent.

use std::{collections::HashMap, hash::Hash};

use libp2p::{
    PeerId,
    request_response::{InboundRequestId, ResponseChannel},
};

use super::{Answer, Chunk, asked::Method, code};
use crate::{
    budget::{MAX_ANSWER, SERVED_BYTES, SERVED_REQUESTS, SERVED_REQUESTS_PER_PEER},
    wire::{block_requests::MAX_BLOCKS, frame::LengthOf},
};

/// A request that the beacon answers.
struct Collecting<Channel> {
    channel: Channel,
    length_of: LengthOf,
    blocks: Vec<Vec<u8>>,
    /// Further blocks are left out.
    full: bool,
}

struct Entry<Channel> {
    /// The engine's name for it.
    id: u64,
    peer: PeerId,
    bytes: usize,
    /// None: the answer is being sent.
    collecting: Option<Collecting<Channel>>,
}

/// An answer that is complete, and where it goes.
pub struct Ready<Channel> {
    /// By which exchange.
    pub method: Method,
    /// To whom.
    pub channel: Channel,
    /// What.
    pub answer: Answer,
}

/// All of them. Names grow, so that an answer that comes late cannot be taken for another one's.
pub struct ServedRequests<Id = InboundRequestId, Channel = ResponseChannel<Answer>> {
    last_id: u64,
    entries: HashMap<(Method, Id), Entry<Channel>>,
    keys: HashMap<u64, (Method, Id)>,
    bytes: usize,
}

impl<Id, Channel> Default for ServedRequests<Id, Channel> {
    fn default() -> Self {
        Self { last_id: 0, entries: HashMap::new(), keys: HashMap::new(), bytes: 0 }
    }
}

impl<Id: Copy + Eq + Hash, Channel> ServedRequests<Id, Channel> {
    /// Whether one more of this peer is too much.
    pub fn is_full(&self, peer: &PeerId) -> bool {
        let of_peer = self.entries.values().filter(|entry| entry.peer == *peer).count();
        self.entries.len() >= SERVED_REQUESTS || of_peer >= SERVED_REQUESTS_PER_PEER || self.bytes >= SERVED_BYTES
    }

    /// Takes a request in, and names it for the beacon.
    pub fn add(&mut self, method: Method, request: Id, peer: PeerId, channel: Channel, length_of: LengthOf) -> u64 {
        self.last_id += 1;
        let collecting = Some(Collecting { channel, length_of, blocks: vec![], full: false });
        self.entries.insert((method, request), Entry { id: self.last_id, peer, bytes: 0, collecting });
        self.keys.insert(self.last_id, (method, request));
        self.last_id
    }

    /// Adds blocks, in the wire's form, to the answer of this name.
    pub fn collect(&mut self, id: u64, blocks: Vec<Vec<u8>>) {
        let Some(entry) = self.keys.get(&id).and_then(|key| self.entries.get_mut(key)) else { return };
        let Some(collecting) = &mut entry.collecting else { return };
        for block in blocks {
            let first = collecting.blocks.is_empty();
            let fits = (first || entry.bytes + block.len() <= MAX_ANSWER) && self.bytes + block.len() <= SERVED_BYTES;
            collecting.full |= !fits || collecting.blocks.len() >= MAX_BLOCKS;
            if collecting.full {
                return;
            }
            entry.bytes += block.len();
            self.bytes += block.len();
            collecting.blocks.push(block);
        }
    }

    /// The answer of this name is complete; with an error, if it has no blocks. None: the peer does not wait for it.
    pub fn complete(&mut self, id: u64, error: Option<(u8, String)>) -> Option<Ready<Channel>> {
        let key = self.keys.get(&id)?;
        let Collecting { channel, length_of, blocks, full } = self.entries.get_mut(key)?.collecting.take()?;
        let mut chunks: Vec<_> = blocks.into_iter().map(|content| Chunk { code: code::SUCCESS, content }).collect();
        // There was a block, and no room for it.
        let error = error.or(full.then(|| (code::UNAVAILABLE, "too many answers are under way".into())));
        if let (true, Some((code, text))) = (chunks.is_empty(), error) {
            chunks.push(Chunk { code, content: text.into_bytes() });
        }
        Some(Ready { method: key.0, channel, answer: Answer { chunks, length_of } })
    }

    /// The answer was sent, or the request has failed.
    pub fn remove(&mut self, method: Method, request: Id) {
        if let Some(entry) = self.entries.remove(&(method, request)) {
            self.keys.remove(&entry.id);
            self.bytes -= entry.bytes;
        }
    }

    /// Names of all that the beacon was to answer.
    pub fn open(&self) -> Vec<u64> {
        self.entries.values().filter(|entry| entry.collecting.is_some()).map(|entry| entry.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests are numbers, and nobody waits for the answers.
    type Served = ServedRequests<u32, ()>;

    fn ask(served: &mut Served, request: u32) -> u64 {
        served.add(Method::ByRoot, request, PeerId::random(), (), LengthOf::Content)
    }

    fn codes(served: &mut Served, id: u64) -> Vec<u8> {
        served.complete(id, None).unwrap().answer.chunks.iter().map(|chunk| chunk.code).collect()
    }

    #[test]
    fn an_answer_has_one_block_at_least_and_is_bounded() {
        let mut served = Served::default();
        let id = ask(&mut served, 1);
        served.collect(id, vec![vec![0; MAX_ANSWER + 1], vec![0]]);
        assert_eq!(codes(&mut served, id), [code::SUCCESS]);
        let id = ask(&mut served, 2);
        served.collect(id, vec![vec![0; MAX_ANSWER / 2]; 3]);
        assert_eq!(codes(&mut served, id), [code::SUCCESS; 2]);
    }

    #[test]
    fn all_answers_together_are_bounded_until_they_are_sent() {
        let mut served = Served::default();
        let large = || vec![vec![0; MAX_ANSWER - 1]];
        let fit = (SERVED_BYTES / (MAX_ANSWER - 1)) as u32;
        let ids: Vec<_> = (0..=fit).map(|request| ask(&mut served, request)).collect();
        let mut taken = vec![];
        for id in ids {
            served.collect(id, large());
            taken.push(codes(&mut served, id));
        }
        assert_eq!(taken.pop().unwrap(), [code::UNAVAILABLE]);
        assert!(taken.iter().all(|codes| *codes == [code::SUCCESS]));
        served.remove(Method::ByRoot, 0);
        let id = ask(&mut served, fit + 1);
        served.collect(id, large());
        assert_eq!(codes(&mut served, id), [code::SUCCESS]);
    }

    #[test]
    fn requests_are_bounded_by_number() {
        let (mut served, peer) = (Served::default(), PeerId::random());
        for request in 0..SERVED_REQUESTS_PER_PEER as u32 {
            assert!(!served.is_full(&peer));
            served.add(Method::ByRange, request, peer, (), LengthOf::Content);
        }
        assert!(served.is_full(&peer) && !served.is_full(&PeerId::random()));
        for request in 0..SERVED_REQUESTS as u32 {
            ask(&mut served, request);
        }
        assert!(served.is_full(&PeerId::random()));
    }
}
