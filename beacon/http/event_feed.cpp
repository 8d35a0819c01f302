#include "beacon/http/event_feed.h"

#include <array>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "beacon/http/json.h"
#include "beacon/rpc/views.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {
namespace {

constexpr char kBlockEventForm[] = R"({"slot":128,"block":"0x…","state":"0x…"})";
constexpr char kImportedEventForm[] = R"({"slot":128,"block":"0x…"})";

// By EventKind.
constexpr std::array<HttpTopic, kEventKinds> kTopics = {{
    {"head", "the head has moved", kBlockEventForm},
    {"block", "a block was imported", kImportedEventForm},
    {"attestation", "a vote from gossip or a validator client was accepted",
     R"({"validator_id":4,"data":{"slot":127,"head":{"slot":127,"root":"0x…"},"target":{"slot":126,"root":"0x…"},)"
     R"("source":{"slot":125,"root":"0x…"}}})"},
    {"justified_checkpoint", "the justified block has moved", kBlockEventForm},
    {"finalized_checkpoint", "the finalized block has moved", kBlockEventForm},
    {"chain_reorg", "the new head does not descend from the old one; depth: blocks of the old chain that are not on it",
     R"({"slot":128,"depth":2,"old_head_block":"0x…","new_head_block":"0x…","old_head_state":"0x…",)"
     R"("new_head_state":"0x…"})"},
    {"peer", "a peer has connected or disconnected",
     R"({"peer_id":"16Uiu2HAm…","connected":true,"direction":"outbound","address":"/ip4/…","agent":"ream/…","reason":""})"},
    {"sync", "the state of the sync has changed",
     R"({"is_syncing":true,"lag_slots":132,"target_slot":1024,"message":"132 slots behind …"})"},
    {"block_gossip", "a peer's block has right signatures and is about to be imported", kImportedEventForm},
    {"safe_target", "the safe target has moved", kBlockEventForm},
    {"block_votes", "the votes in the body of a block that was imported, by slot and head",
     R"({"slot":128,"block":"0x…","votes":[{"slot":127,"head":{"slot":127,"root":"0x…"},"validators":"0-3,7"}]})"},
}};

constexpr size_t kMostEvents = 256;  // in the text of one Next

Json BlockJson(const EventBlock& block) {
  return {{"slot", block.id.slot}, {"block", ToHex(block.id.root.span())}, {"state", ToHex(block.state_root.span())}};
}
Json ImportedJson(const Checkpoint& block) { return {{"slot", block.slot}, {"block", ToHex(block.root.span())}}; }

// Of all events but votes.
struct DataOf {
  Json operator()(const HeadMoved& event) const { return BlockJson(event.head); }
  Json operator()(const BlockImported& event) const { return ImportedJson(event.id); }
  Json operator()(const VotesAccepted&) const { return {}; }
  Json operator()(const JustifiedMoved& event) const { return BlockJson(event.justified); }
  Json operator()(const FinalizedMoved& event) const { return BlockJson(event.finalized); }
  Json operator()(const Reorganized& event) const {
    return {{"slot", event.new_head.id.slot},
            {"depth", event.depth},
            {"old_head_block", ToHex(event.old_head.id.root.span())},
            {"new_head_block", ToHex(event.new_head.id.root.span())},
            {"old_head_state", ToHex(event.old_head.state_root.span())},
            {"new_head_state", ToHex(event.new_head.state_root.span())}};
  }
  Json operator()(const PeerChanged& event) const {
    return {{"peer_id", event.peer_id},
            {"connected", event.connected},
            {"direction", event.outbound ? "outbound" : "inbound"},
            {"address", event.address},
            {"agent", event.agent},
            {"reason", event.reason}};
  }
  Json operator()(const SyncChanged& event) const {
    return {{"is_syncing", !event.synced},
            {"lag_slots", event.lag_slots},
            {"target_slot", event.target_slot},
            {"message", event.message}};
  }
  Json operator()(const GossipBlockSeen& event) const { return ImportedJson(event.id); }
  Json operator()(const SafeTargetMoved& event) const { return BlockJson(event.safe_target); }
  Json operator()(const BlockVotesTold& event) const {
    Json votes = Json::array();
    for (const VoteGroup& group : event.votes) {
      v1::VoteGroup view;
      View(group, view);
      votes.push_back(ToJson(view));
    }
    Json data = ImportedJson(event.block);
    data["votes"] = std::move(votes);
    return data;
  }
};

}  // namespace

absl::Span<const HttpTopic> HttpTopics() { return kTopics; }

absl::StatusOr<EventKinds> ParseTopics(absl::string_view topics) {
  if (topics.empty()) return absl::InvalidArgumentError("missing required query parameter: topics");
  EventKinds kinds;
  for (const absl::string_view topic : absl::StrSplit(topics, ',')) {
    size_t kind = 0;
    while (kind < kEventKinds && kTopics[kind].name != topic) ++kind;
    if (kind == kEventKinds) return absl::InvalidArgumentError(absl::StrCat("unknown topic: '", topic, "'"));
    kinds.set(kind);
  }
  return kinds;
}

EventFeed::~EventFeed() {
  if (watch_.has_value()) history_.Unwatch(*watch_);
}

void EventFeed::Watch(std::function<void()> wake) { watch_ = history_.Watch(std::move(wake)); }

std::string EventFeed::Next() {
  std::string text;
  do {
    const EventReader::Batch batch = reader_.Read(kMostEvents);
    if (batch.restarted) text += ": error - the id is of an earlier run, whose events are not held\n\n";
    if (batch.lost > 0) absl::StrAppend(&text, ": error - dropped ", batch.lost, " messages\n\n");
    for (const EventSlice& slice : batch.slices) Append(slice, text);
  } while (text.empty() && reader_.behind());
  return text;
}

void EventFeed::Append(const EventSlice& slice, std::string& text) {
  const absl::string_view topic = kTopics[static_cast<size_t>(KindOf(*slice.event))].name;
  const auto* votes = std::get_if<VotesAccepted>(slice.event.get());
  for (size_t index = slice.begin; index < slice.end; ++index) {
    absl::StrAppend(&text, "event: ", topic, "\ndata: ");
    if (votes != nullptr) {
      const Attestation& vote = votes->votes[index];
      absl::StrAppend(&text, "{\"validator_id\":", vote.validator_id, ",\"data\":", DataText(vote.data), "}");
    } else {
      text += Compact(std::visit(DataOf(), *slice.event));
    }
    absl::StrAppend(&text, "\nid: ", reader_.CursorOf(slice.first + (index - slice.begin)).ToString(), "\n\n");
  }
}

const std::string& EventFeed::DataText(const AttestationData& data) {
  if (last_data_ != data) {
    last_data_ = data;
    last_text_ = Compact(ToJson(data));
  }
  return last_text_;
}

}  // namespace lean::beacon
