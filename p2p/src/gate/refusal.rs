//! Reasons to refuse a connection.

use std::fmt;

/// The reason why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer or its address is banned.
    Banned,
    /// Too many connections in total.
    TooMany,
    /// Too many connections, or too many a second, from one address.
    TooManyOfHost,
    /// Too many connections from one network.
    TooManyOfPrefix,
    /// Too many connections of one peer.
    TooManyOfPeer,
    /// The peer has lost its established connections, for example because it was restarted. They are closed. When the
    /// peer dials again it is accepted, as a new peer for every protocol.
    CameAgain,
    /// Too many handshakes are under way.
    TooManyHandshakes,
    /// Too many connections, or too many a second, from one address.
    TooOften,
    /// The engine is above its memory budget.
    ShortOfMemory,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banned => "banned",
            Self::TooMany => "too many connections",
            Self::TooManyOfHost => "too many connections from its address",
            Self::TooManyOfPrefix => "too many connections from its network",
            Self::TooManyOfPeer => "too many connections of this peer",
            Self::CameAgain => "its previous connection is closed first",
            Self::TooManyHandshakes => "too many handshakes under way",
            Self::TooOften => "too many new connections from its address",
            Self::ShortOfMemory => "the engine is short of memory",
        })
    }
}

impl std::error::Error for Refusal {}
