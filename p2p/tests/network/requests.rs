//! Status and requests for blocks, between engines and with clients that use other forms.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::common::{
    Beacon, Node, Plan, block, chain_status,
    foreign::{Foreign, Manners, Method, chunk, only_status},
};
use futures::{executor::block_on, io::Cursor};
use lean_p2p::{
    budget::{Bounds, MAX_ANSWER},
    contract::{
        End,
        proto::{
            BlockAnswer, BlockRequest, BlocksByRange, BlocksByRoot, beacon_to_engine::Content as Said,
            block_request::Blocks, engine_to_beacon::Content as Heard,
        },
    },
    signature_form::SignatureForm,
    wire::{
        block_requests::BlockRequest as Wire,
        frame::{self, LengthOf},
        status::Status,
    },
};
use tokio::time::timeout;

/// The first engine sends requests to the second.
struct Pair {
    nodes: [Node; 2],
    asks: Beacon,
    asked: Beacon,
    /// The handle of the second engine.
    peer: u64,
}

async fn pair() -> Pair {
    let second = Node::start(Plan::default()).await;
    let first = Node::with_targets(&[&second]).await;
    let mut asks = Beacon::attach_with(&first, 4, chain_status(10)).await;
    let asked = Beacon::attach_with(&second, 4, chain_status(20)).await;
    let peer = asks.peer().await;
    assert_eq!(peer.status, Some(chain_status(20)));
    assert!(peer.outbound && peer.serves_range && peer.agent.starts_with("lean-p2p/"), "{peer:?}");
    Pair { nodes: [first, second], asks, asked, peer: peer.peer }
}

fn by_root(count: u8) -> Blocks {
    Blocks::ByRoot(BlocksByRoot { roots: (0..count).map(|i| vec![i; 32]).collect() })
}

async fn ask(beacon: &Beacon, id: u64, peer: u64, blocks: Blocks) {
    beacon.say(Said::Request(BlockRequest { id, peer, blocks: Some(blocks) })).await;
}

async fn request(beacon: &mut Beacon) -> BlockRequest {
    beacon
        .hear("a request", |heard| match heard {
            Heard::Request(request) => Some(request),
            _ => None,
        })
        .await
}

async fn say_answer(beacon: &Beacon, id: u64, blocks: Vec<Vec<u8>>, end: End, message: &str) {
    beacon.say(Said::Answer(BlockAnswer { id, blocks, end: end.into(), message: message.into() })).await;
}

/// The next answer with all its parts.
async fn answer(beacon: &mut Beacon) -> BlockAnswer {
    let mut whole = BlockAnswer::default();
    loop {
        let part = beacon
            .hear("an answer", |heard| match heard {
                Heard::Answer(answer) => Some(answer),
                _ => None,
            })
            .await;
        whole.blocks.extend(part.blocks);
        if part.end != i32::from(End::More) {
            return BlockAnswer { blocks: whole.blocks, ..part };
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_is_told_again_every_slot() {
    let mut pair = pair().await;
    assert_eq!(pair.asked.peer().await.status, Some(chain_status(10)));
    pair.asked.say(Said::Status(chain_status(30))).await;
    let peer = pair.peer;
    pair.asks
        .hear("a status", |heard| match heard {
            Heard::Status(update) if update.peer == peer && update.status == Some(chain_status(30)) => Some(()),
            _ => None,
        })
        .await;
    for node in pair.nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_request_before_the_first_beacon_waits_for_it() {
    let node = Node::start(Plan::default()).await;
    let foreign = Foreign::dial(&node, Manners::default(), only_status(LengthOf::Content)).await;
    let request = frame::write(&Status::default().to_ssz(), LengthOf::Content).unwrap();
    let answer = foreign.ask(Method::Status, request);
    tokio::pin!(answer);
    let early = timeout(Duration::from_millis(500), &mut answer).await;
    assert!(early.is_err(), "it is answered without a beacon: {early:?}");
    let _beacon = Beacon::attach_with(&node, 4, chain_status(7)).await;
    let answer = answer.await.unwrap();
    assert_eq!((answer[0], Status::from_ssz(&read(&answer[1..]).0).map(Into::into)), (0, Some(chain_status(7))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_request_does_not_wait_for_a_beacon_that_never_comes() {
    let node = Node::start(Plan::default()).await;
    let foreign = Foreign::dial(&node, Manners::default(), only_status(LengthOf::Content)).await;
    let request = frame::write(&Status::default().to_ssz(), LengthOf::Content).unwrap();
    let answer = foreign.ask(Method::Status, request).await;
    assert_eq!(answer, Ok(chunk(3, b"no beacon has attached yet", LengthOf::Content)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_asked_for_by_root_and_by_range() {
    let mut pair = pair().await;
    let blocks = vec![block(1, 1), block(2600, 2), block(3, 3)];
    let range = Blocks::ByRange(BlocksByRange { first_slot: 7, count: 3 });
    for (id, what) in [(5, by_root(3)), (6, range)] {
        ask(&pair.asks, id, pair.peer, what.clone()).await;
        let heard = request(&mut pair.asked).await;
        assert_eq!(heard.blocks, Some(what));
        say_answer(&pair.asked, heard.id, blocks[..2].to_vec(), End::More, "").await;
        say_answer(&pair.asked, heard.id, blocks[2..].to_vec(), End::Complete, "").await;
        let answer = answer(&mut pair.asks).await;
        assert_eq!((answer.id, answer.end()), (id, End::Complete));
        assert!(answer.blocks == blocks);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_bounded() {
    let mut pair = pair().await;
    let blocks: Vec<_> = (0..4).map(|i| block(4000, i)).collect();
    let mut id = 0;
    // A peer has 8 seconds for an answer, which a busy machine may exceed.
    let answer = loop {
        id += 1;
        ask(&pair.asks, id, pair.peer, by_root(4)).await;
        let heard = request(&mut pair.asked).await;
        for block in &blocks {
            say_answer(&pair.asked, heard.id, vec![block.clone()], End::More, "").await;
        }
        say_answer(&pair.asked, heard.id, vec![], End::Complete, "").await;
        let answer = answer(&mut pair.asks).await;
        if answer.end() != End::TimedOut {
            break answer;
        }
    };
    assert_eq!((answer.end(), answer.blocks.len()), (End::Complete, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_do_not_count_towards_the_rate_of_the_peer() {
    let mut pair = pair().await;
    let most = Bounds::of(4, Duration::from_secs(4)).peer_burst_bytes as usize;
    let large = block(4000, 1);
    // At its rate, a peer would need 12 s for each answer above the burst. A busy machine may be late a few times.
    let mut late = 0;
    for id in 0..(2 * most / large.len()) as u64 {
        ask(&pair.asks, id, pair.peer, by_root(1)).await;
        let heard = request(&mut pair.asked).await;
        say_answer(&pair.asked, heard.id, vec![large.clone()], End::Complete, "").await;
        match answer(&mut pair.asks).await.end() {
            End::Complete => {}
            End::TimedOut => late += 1,
            end => panic!("answer {id}: {end:?}"),
        }
    }
    assert!(late <= 3, "{late} answers are late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_grows_by_its_conversion_is_bounded() {
    let node = Node::start(Plan { form: SignatureForm::Leansig, ..Plan::default() }).await;
    let mut beacon = Beacon::attach(&node).await;
    let large = SignatureForm::Leansig.block_to_wire(block(4095, 1)).unwrap();
    // The third block fills the answer on the wire up to less than four bytes for each signature.
    let free = MAX_ANSWER - 2 * large.len() - 20_000;
    let small = SignatureForm::Leansig.block_to_wire(block(free / 3112, 2)).unwrap();
    let wire = [&large, &large, &small].map(|ssz| chunk(0, ssz, LengthOf::Content)).concat();
    assert!(2 * large.len() + small.len() <= MAX_ANSWER);
    let _foreign = Foreign::dial(&node, Manners::default(), move |method, bytes| match method {
        Method::Status => only_status(LengthOf::Content)(method, bytes),
        _ => Some(wire.clone().into()),
    })
    .await;
    let peer = beacon.peer().await;
    ask(&beacon, 1, peer.peer, by_root(3)).await;
    let got = answer(&mut beacon).await;
    assert_eq!((got.end(), got.blocks.len()), (End::Complete, 2), "{}", got.message);
    assert!(got.blocks == [block(4095, 1), block(4095, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_told() {
    let mut pair = pair().await;
    ask(&pair.asks, 1, pair.peer, by_root(1)).await;
    let heard = request(&mut pair.asked).await;
    say_answer(&pair.asked, heard.id, vec![], End::Failed, "the disk is\ngone").await;
    let failed = answer(&mut pair.asks).await;
    assert_eq!((failed.id, failed.end(), failed.message.as_str()), (1, End::Failed, "the disk is?gone"));
    ask(&pair.asks, 2, 4711, by_root(1)).await;
    let failed = answer(&mut pair.asks).await;
    assert_eq!((failed.id, failed.end()), (2, End::Failed));
    // Two requests are under way, and are not answered.
    for id in 3..6 {
        ask(&pair.asks, id, pair.peer, by_root(1)).await;
    }
    let failed = answer(&mut pair.asks).await;
    assert_eq!((failed.id, failed.end()), (5, End::Overloaded));
    for _ in 0..2 {
        let failed = answer(&mut pair.asks).await;
        assert_eq!(failed.end(), End::TimedOut);
    }
}

fn read(bytes: &[u8]) -> (Vec<u8>, LengthOf) {
    block_on(frame::read(&mut Cursor::new(bytes), 1 << 20)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_the_other_form_and_the_old_name_are_asked_in_theirs() {
    let node = Node::start(Plan::default()).await;
    let mut beacon = Beacon::attach(&node).await;
    let heard = Arc::new(Mutex::new(vec![]));
    let log = heard.clone();
    let manners = Manners { methods: vec![Method::Status, Method::ByRootOld], ..Manners::default() };
    let _foreign = Foreign::dial(&node, manners, move |method, bytes| {
        let (ssz, length_of) = read(&bytes);
        log.lock().unwrap().push((method, ssz.len(), length_of));
        match method {
            Method::Status => Some(chunk(0, &Status::default().to_ssz(), LengthOf::Compressed).into()),
            // As in qlean: one chunk with a list.
            _ => {
                let block = block(1, 1);
                let mut list = vec![4, 0, 0, 0, 4, 0, 0, 0];
                list.extend(block);
                Some(chunk(0, &list, LengthOf::Compressed).into())
            }
        }
    })
    .await;
    let peer = beacon.peer().await;
    assert!(!peer.serves_range && !peer.outbound);
    ask(&beacon, 1, peer.peer, by_root(1)).await;
    let got = answer(&mut beacon).await;
    assert_eq!(got.end(), End::Complete, "{}", got.message);
    assert!(got.blocks == [block(1, 1)]);
    assert!(heard.lock().unwrap().contains(&(Method::ByRootOld, 36, LengthOf::Compressed)));
    ask(&beacon, 2, peer.peer, Blocks::ByRange(BlocksByRange { first_slot: 1, count: 1 })).await;
    assert_eq!(answer(&mut beacon).await.end(), End::Unsupported);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_not_understood_is_sent_in_the_other_form() {
    let node = Node::start(Plan::default()).await;
    let mut beacon = Beacon::attach(&node).await;
    let _foreign = Foreign::dial(&node, Manners::default(), |method, bytes| {
        let answer = match (method, read(&bytes).1) {
            (_, LengthOf::Content) => chunk(1, b"what?", LengthOf::Compressed),
            (Method::Status, _) => chunk(0, &Status::default().to_ssz(), LengthOf::Content),
            _ => chunk(0, &block(1, 1), LengthOf::Compressed),
        };
        Some(answer.into())
    })
    .await;
    let peer = beacon.peer().await;
    ask(&beacon, 1, peer.peer, by_root(1)).await;
    let got = answer(&mut beacon).await;
    assert_eq!((got.end(), got.blocks.len()), (End::Complete, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roots_are_sent_bare_to_who_answers_a_container_with_nothing() {
    let node = Node::start(Plan::default()).await;
    let mut beacon = Beacon::attach(&node).await;
    let heard = Arc::new(Mutex::new(vec![]));
    let log = heard.clone();
    // As in gean.
    let _foreign = Foreign::dial(&node, Manners::default(), move |method, bytes| {
        let (ssz, _) = read(&bytes);
        let answer = match method {
            Method::Status => chunk(0, &Status::default().to_ssz(), LengthOf::Compressed),
            _ if ssz.len() % 32 != 0 => vec![],
            _ => chunk(0, &block(1, 1), LengthOf::Compressed),
        };
        if method != Method::Status {
            log.lock().unwrap().push(ssz.len());
        }
        Some(answer.into())
    })
    .await;
    let peer = beacon.peer().await;
    for id in [1, 2] {
        ask(&beacon, id, peer.peer, by_root(1)).await;
        let got = answer(&mut beacon).await;
        assert_eq!((got.id, got.end(), got.blocks.len()), (id, End::Complete, 1));
    }
    assert_eq!(*heard.lock().unwrap(), [36, 32, 32]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_decides_which_form_is_tried_first() {
    for framing in [LengthOf::Content, LengthOf::Compressed] {
        let node = Node::start(Plan { framing, ..Plan::default() }).await;
        let mut beacon = Beacon::attach(&node).await;
        let heard = Arc::new(Mutex::new(vec![]));
        let log = heard.clone();
        let _foreign = Foreign::dial(&node, Manners::default(), move |method, bytes| {
            log.lock().unwrap().push((method, read(&bytes).1));
            // A client that does not understand the request closes the stream.
            (read(&bytes).1 == framing.other()).then(|| chunk(0, &Status::default().to_ssz(), framing.other()).into())
        })
        .await;
        beacon.peer().await;
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard[..2], [(Method::Status, framing), (Method::Status, framing.other())]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asker_gets_its_own_form() {
    let node = Node::start(Plan::default()).await;
    let mut beacon = Beacon::attach_with(&node, 4, chain_status(9)).await;
    let manners = Manners {
        methods: vec![Method::Status, Method::ByRoot, Method::ByRootOld, Method::ByRange],
        ..Manners::default()
    };
    let foreign = Foreign::dial(&node, manners, only_status(LengthOf::Content)).await;
    beacon.peer().await;
    let roots = Wire::ByRoot(vec![[7; 32], [8; 32]]);
    let range = Wire::range(3, 2).unwrap();
    for length_of in [LengthOf::Content, LengthOf::Compressed] {
        let status = frame::write(&Status::default().to_ssz(), length_of).unwrap();
        let answer = foreign.ask(Method::Status, status).await.unwrap();
        let (ssz, form) = read(&answer[1..]);
        assert_eq!((answer[0], form), (0, length_of));
        assert_eq!(Some(chain_status(9)), Status::from_ssz(&ssz).map(Into::into));
        for (method, wire) in [(Method::ByRoot, &roots), (Method::ByRootOld, &roots), (Method::ByRange, &range)] {
            let query = frame::write(&wire.to_ssz(length_of), length_of).unwrap();
            let answered = async {
                let request = request(&mut beacon).await;
                assert_eq!(request.blocks, Some(wire.into()));
                say_answer(&beacon, request.id, vec![block(1, 1)], End::Complete, "").await;
            };
            let (answer, ()) = tokio::join!(foreign.ask(method, query), answered);
            assert!(answer.unwrap() == chunk(0, &block(1, 1), length_of), "{method:?} {length_of:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_answer_is_told_as_malformed() {
    let node = Node::start(Plan::default()).await;
    let mut beacon = Beacon::attach(&node).await;
    let mut answers = vec![
        chunk(0, b"no block", LengthOf::Content),
        vec![0xff; 100],
        [chunk(0, &block(1, 1), LengthOf::Content), chunk(0, &block(1, 2), LengthOf::Content)].concat(),
    ];
    let _foreign = Foreign::dial(&node, Manners::default(), move |method, bytes| match method {
        Method::Status => only_status(LengthOf::Content)(method, bytes),
        _ => answers.pop().map(Into::into),
    })
    .await;
    let peer = beacon.peer().await;
    for id in 1..4 {
        ask(&beacon, id, peer.peer, by_root(1)).await;
        let got = answer(&mut beacon).await;
        assert_eq!((got.id, got.end()), (id, End::Malformed), "{}", got.message);
        assert!(got.blocks.is_empty());
    }
}
