//! The state of the network, reported to the beacon once a second.

use std::{collections::HashSet, time::Instant};

use libp2p::PeerId;

use super::Engine;
use crate::{
    contract::{
        ToBeacon,
        proto::{EngineCounts, EngineReport, PeerReport, TargetReport},
    },
    gossip::Kind,
    metrics::Figures,
    peers::Peer,
    traffic::Meter,
};

impl Engine {
    pub(super) fn report(&mut self, now: Instant) {
        if self.link.is_none() {
            return;
        }
        let report = EngineReport {
            peers: self.peer_reports(),
            targets: self
                .targets
                .missing(now)
                .map(|target| TargetReport {
                    address: target.address.to_string(),
                    peer_id: target.peer_id.to_string(),
                    failure: target.failure.into(),
                    retry_ms: target.retry.as_millis() as u64,
                })
                .collect(),
            counts: Some(self.engine_counts()),
        };
        self.outbox.push(ToBeacon::Report(report));
    }

    /// The figures for the metrics.
    pub(super) fn figures_now(&self, now: Instant) -> Figures {
        Figures {
            counts: self.engine_counts(),
            beacon: self.link.is_some(),
            peers: self.peers.iter().count(),
            streams: self.peers.iter().map(|peer| peer.meter.streams()).sum(),
            targets_missing: self.targets.missing(now).count(),
            outbox: self.outbox.footprint(),
            undecided: self.undecided.footprint(),
            asked: self.asked.footprint(),
            served: self.served.footprint(),
        }
    }

    fn peer_reports(&self) -> Vec<PeerReport> {
        let gossip = &self.swarm.behaviour().gossip;
        let mesh = |kind| gossip.mesh_peers(&self.topics.of(kind).hash()).copied().collect::<HashSet<PeerId>>();
        let (block_mesh, vote_mesh) = (mesh(Kind::Block), mesh(Kind::Vote));
        let known = self.peers.iter().filter_map(|peer| Some((peer, peer.handle?)));
        let report = |(peer, handle): (&Peer, u64)| PeerReport {
            peer: handle,
            score: gossip.peer_score(&peer.id).unwrap_or_default(),
            in_block_mesh: block_mesh.contains(&peer.id),
            in_vote_mesh: vote_mesh.contains(&peer.id),
            bytes_in: peer.meter.bytes_in(),
            bytes_out: peer.meter.bytes_out(),
            accepted: peer.verdicts.accepted,
            ignored: peer.verdicts.ignored,
            rejected: peer.verdicts.rejected,
        };
        known.map(report).collect()
    }

    fn engine_counts(&self) -> EngineCounts {
        let gate = &self.swarm.behaviour().gate;
        let sum = |of: fn(&Meter) -> u64| self.peers.iter().map(|peer| of(&peer.meter)).sum::<u64>();
        EngineCounts {
            connections: gate.connections() as u64,
            connections_refused: gate.refused(),
            bytes_in: self.totals.bytes_in + sum(Meter::bytes_in),
            bytes_out: self.totals.bytes_out + sum(Meter::bytes_out),
            items_undecided: self.undecided.len() as u64,
            items_expired: self.totals.expired,
            items_dropped: self.totals.dropped,
            items_malformed: self.totals.unconverted + self.counts.malformed(),
            published: self.totals.published,
            unpublished: self.totals.unpublished,
            dials_failed: self.totals.dials.failed,
            dials_timed_out: self.totals.dials.timed_out,
            arrivals_failed: self.totals.arrivals.failed,
            arrivals_timed_out: self.totals.arrivals.timed_out,
            unsent: self.totals.unsent,
        }
    }
}
