//! Engines on loopback with scripted beacons. One program, since each that drives a swarm takes long to compile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod common;
mod discovery;
mod gossip;
mod hostile;
mod links;
mod requests;
mod transports;
