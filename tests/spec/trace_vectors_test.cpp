// Replays traces of the reference's store and compares everything it shows after every event.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "common/bytes/bytes.h"
#include "common/crypto/sha.h"
#include "common/ssz/uint64_le.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/beacon/chain/chain_testing.h"
#include "tests/spec/chain_replay.h"
#include "tests/spec/support/container_json.h"
#include "tests/spec/support/vector_files.h"

namespace lean::spec {
namespace {

using beacon::LeanChain;
using nlohmann::json;

json ToJson(const Checkpoint& checkpoint) {
  return {{"root", ToHex(checkpoint.root.span())}, {"slot", checkpoint.slot}};
}

// Digest of a vote map: ascending validators, index and root of each.
std::string Digest(const beacon::VoteMap& votes) {
  std::map<uint64_t, Root> sorted;
  votes.ForEach([&sorted](const beacon::SignedVotePtr& vote) {
    sorted[vote->message.validator_id] = ssz::HashTreeRoot(vote->message);
  });
  std::vector<uint8_t> bytes;
  for (const auto& [validator, root] : sorted) {
    uint8_t index[8];
    ssz::StoreUint64(validator, index);
    bytes.insert(bytes.end(), index, index + 8);
    bytes.insert(bytes.end(), root.data.begin(), root.data.end());
  }
  return ToHex(crypto::Sha256(bytes).span());
}

json Snapshot(const LeanChain& chain) {
  const absl::StatusOr<Checkpoint> target = ReferenceTarget(chain);
  return {{"time", chain.time_intervals()},
          {"head", ToJson(chain.head())},
          {"latestJustified", ToJson(chain.justified())},
          {"latestFinalized", ToJson(chain.finalized())},
          {"safeTarget", ToJson(chain.safe_target())},
          {"attestationTarget", target.ok() ? ToJson(*target) : json{{"error", true}}},
          {"numBlocks", chain.imported_blocks()},
          {"known", Digest(chain.known_votes())},
          {"new", Digest(chain.pending_votes())}};
}

// The reference's error names are Python's: only that there is one matters.
json WithoutErrorNames(json snapshot) {
  json& target = snapshot["attestationTarget"];
  if (target.contains("error")) target["error"] = true;
  return snapshot;
}

absl::Status Apply(const json& event, uint64_t genesis_time, beacon::StateArchive& archive, LeanChain& chain) {
  const std::string& type = event["type"].get_ref<const std::string&>();
  if (type == "tick") {
    const uint64_t interval = IntervalsAt(event["time"], genesis_time);
    event["hasProposal"] ? OnProposal(chain, interval) : chain.OnInterval(interval);
    return absl::OkStatus();
  }
  if (type == "block") {
    ASSIGN_OR_RETURN(BlockWithAttestation block, FromJson<BlockWithAttestation>(event["payload"]));
    return archive.OnBlock(chain, WithZeroSignatures(std::move(block), event["numSignatures"])).status();
  }
  ASSIGN_OR_RETURN(const Attestation vote, FromJson<Attestation>(event["payload"]));
  return chain.OnVote(WithZeroSignature(vote)).status();
}

// Replays a trace, pruning after every event if `prune`: what is pruned must not change anything that shows.
void Replay(const std::filesystem::path& path, bool prune) {
  const absl::StatusOr<json> trace = ReadJson(path);
  ASSERT_TRUE(trace.ok()) << trace.status();
  if (!trace->contains("events")) GTEST_SKIP() << "not a trace, but something about traces";
  absl::StatusOr<LeanChain> chain = ChainFromJson((*trace)["genesisState"], (*trace)["genesisBlock"]);
  ASSERT_TRUE(chain.ok()) << chain.status();
  ASSERT_EQ(ToHex(chain->anchor().root.span()), (*trace)["genesisBlockRoot"]);

  beacon::StateArchive archive;
  archive.Keep(*chain, chain->anchor().root);
  json expected = WithoutErrorNames((*trace)["initial"]);
  ASSERT_EQ(Snapshot(*chain), expected) << "initially";
  const json& events = (*trace)["events"];
  for (size_t i = 0; i < events.size(); ++i) {
    const json& event = events[i];
    SCOPED_TRACE(absl::StrCat("event ", i, " of ", events.size(), ", a ", event["type"].get<std::string>()));
    const absl::Status status = Apply(event, (*trace)["genesisTime"], archive, *chain);
    archive.GiveHead(*chain);
    ASSERT_EQ(status.ok(), event["accepted"].get<bool>()) << status << "\nreference: " << event.value("message", "");
    if (!status.ok()) {
      ASSERT_TRUE(beacon::KindOf(status).has_value()) << status;
    }
    // A block on one that finality left behind needs a state that is still there.
    if (prune) chain->Prune({.states = 32, .block_bytes = 0});
    expected.merge_patch(event["post"]);
    if (event["post"].contains("attestationTarget")) expected["attestationTarget"] = event["post"]["attestationTarget"];
    expected = WithoutErrorNames(std::move(expected));
    ASSERT_EQ(Snapshot(*chain), expected);
  }
  if (!prune) {
    EXPECT_EQ(archive.given(), 0u);
  }
}

class TraceVectors : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(TraceVectors, MatchTheReferenceAfterEveryEvent) { Replay(GetParam(), /*prune=*/false); }

TEST_P(TraceVectors, MatchTheReferenceWhilePruning) { Replay(GetParam(), /*prune=*/true); }

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceVectors);
INSTANTIATE_TEST_SUITE_P(Files, TraceVectors, testing::ValuesIn(VectorFiles("traces")), VectorTestName);

}  // namespace
}  // namespace lean::spec
