//! Engines on loopback with scripted beacons. One program, since each that drives a swarm takes long to compile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod attacks;
mod common;
mod dead_peer;
mod discovery;
mod gossip;
mod hostile;
mod links;
// What a program reads of it that obeys a test from outside is not needed here.
#[allow(dead_code, unused_imports)]
#[path = "../raw/mod.rs"]
mod raw;
mod requests;
mod served;
mod transports;
