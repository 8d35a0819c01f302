//! Why a connection does not stand.

use std::fmt;

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer or its address.
    Banned,
    /// In all.
    TooMany,
    /// From one address.
    TooManyOfHost,
    /// From one network.
    TooManyOfPrefix,
    /// Of one peer.
    TooManyOfPeer,
    /// It has lost those that stand here, as when it was started again. They are closed, and it is let in when it comes again,
    /// as a new peer to every protocol.
    CameAgain,
    /// Under way.
    TooManyHandshakes,
    /// From one address.
    TooOften,
    /// The engine is above its budget.
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
            Self::CameAgain => "its former connection ends first",
            Self::TooManyHandshakes => "too many handshakes under way",
            Self::TooOften => "too many new connections from its address",
            Self::ShortOfMemory => "the engine is short of memory",
        })
    }
}

impl std::error::Error for Refusal {}
