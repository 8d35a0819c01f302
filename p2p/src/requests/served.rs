//! Requests of peers that are not answered yet, or whose answer is being sent.

use std::{collections::HashMap, hash::Hash, net::IpAddr};

use libp2p::{
    PeerId,
    request_response::{InboundRequestId, ResponseChannel},
};

use super::{Answer, Chunk, asked::Method, code};
use crate::{
    bans::{host, prefix},
    budget::{
        MAX_ANSWER, SERVED_BYTES, SERVED_BYTES_PER_HOST, SERVED_BYTES_PER_PREFIX, SERVED_REQUESTS,
        SERVED_REQUESTS_PER_HOST, SERVED_REQUESTS_PER_PEER, SERVED_REQUESTS_PER_PREFIX,
    },
    metrics::Footprint,
    wire::{block_requests::MAX_BLOCKS, frame::LengthOf},
};

/// Who asks, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The peer.
    pub peer: PeerId,
    /// Its address.
    pub ip: IpAddr,
}

/// A request that the beacon answers.
struct Collecting<Channel> {
    channel: Channel,
    length_of: LengthOf,
    blocks: Vec<Vec<u8>>,
    /// Further blocks are left out.
    full: bool,
}

struct Entry<Channel> {
    /// The id that the beacon uses.
    id: u64,
    origin: Origin,
    bytes: usize,
    /// None: the answer is being sent.
    collecting: Option<Collecting<Channel>>,
}

/// An answer that is complete, and where it goes.
pub struct Ready<Channel> {
    /// The exchange that sends it.
    pub method: Method,
    /// The peer that gets it.
    pub channel: Channel,
    /// The answer.
    pub answer: Answer,
}

/// The most that the requests of one place may take.
struct Most {
    requests: usize,
    bytes: usize,
}

const OF_ALL: Most = Most { requests: SERVED_REQUESTS, bytes: SERVED_BYTES };
const OF_HOST: Most = Most { requests: SERVED_REQUESTS_PER_HOST, bytes: SERVED_BYTES_PER_HOST };
const OF_PREFIX: Most = Most { requests: SERVED_REQUESTS_PER_PREFIX, bytes: SERVED_BYTES_PER_PREFIX };

/// All requests that are under way. Ids only increase, so that a late answer is never taken for the answer to another
/// request.
pub struct ServedRequests<Id = InboundRequestId, Channel = ResponseChannel<Answer>> {
    last_id: u64,
    entries: HashMap<(Method, Id), Entry<Channel>>,
    keys: HashMap<u64, (Method, Id)>,
}

impl<Id, Channel> Default for ServedRequests<Id, Channel> {
    fn default() -> Self {
        Self { last_id: 0, entries: HashMap::new(), keys: HashMap::new() }
    }
}

impl<Id: Copy + Eq + Hash, Channel> ServedRequests<Id, Channel> {
    /// Whether there is no room for one more request of this origin.
    pub fn is_full(&self, origin: &Origin) -> bool {
        let of_peer = self.entries.values().filter(|entry| entry.origin.peer == origin.peer).count();
        of_peer >= SERVED_REQUESTS_PER_PEER || !self.has_room(origin.ip, 1, 1)
    }

    /// Whether these further requests and bytes are within all bounds. As for connections, an address of this machine
    /// may take as much as a network.
    fn has_room(&self, ip: IpAddr, requests: usize, bytes: usize) -> bool {
        let fits = |most: Most, place: fn(IpAddr) -> Option<IpAddr>| {
            let of_place = || self.entries.values().filter(|entry| place(entry.origin.ip) == place(ip));
            of_place().count() + requests <= most.requests
                && of_place().map(|entry| entry.bytes).sum::<usize>() + bytes <= most.bytes
        };
        let fits_place = if ip.is_loopback() {
            fits(OF_PREFIX, |ip| Some(host(ip)))
        } else {
            fits(OF_HOST, |ip| Some(host(ip))) && fits(OF_PREFIX, |ip| Some(prefix(ip)))
        };
        fits_place && fits(OF_ALL, |_| None)
    }

    /// Adds a request. Returns its id for the beacon.
    pub fn add(&mut self, method: Method, request: Id, origin: Origin, channel: Channel, length_of: LengthOf) -> u64 {
        self.last_id += 1;
        let collecting = Some(Collecting { channel, length_of, blocks: vec![], full: false });
        self.entries.insert((method, request), Entry { id: self.last_id, origin, bytes: 0, collecting });
        self.keys.insert(self.last_id, (method, request));
        self.last_id
    }

    /// Adds blocks, in the wire's form, to the answer with this id.
    pub fn collect(&mut self, id: u64, blocks: Vec<Vec<u8>>) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        for block in blocks {
            let Some(origin) = self.entries.get(&key).map(|entry| entry.origin) else { return };
            let has_room = self.has_room(origin.ip, 0, block.len());
            let Some(entry) = self.entries.get_mut(&key) else { return };
            let Some(collecting) = &mut entry.collecting else { return };
            let fits = collecting.blocks.is_empty() || entry.bytes + block.len() <= MAX_ANSWER;
            collecting.full |= !fits || !has_room || collecting.blocks.len() >= MAX_BLOCKS;
            if collecting.full {
                return;
            }
            entry.bytes += block.len();
            collecting.blocks.push(block);
        }
    }

    /// Completes the answer with this id. The error is sent if the answer has no blocks. None: the peer no longer
    /// waits.
    pub fn complete(&mut self, id: u64, error: Option<(u8, String)>) -> Option<Ready<Channel>> {
        let key = self.keys.get(&id)?;
        let Collecting { channel, length_of, blocks, full } = self.entries.get_mut(key)?.collecting.take()?;
        let chunks: Vec<_> = blocks.into_iter().map(|content| Chunk { code: code::SUCCESS, content }).collect();
        // There was a block, and no room for it.
        let error = error.or(full.then(|| (code::UNAVAILABLE, "too many answers are under way".into())));
        let answer = match (chunks.is_empty(), error) {
            (true, Some((code, text))) => Answer::error(code, &text, length_of),
            _ => Answer { chunks, length_of },
        };
        Some(Ready { method: key.0, channel, answer })
    }

    /// Removes a request that was answered or has failed.
    pub fn remove(&mut self, method: Method, request: Id) {
        if let Some(entry) = self.entries.remove(&(method, request)) {
            self.keys.remove(&entry.id);
        }
    }

    /// The requests that are under way, and the bytes of their answers.
    pub fn footprint(&self) -> Footprint {
        Footprint { items: self.entries.len(), bytes: self.entries.values().map(|entry| entry.bytes).sum() }
    }

    /// The ids of all requests that the beacon has not answered.
    pub fn open(&self) -> Vec<u64> {
        self.entries.values().filter(|entry| entry.collecting.is_some()).map(|entry| entry.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests are numbers. The answers are not sent.
    type Served = ServedRequests<u32, ()>;

    fn stranger(ip: [u8; 4]) -> Origin {
        Origin { peer: PeerId::random(), ip: ip.into() }
    }

    /// An address of a network of its own.
    fn ip_of(request: u32) -> [u8; 4] {
        [192, 0, request as u8, 1]
    }

    fn ask_from(served: &mut Served, request: u32, origin: Origin) -> u64 {
        served.add(Method::ByRoot, request, origin, (), LengthOf::Content)
    }

    fn ask(served: &mut Served, request: u32) -> u64 {
        ask_from(served, request, stranger(ip_of(request)))
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
        assert_eq!(served.footprint().items, fit as usize + 1);
        assert_eq!(served.footprint().bytes, fit as usize * (MAX_ANSWER - 1));
        assert!(taken.iter().all(|codes| *codes == [code::SUCCESS]));
        served.remove(Method::ByRoot, 0);
        let id = ask(&mut served, fit + 1);
        served.collect(id, large());
        assert_eq!(codes(&mut served, id), [code::SUCCESS]);
    }

    #[test]
    fn one_address_or_network_cannot_take_the_bytes_of_all() {
        for (hosts, most) in [(1, SERVED_BYTES_PER_HOST), (2, SERVED_BYTES_PER_PREFIX)] {
            let mut served = Served::default();
            for request in 0..8 {
                let id = ask_from(&mut served, request, stranger([192, 0, 2, (request % hosts) as u8]));
                served.collect(id, vec![vec![0; MAX_ANSWER]]);
            }
            assert_eq!(served.entries.values().map(|entry| entry.bytes).sum::<usize>(), most);
            assert!(served.is_full(&stranger([192, 0, 2, 0])));
            let id = ask_from(&mut served, 8, stranger([198, 51, 100, 1]));
            served.collect(id, vec![vec![0; MAX_ANSWER]]);
            assert_eq!(codes(&mut served, id), [code::SUCCESS]);
        }
    }

    /// How many requests of new peers are taken.
    fn taken(served: &mut Served, ip: impl Fn(u32) -> [u8; 4]) -> usize {
        let first = served.entries.len() as u32;
        (first..first + 100)
            .filter(|request| {
                let origin = stranger(ip(*request));
                let is_taken = !served.is_full(&origin);
                if is_taken {
                    ask_from(served, *request, origin);
                }
                is_taken
            })
            .count()
    }

    #[test]
    fn requests_are_bounded_by_peer_address_and_network() {
        let (mut served, origin) = (Served::default(), stranger([127, 0, 0, 1]));
        for request in 0..SERVED_REQUESTS_PER_PEER as u32 {
            assert!(!served.is_full(&origin));
            ask_from(&mut served, request, origin);
        }
        assert!(served.is_full(&origin) && !served.is_full(&stranger([127, 0, 0, 1])));
        let mut served = Served::default();
        assert_eq!(taken(&mut served, |_| [192, 0, 2, 1]), SERVED_REQUESTS_PER_HOST);
        assert_eq!(taken(&mut served, |i| [192, 0, 2, i as u8]), SERVED_REQUESTS_PER_PREFIX - SERVED_REQUESTS_PER_HOST);
        assert_eq!(taken(&mut served, ip_of), SERVED_REQUESTS - SERVED_REQUESTS_PER_PREFIX);
    }

    #[test]
    fn this_machine_has_the_room_of_a_network() {
        let mut served = Served::default();
        assert_eq!(taken(&mut served, |_| [127, 0, 0, 1]), SERVED_REQUESTS_PER_PREFIX);
        assert_eq!(taken(&mut served, |_| [127, 0, 0, 2]), SERVED_REQUESTS - SERVED_REQUESTS_PER_PREFIX);
    }
}
