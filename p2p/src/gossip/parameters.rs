//! gossipsub's parameters: those of the network, and those that bound what a peer can do.

use std::time::Duration;

use libp2p::gossipsub::{
    Config, ConfigBuilder, ConfigBuilderError, Message, MessageId, PeerScoreParams, PeerScoreThresholds,
    TopicScoreParams, ValidationMode, score_parameter_decay,
};

use super::{Authors, Kind, Topics, message_id};
use crate::budget::{GOSSIP_HISTORY, GOSSIP_QUEUE, MAX_WIRE_MESSAGE};

/// Identifiers of messages in one IHAVE or IWANT: more do not fit into what rust-libp2p takes by default (16 KiB).
const MAX_IDS: usize = 700;
/// Bytes of control messages that are taken: others may name each of a slot's votes.
const MAX_CONTROL: usize = 256 * 1024;
/// Votes are smaller: what tells a peer not to send one takes a packet of its own, and costs more than the duplicate.
const IDONTWANT_FROM: usize = 64 * 1024;
/// Score of a peer that is not listened to any more.
pub const WORTHLESS: f64 = -100.0;
/// A slot of the network.
const SLOT: Duration = Duration::from_secs(4);
/// What is passed on and has waited for longer is not sent to a peer that takes so little: the slot of a vote is over
/// then, and other peers have passed it on. In that time the beacon accepts one vote of each validator, so that half of
/// the queue is left for the beacon's own.
const FORWARD_PATIENCE: Duration = SLOT;
/// The beacon's own items wait for as long as a peer is there, since nobody else has them.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(24 * 3600);

pub(super) fn config(authors: Authors) -> Result<Config, ConfigBuilderError> {
    let validation = match authors {
        Authors::Refuse => ValidationMode::Anonymous,
        Authors::Ignore => ValidationMode::None,
    };
    ConfigBuilder::default()
        // The network's.
        .mesh_n(8)
        .mesh_n_low(6)
        .mesh_n_high(12)
        .gossip_lazy(6)
        .heartbeat_interval(Duration::from_millis(700))
        .fanout_ttl(Duration::from_secs(60))
        .history_length(GOSSIP_HISTORY)
        .history_gossip(3)
        .duplicate_cache_time(Duration::from_secs(24))
        .validation_mode(validation)
        .message_id_fn(|message: &Message| MessageId::from(message_id(message.topic.as_str(), &message.data)))
        // The engine's.
        .validate_messages()
        .flood_publish(false)
        .heartbeat_initial_delay(Duration::ZERO)
        .max_transmit_size(MAX_WIRE_MESSAGE)
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .publish_queue_duration(PUBLISH_PATIENCE)
        .forward_queue_duration(FORWARD_PATIENCE)
        .max_control_message_size(MAX_CONTROL)
        .max_control_messages_sent(MAX_IDS)
        .idontwant_message_size_threshold(IDONTWANT_FROM)
        .build()
}

/// The beacon's verdicts decide: what it rejects counts much, what a peer was first to bring counts a little. Nobody is
/// asked to deliver at a rate, since the network's rate is not known. Addresses are limited elsewhere, and a peer that takes
/// too little is a case for the engine.
pub(super) fn score(topics: &Topics) -> (PeerScoreParams, PeerScoreThresholds) {
    let topic = TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 300.0,
        first_message_deliveries_weight: 0.05,
        first_message_deliveries_decay: score_parameter_decay(Duration::from_secs(60)),
        first_message_deliveries_cap: 200.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -4.0,
        invalid_message_deliveries_decay: score_parameter_decay(Duration::from_secs(300)),
        ..TopicScoreParams::default()
    };
    let params = PeerScoreParams {
        topics: [Kind::Block, Kind::Vote].map(|kind| (topics.of(kind).hash(), topic.clone())).into(),
        topic_score_cap: 30.0,
        app_specific_weight: 0.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -5.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(60)),
        slow_peer_weight: 0.0,
        retain_score: Duration::from_secs(600),
        ..PeerScoreParams::default()
    };
    let thresholds = PeerScoreThresholds {
        gossip_threshold: -20.0,
        publish_threshold: -50.0,
        graylist_threshold: WORTHLESS,
        accept_px_threshold: 1000.0,
        opportunistic_graft_threshold: 2.0,
    };
    (params, thresholds)
}
