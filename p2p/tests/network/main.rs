//! Engines on loopback with scripted beacons. All tests are one program, since each program with a swarm takes long to
//! compile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod attacks;
mod common;
mod dead_peer;
mod discovery;
mod gossip;
mod hostile;
mod links;
// The example `attacker` uses parts of it that are not used here.
#[allow(dead_code, unused_imports)]
#[path = "../raw/mod.rs"]
mod raw;
mod requests;
mod served;
mod transports;
