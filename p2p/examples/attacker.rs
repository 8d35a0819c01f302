//! A hostile peer as a program, for tests of the whole node. See `--help`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../tests/raw/mod.rs"]
mod raw;

use std::{net::SocketAddr, time::Duration};

use clap::{Parser, Subcommand};
use raw::{
    Answers, Dialer, Event, Peer, Result,
    attacks::{self, Attack, Plan},
};
use tokio::sync::mpsc;

#[derive(Parser)]
#[command(about = "A hostile peer, for tests")]
struct Options {
    /// Where the engine listens
    #[arg(long, value_name = "IP:PORT")]
    to: SocketAddr,
    /// Agent name
    #[arg(long, value_name = "NAME", default_value = "attacker")]
    agent: String,
    /// Status: 80 bytes in hex
    #[arg(long, value_name = "HEX", value_parser = bytes)]
    status: std::sync::Arc<Vec<u8>>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Run one attack, and print its result
    Attack {
        name: Attack,
        #[arg(long, default_value_t = 1)]
        connections: usize,
        /// Use a different address 127.X.Y.Z for each connection
        #[arg(long)]
        from_many: bool,
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Execute the lines of standard input, and print events: `gossip KIND HEX`, `ask PROTOCOL HEX`, `status HEX`,
    /// `blocks HEX...` (the answer to each request from then on), `silence` (no answers)
    Obey,
}

fn bytes(text: &str) -> std::result::Result<std::sync::Arc<Vec<u8>>, String> {
    hex::decode(text).map(Into::into).map_err(|error| error.to_string())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let options = Options::parse();
    let answers = Answers { agent: options.agent, status: options.status.to_vec(), blocks: Some(vec![]) };
    match options.what {
        What::Attack { name, connections, from_many, seconds } => {
            let time = Duration::from_secs(seconds);
            let plan = Plan { to: options.to, from_many, connections, time, answers };
            println!("{}", attacks::run(name, &plan).await.line());
            Ok(())
        }
        What::Obey => obey(options.to, answers).await,
    }
}

async fn obey(to: SocketAddr, answers: Answers) -> Result<()> {
    let dialer = Dialer::new([127, 0, 0, 1].into())?;
    let mut peer = match Peer::begin(&dialer, to, answers, true).await {
        Ok(peer) => peer,
        Err(error) => {
            println!("ended {error}");
            return Ok(());
        }
    };
    println!("connected");
    let (heard, mut lines) = mpsc::channel(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
            if heard.blocking_send(line).is_err() {
                return;
            }
        }
    });
    loop {
        tokio::select! {
            end = peer.connection.closed() => {
                println!("ended {end}");
                return Ok(());
            }
            Some(event) = peer.events.recv() => match event {
                Event::Asked(protocol, ssz) => println!("asked {protocol} {}", hex::encode(ssz)),
                Event::Item { id } => println!("item {}", hex::encode(id)),
                Event::Control => {}
            },
            line = lines.recv() => match line {
                None => return Ok(()),
                // If sending fails, the connection has ended.
                Some(line) => if let Err(error) = carry_out(&mut peer, &line).await {
                    println!("ended {error}");
                    return Ok(());
                },
            },
        }
    }
}

async fn carry_out(peer: &mut Peer, line: &str) -> Result<()> {
    let words: Vec<_> = line.split(' ').collect();
    match words.as_slice() {
        ["gossip", kind, data] => peer.publish(kind, hex::decode(data)?).await?,
        ["ask", protocol, ssz] => {
            let protocol = format!("/leanconsensus/req/{protocol}/1/ssz_snappy");
            let (connection, ssz) = (peer.connection.clone(), hex::decode(ssz)?);
            tokio::spawn(async move {
                let answer = raw::request(&connection, &protocol, &ssz).await;
                println!("answered {}", answer.map_or_else(|error| format!("error: {error}"), hex::encode));
            });
        }
        ["status", ssz] => peer.answers.lock().unwrap().status = hex::decode(ssz)?,
        ["blocks", blocks @ ..] => {
            let blocks = blocks.iter().map(hex::decode).collect::<std::result::Result<_, _>>()?;
            peer.answers.lock().unwrap().blocks = Some(blocks);
        }
        ["silence"] => peer.answers.lock().unwrap().blocks = None,
        other => return Err(format!("cannot do {other:?}").into()),
    }
    Ok(())
}
