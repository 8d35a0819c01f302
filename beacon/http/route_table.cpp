// The table of HttpRoutes, and its handlers.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "beacon/http/event_feed.h"
#include "beacon/http/json.h"
#include "beacon/http/page/page_files.h"
#include "beacon/http/routes.h"
#include "common/bytes/decimal.h"
#include "common/status/status_macros.h"
#include "common/version/version.h"

namespace lean::beacon {
namespace {

constexpr char kJson[] = "application/json";
constexpr char kSsz[] = "application/octet-stream";
constexpr char kHtml[] = "text/html";
constexpr char kText[] = "text";

// The page loads nothing from elsewhere and runs no code that is not in its files. Its empty icon is a data: URL.
constexpr char kPagePolicy[] =
    "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr char kEvents[] = "text/event-stream";

// All blocks that GetForkChoice may give at once.
constexpr uint32_t kMostNodes = 16'384;

using Answer = absl::StatusOr<HttpResponse>;

HttpResponse Respond(absl::string_view type, std::shared_ptr<const std::string> body) {
  return {.status = 200, .content_type = std::string(type), .route = {}, .body = std::move(body), .stream = nullptr};
}
HttpResponse Respond(const Json& json) { return Respond(kJson, std::make_shared<const std::string>(Compact(json))); }

Answer Health(const RouteSources&, const RouteCall&) {
  return Respond({{"status", "healthy"}, {"service", "lean-rpc-api"}});
}

Answer FinalizedPart(const RouteSources& sources, CheckpointPages::Part part) {
  ASSIGN_OR_RETURN(std::shared_ptr<const std::string> ssz, sources.queries.GetFinalized(part));
  return Respond(kSsz, std::move(ssz));
}
Answer FinalizedState(const RouteSources& sources, const RouteCall&) {
  return FinalizedPart(sources, v1::GetCheckpointRequest::STATE);
}
Answer FinalizedBlock(const RouteSources& sources, const RouteCall&) {
  return FinalizedPart(sources, v1::GetCheckpointRequest::BLOCK);
}

Answer JustifiedCheckpoint(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto status, sources.queries.GetChainStatus({}));
  return Respond(ToJson(status.justified()));
}
Answer FinalizedCheckpoint(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto status, sources.queries.GetChainStatus({}));
  return Respond(ToJson(status.finalized()));
}

Answer Head(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto head, sources.queries.GetHead({}));
  return Respond({{"head", head.head().root()}});
}

Answer ForkChoice(const RouteSources& sources, const RouteCall&) {
  v1::GetForkChoiceRequest request;
  request.set_limit(kMostNodes);
  ASSIGN_OR_RETURN(const auto tree, sources.queries.GetForkChoice(request));
  Json nodes = Json::array();
  for (const v1::ForkChoiceNode& node : tree.nodes()) {
    nodes.push_back({{"root", node.root()},
                     {"slot", node.slot()},
                     {"parent_root", node.parent_root()},
                     {"proposer_index", node.proposer_index()},
                     {"weight", node.weight()}});
  }
  return Respond({{"nodes", std::move(nodes)},
                  {"head", tree.head().root()},
                  {"justified", ToJson(tree.justified())},
                  {"finalized", ToJson(tree.finalized())},
                  {"safe_target", tree.safe_target().root()},
                  {"validator_count", sources.chain.validator_count()}});
}

Answer LatestVotes(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto latest, sources.queries.GetLatestVotes({}));
  Json votes = Json::array();
  for (const v1::VoteGroup& group : latest.votes()) {
    votes.push_back(ToJson(group));
  }
  return Respond({{"votes", std::move(votes)}});
}

Answer Participation(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto participation, sources.queries.GetParticipation({}));
  Json slots = Json::array();
  for (const v1::SlotParticipation& slot : participation.slots()) {
    slots.push_back({{"slot", slot.slot()}, {"votes", slot.votes()}, {"validators", slot.validators()}});
  }
  return Respond({{"slots", std::move(slots)}});
}

absl::StatusOr<v1::BlockId> ParseBlockId(const std::string& id) {
  v1::BlockId block;
  if (absl::StartsWith(id, "0x")) {
    block.set_root(id);
  } else if (const std::optional<uint64_t> slot = ParseDecimal(id)) {
    block.set_slot(*slot);
  } else if (id == "head") {
    block.set_name(v1::BlockId::HEAD);
  } else if (id == "justified") {
    block.set_name(v1::BlockId::JUSTIFIED);
  } else if (id == "finalized") {
    block.set_name(v1::BlockId::FINALIZED);
  } else if (id == "genesis") {
    block.set_name(v1::BlockId::GENESIS);
  } else {
    return absl::InvalidArgumentError(
        "invalid id: expected 0x and 64 hex digits, a slot, head, justified, finalized or genesis");
  }
  return block;
}

absl::StatusOr<v1::GetBlockResponse> GetBlock(const RouteSources& sources, const std::string& id, bool without_votes) {
  v1::GetBlockRequest request;
  ASSIGN_OR_RETURN(*request.mutable_block(), ParseBlockId(id));
  request.set_without_votes(without_votes);
  return sources.queries.GetBlock(request);
}

Answer BlockOfId(const RouteSources& sources, const RouteCall& call) {
  ASSIGN_OR_RETURN(const auto block, GetBlock(sources, call.id, /*without_votes=*/false));
  Json votes = Json::array();
  for (const v1::AttestationView& vote : block.attestations()) votes.push_back(ToJson(vote));
  return Respond({{"slot", block.slot()},
                  {"proposer_index", block.proposer_index()},
                  {"parent_root", block.parent_root()},
                  {"state_root", block.state_root()},
                  {"body", {{"attestations", std::move(votes)}}}});
}

Answer HeaderOfId(const RouteSources& sources, const RouteCall& call) {
  ASSIGN_OR_RETURN(const auto block, GetBlock(sources, call.id, /*without_votes=*/true));
  return Respond({{"slot", block.slot()},
                  {"proposer_index", block.proposer_index()},
                  {"parent_root", block.parent_root()},
                  {"state_root", block.state_root()},
                  {"body_root", block.body_root()}});
}

Answer StateOfId(const RouteSources& sources, const RouteCall& call) {
  v1::GetStateRequest request;
  ASSIGN_OR_RETURN(*request.mutable_block(), ParseBlockId(call.id));
  ASSIGN_OR_RETURN(const auto state, sources.queries.GetState(request));
  Json justifications = Json::array();
  for (const v1::JustificationView& justification : state.justifications()) {
    justifications.push_back({{"root", justification.root()}, {"votes", justification.votes()}});
  }
  return Respond({{"config", {{"genesis_time", state.genesis_time()}}},
                  {"slot", state.slot()},
                  {"block_root", state.block_root()},
                  {"state_root", state.state_root()},
                  {"latest_justified", ToJson(state.justified())},
                  {"latest_finalized", ToJson(state.finalized())},
                  {"validator_count", state.validator_count()},
                  {"justifications", std::move(justifications)}});
}

Answer Events(const RouteSources& sources, const RouteCall& call) {
  const auto topics = call.query.find("topics");
  ASSIGN_OR_RETURN(const EventKinds kinds, ParseTopics(topics == call.query.end() ? "" : topics->second));
  std::optional<EventCursor> after;
  if (!call.last_event_id.empty()) {
    ASSIGN_OR_RETURN(after, EventCursor::Parse(call.last_event_id),
                     absl::InvalidArgumentError(absl::StrCat("Last-Event-ID: ", _.message())));
  }
  HttpResponse response = Respond(kEvents, nullptr);
  response.stream = std::make_unique<EventFeed>(sources.chain.events, kinds, after);
  return response;
}

Answer GenesisOfChain(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto genesis, sources.queries.GetGenesis({}));
  return Respond({{"genesis_time", genesis.genesis_time()}, {"validator_count", genesis.validator_count()}});
}

Answer Spec(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto spec, sources.queries.GetSpec({}));
  return Respond({{"MILLISECONDS_PER_SLOT", spec.slot_duration_ms()},
                  {"INTERVALS_PER_SLOT", spec.intervals_per_slot()},
                  {"MILLISECONDS_PER_INTERVAL", spec.slot_duration_ms() / spec.intervals_per_slot()},
                  {"JUSTIFICATION_LOOKBACK_SLOTS", spec.justification_lookback_slots()},
                  {"HISTORICAL_ROOTS_LIMIT", spec.historical_roots_limit()},
                  {"VALIDATOR_REGISTRY_LIMIT", spec.validator_registry_limit()}});
}

Answer Identity(const RouteSources& sources, const RouteCall&) {
  const PeerList* const peers = sources.chain.peers;
  return Respond({{"version", absl::StrCat("lean-beacon/v", Version(), "-", Commit())},
                  {"peer_id", peers == nullptr ? "" : peers->View().peer_id()}});
}

Answer Syncing(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto status, sources.queries.GetChainStatus({}));
  const auto head = static_cast<int64_t>(status.head().slot());
  return Respond({{"is_syncing", !status.synced()},
                  {"head_slot", status.head().slot()},
                  {"sync_distance", std::max<int64_t>(status.slot() - head, 0)},
                  {"finalized_slot", status.finalized().slot()}});
}

const char* StateName(v1::PeerView::State state) {
  if (state == v1::PeerView::CONNECTED) return "connected";
  return state == v1::PeerView::CONNECTING ? "connecting" : "disconnected";
}

Answer Peers(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto peers, sources.queries.GetPeers({}));
  Json list = Json::array();
  for (const v1::PeerView& peer : peers.peers()) {
    Json entry = {{"peer_id", peer.peer_id()},
                  {"state", StateName(peer.state())},
                  {"direction", peer.outbound() ? "outbound" : "inbound"},
                  {"address", peer.address()}};
    if (peer.state() == v1::PeerView::CONNECTED) {
      entry["agent"] = peer.agent();
      entry["head"] = ToJson(peer.head());
      entry["finalized"] = ToJson(peer.finalized());
    }
    list.push_back(std::move(entry));
  }
  return Respond(list);
}

Answer PeerCount(const RouteSources& sources, const RouteCall&) {
  ASSIGN_OR_RETURN(const auto peers, sources.queries.GetPeers({}));
  const auto count = [&](const char* state) {
    return std::count_if(peers.peers().begin(), peers.peers().end(), [state](const v1::PeerView& peer) {
      return absl::string_view(StateName(peer.state())) == state;
    });
  };
  return Respond({{"connected", count("connected")},
                  {"connecting", count("connecting")},
                  {"disconnected", count("disconnected")},
                  {"disconnecting", 0}});
}

Answer PageFileNamed(absl::string_view name) {
  for (const PageFile& file : PageFiles()) {
    if (file.name != name) continue;
    HttpResponse response = Respond(file.content_type, std::make_shared<const std::string>(file.content));
    response.content_policy = kPagePolicy;
    return response;
  }
  return absl::NotFoundError("no such file of the page");
}
Answer Page(const RouteSources&, const RouteCall&) { return PageFileNamed(kPageIndex); }
Answer PagePart(const RouteSources&, const RouteCall& call) { return PageFileNamed(call.id); }

// Answers of the routes, in compact JSON. A root is "0x…".
constexpr char kHealthForm[] = R"({"status":"healthy","service":"lean-rpc-api"})";
constexpr char kCheckpointForm[] = R"({"slot":128,"root":"0x…"})";
constexpr char kForkChoiceForm[] =
    R"({"nodes":[{"root":"0x…","slot":128,"parent_root":"0x…","proposer_index":3,"weight":12}],"head":"0x…",)"
    R"("justified":{"slot":127,"root":"0x…"},"finalized":{"slot":126,"root":"0x…"},"safe_target":"0x…",)"
    R"("validator_count":16})";
constexpr char kLatestVotesForm[] = R"({"votes":[{"slot":128,"head":{"slot":128,"root":"0x…"},"validators":"0-3,7"}]})";
constexpr char kParticipationForm[] = R"({"slots":[{"slot":128,"votes":5,"validators":"0-3,7"}]})";
constexpr char kHeadForm[] = R"({"head":"0x…"})";
constexpr char kBlockForm[] =
    R"({"slot":128,"proposer_index":3,"parent_root":"0x…","state_root":"0x…","body":{"attestations":[)"
    R"({"validator_id":4,"data":{"slot":127,"head":{"slot":127,"root":"0x…"},"target":{"slot":126,"root":"0x…"},)"
    R"("source":{"slot":125,"root":"0x…"}}}]}})";
constexpr char kHeaderForm[] =
    R"({"slot":128,"proposer_index":3,"parent_root":"0x…","state_root":"0x…","body_root":"0x…"})";
constexpr char kStateForm[] =
    R"({"config":{"genesis_time":1770407233},"slot":128,"block_root":"0x…","state_root":"0x…",)"
    R"("latest_justified":{"slot":127,"root":"0x…"},"latest_finalized":{"slot":126,"root":"0x…"},)"
    R"("validator_count":16,"justifications":[{"root":"0x…","votes":3}]})";
constexpr char kGenesisForm[] = R"({"genesis_time":1770407233,"validator_count":16})";
constexpr char kSpecForm[] =
    R"({"MILLISECONDS_PER_SLOT":4000,"INTERVALS_PER_SLOT":4,"MILLISECONDS_PER_INTERVAL":1000,)"
    R"("JUSTIFICATION_LOOKBACK_SLOTS":3,"HISTORICAL_ROOTS_LIMIT":262144,"VALIDATOR_REGISTRY_LIMIT":4096})";
constexpr char kIdentityForm[] = R"({"version":"lean-beacon/v0.1.0-…","peer_id":"16Uiu2HAm…"})";
constexpr char kSyncingForm[] = R"({"is_syncing":false,"head_slot":1024,"sync_distance":1,"finalized_slot":986})";
constexpr char kPeersForm[] =
    R"([{"peer_id":"16Uiu2HAm…","state":"connected","direction":"outbound","address":"/ip4/…","agent":"ream/…",)"
    R"("head":{"slot":128,"root":"0x…"},"finalized":{"slot":126,"root":"0x…"}}])";
constexpr char kPeerCountForm[] = R"({"connected":3,"connecting":0,"disconnected":1,"disconnecting":0})";

constexpr auto kRoutes = std::to_array<HttpRoute>({
    {"/lean/v0/health", kJson, "that the server answers", &Health, kHealthForm},
    {"/v0/health", kJson, "the same", &Health, kHealthForm},
    {"/lean/v0/states/finalized", kSsz, "the latest finalized state", &FinalizedState},
    {"/lean/v0/blocks/finalized", kSsz, "the latest finalized block, signed", &FinalizedBlock},
    {"/lean/v0/checkpoints/justified", kJson, "the latest justified block", &JustifiedCheckpoint, kCheckpointForm},
    {"/lean/v0/checkpoints/finalized", kJson, "the latest finalized block", &FinalizedCheckpoint, kCheckpointForm},
    {"/lean/v0/fork_choice", kJson, "the block tree from the finalized block on, with weights", &ForkChoice,
     kForkChoiceForm},
    {"/lean/v0/fork_choice/votes", kJson, "the newest vote of each validator, by slot and head", &LatestVotes,
     kLatestVotesForm},
    {"/lean/v0/fork_choice/ui", kHtml, "the page", &Page},
    {"/lean/v0/participation", kJson, "who has voted in each of the last 64 slots", &Participation, kParticipationForm},
    {"/lean/v0/head", kJson, "the root of the head", &Head, kHeadForm},
    {"/lean/v0/blocks/{id}", kJson, "a block", &BlockOfId, kBlockForm},
    {"/lean/v0/blocks/{id}/header", kJson, "the header of a block", &HeaderOfId, kHeaderForm},
    {"/lean/v0/headers/{id}", kJson, "the same", &HeaderOfId, kHeaderForm},
    {"/lean/v0/states/{id}", kJson, "a summary of the state after a block", &StateOfId, kStateForm},
    {"/lean/v0/events", kEvents, "what happens, as it happens", &Events},
    {"/lean/v0/genesis", kJson, "the time of genesis and the number of validators", &GenesisOfChain, kGenesisForm},
    {"/lean/v0/config/spec", kJson, "the constants of the network", &Spec, kSpecForm},
    {"/lean/v0/node/identity", kJson, "the version and the peer id", &Identity, kIdentityForm},
    {"/lean/v0/node/syncing", kJson, "whether the beacon is in sync", &Syncing, kSyncingForm},
    {"/lean/v0/node/peers", kJson, "the peers", &Peers, kPeersForm},
    {"/lean/v0/node/peer_count", kJson, "the number of peers, by state", &PeerCount, kPeerCountForm},
    {"/", kHtml, "the page that shows the chain in a browser", &Page},
    {"/page/{id}", kText, "the page's files", &PagePart},
});

}  // namespace

absl::Span<const HttpRoute> HttpRoutes() { return kRoutes; }

}  // namespace lean::beacon
