//! The levels of the log, of the whole program and of its parts.

use std::{collections::BTreeMap, fmt};

use crate::text;

/// The levels of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for developers.
    Debug,
    /// Normal events.
    Info,
    /// Events that an operator should look at.
    Warn,
    /// Failures that stop the engine from working.
    Error,
}

impl Level {
    const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// As options name it.
    fn option(self) -> &'static str {
        if self == Self::Warn { "warn" } else { self.name() }
    }

    /// As lines name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Error => "error",
        }
    }

    /// How a terminal shows it: green, bold yellow, bold red, otherwise cyan.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Debug => "\x1b[36m",
            Self::Info => "\x1b[32m",
            Self::Warn => "\x1b[33m\x1b[1m",
            Self::Error => "\x1b[31m\x1b[1m",
        }
    }
}

/// The parts of the program that have a level of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The stream to the beacon.
    Beacon,
    /// The search for nodes.
    Discovery,
    /// Blocks and votes.
    Gossip,
    /// Connections.
    Peers,
    /// Requests for blocks and status.
    Requests,
}

impl Part {
    const ALL: [Self; 5] = [Self::Beacon, Self::Discovery, Self::Gossip, Self::Peers, Self::Requests];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Beacon => "beacon",
            Self::Discovery => "discovery",
            Self::Gossip => "gossip",
            Self::Peers => "peers",
            Self::Requests => "requests",
        }
    }
}

/// The least levels that are logged: of the program, and of parts that have one of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    all: Level,
    parts: BTreeMap<Part, Level>,
}

impl Levels {
    /// Whether lines of this level are written: of a part, or of the whole program.
    pub(super) fn has(&self, part: Option<Part>, level: Level) -> bool {
        level >= part.and_then(|part| self.parts.get(&part).copied()).unwrap_or(self.all)
    }

    /// Parses `info`, or `info,gossip=debug,peers=warn`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let level = |name: &str| {
            let what = || format!("{:?} is no level: expected debug, info, warn or error", text::printable(name, 16));
            Level::ALL.into_iter().find(|level| level.option() == name).ok_or_else(what)
        };
        let mut words = text.split(',');
        let mut levels = Self { all: level(words.next().unwrap_or_default())?, parts: BTreeMap::new() };
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let part = Part::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
                let known = Part::ALL.map(Part::name).join(", ");
                format!("{:?} is no part of the program: expected {known}", text::printable(name, 16))
            })?;
            levels.parts.insert(part, level(value)?);
        }
        Ok(levels)
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.all.option())?;
        self.parts.iter().try_for_each(|(part, level)| write!(f, ",{}={}", part.name(), level.option()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_of_the_program_and_of_its_parts() {
        for text in ["info", "warn,gossip=debug", "error,beacon=warn,requests=info"] {
            assert_eq!(Levels::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "loud", "warning", "info,", "info,gossip", "info,gossip=", "info,chain=debug", "gossip=debug"]
        {
            assert!(Levels::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Levels::parse("info,chain=debug").unwrap_err().contains("expected beacon, discovery, gossip,"));
    }
}
