//! The parameters of gossipsub: those of the network, and those that limit a peer.

use std::time::Duration;

use libp2p::gossipsub::{
    Config, ConfigBuilder, ConfigBuilderError, Message, MessageId, PeerScoreParams, PeerScoreThresholds,
    TopicScoreParams, ValidationMode, score_parameter_decay,
};

use super::{Authors, Kind, Topics, message_id};
use crate::budget::{GOSSIP_HISTORY, GOSSIP_QUEUE, MAX_WIRE_MESSAGE};

/// The most message ids in one IHAVE or IWANT. More do not fit into the control messages that rust-libp2p accepts by
/// default (16 KiB).
const MAX_IDS: usize = 700;
/// The most bytes of control messages in one RPC: others may name each vote of a slot.
const MAX_CONTROL: usize = 256 * 1024;
/// The least size of a message for IDONTWANT. Votes are smaller: an IDONTWANT takes a packet of its own and costs more
/// than the duplicate that it prevents.
const IDONTWANT_FROM: usize = 64 * 1024;
/// The score at which gossip of a peer is no longer read.
pub const WORTHLESS: f64 = -100.0;
/// The duration of a slot of the network.
const SLOT: Duration = Duration::from_secs(4);
/// A forwarded message that has waited for longer is not sent: its slot is over, and other peers have forwarded it. In
/// this time the beacon accepts one vote of each validator, so that half of the queue is left for the beacon's own
/// messages.
const FORWARD_PATIENCE: Duration = SLOT;
/// The beacon's own messages wait for as long as the peer is connected, since no other peer has them.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(24 * 3600);

pub(super) fn config(authors: Authors) -> Result<Config, ConfigBuilderError> {
    let validation = match authors {
        Authors::Refuse => ValidationMode::Anonymous,
        Authors::Ignore => ValidationMode::None,
    };
    ConfigBuilder::default()
        // The parameters of the network.
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
        // The parameters of this engine.
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

/// The score follows from the beacon's verdicts: a rejected item costs much, an item that a peer was first to send
/// gains a little. There is no least rate of deliveries, since the rate of the network is not known. The gate limits
/// connections by address, and the engine handles peers that read too little.
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
