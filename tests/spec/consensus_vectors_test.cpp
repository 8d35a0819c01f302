// Replays leanSpec's own consensus fixtures (fork_choice_test and state_transition_test).
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/chain/state_transition.h"
#include "common/bytes/bytes.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/spec/chain_replay.h"
#include "tests/spec/support/container_json.h"
#include "tests/spec/support/vector_files.h"

namespace lean::spec {
namespace {

using beacon::LeanChain;
using nlohmann::json;

std::string Hex(const Root& root) { return ToHex(root.span()); }

json HexList(const std::vector<Root>& roots) {
  json list = json::array();
  for (const Root& root : roots) list.push_back(Hex(root));
  return list;
}

json BoolList(const ssz::Bits& bits) {
  json list = json::array();
  for (size_t i = 0; i < bits.size(); ++i) list.push_back(static_cast<bool>(bits[i]));
  return list;
}

// Everything a fixture may ask of a post-state, under the fixtures' names.
json PostOf(const State& state) {
  return {{"slot", state.slot},
          {"latestJustifiedSlot", state.latest_justified.slot},
          {"latestJustifiedRoot", Hex(state.latest_justified.root)},
          {"latestFinalizedSlot", state.latest_finalized.slot},
          {"latestFinalizedRoot", Hex(state.latest_finalized.root)},
          {"validatorCount", state.validators.size()},
          {"configGenesisTime", state.config.genesis_time},
          {"latestBlockHeaderSlot", state.latest_block_header.slot},
          {"latestBlockHeaderProposerIndex", state.latest_block_header.proposer_index},
          {"latestBlockHeaderParentRoot", Hex(state.latest_block_header.parent_root)},
          {"latestBlockHeaderStateRoot", Hex(state.latest_block_header.state_root)},
          {"latestBlockHeaderBodyRoot", Hex(state.latest_block_header.body_root)},
          {"historicalBlockHashesCount", state.historical_block_hashes.size()},
          {"historicalBlockHashes", HexList(state.historical_block_hashes.ToVector())},
          {"justifiedSlots", BoolList(state.justified_slots.ToBits())},
          {"justificationsRoots", HexList(state.justifications_roots.ToVector())},
          {"justificationsValidators", BoolList(state.justifications_validators.ToBits())}};
}

// Lists of the fixtures stand in {"data": [...]}.
const json& Unwrapped(const json& value) { return value.is_object() && value.contains("data") ? value["data"] : value; }

void RunStateTransition(const json& test) {
  absl::StatusOr<State> state = FromJson<State>(test["pre"]);
  ASSERT_TRUE(state.ok()) << state.status();
  for (const json& block_json : test["blocks"]) {
    const absl::StatusOr<Block> block = FromJson<Block>(block_json);
    ASSERT_TRUE(block.ok()) << block.status();
    state = beacon::StateTransition(*state, *block, ssz::HashTreeRoot(block->body));
    if (!state.ok()) break;
  }
  if (test.contains("expectException")) {
    EXPECT_FALSE(state.ok()) << "the reference raises " << test["expectException"];
    return;
  }
  ASSERT_TRUE(state.ok()) << state.status();
  const json post = PostOf(*state);
  for (const auto& [name, value] : test["post"].items()) {
    ASSERT_TRUE(post.contains(name)) << "no way to check " << name;
    EXPECT_EQ(post[name], Unwrapped(value)) << name;
  }
}

void CheckVote(const LeanChain& chain, const json& check) {
  const beacon::VoteMap& votes = check["location"] == "new" ? chain.pending_votes() : chain.known_votes();
  const beacon::SignedVotePtr& vote = votes.Find(check["validator"]);
  ASSERT_NE(vote, nullptr) << "no vote: " << check;
  const AttestationData& data = vote->message.data;
  const json actual = {{"attestationSlot", data.slot},
                       {"headSlot", data.head.slot},
                       {"sourceSlot", data.source.slot},
                       {"targetSlot", data.target.slot}};
  for (const auto& [name, value] : check.items()) {
    if (name == "validator" || name == "location") continue;
    ASSERT_TRUE(actual.contains(name)) << "no way to check " << name;
    EXPECT_EQ(actual[name], value) << name << " of " << check;
  }
}

void CheckStore(const LeanChain& chain, const json& checks) {
  const absl::StatusOr<Checkpoint> target = ReferenceTarget(chain);
  const json actual = {{"time", chain.time_intervals()},
                       {"headSlot", chain.head().slot},
                       {"headRoot", Hex(chain.head().root)},
                       {"latestJustifiedSlot", chain.justified().slot},
                       {"latestJustifiedRoot", Hex(chain.justified().root)},
                       {"latestFinalizedSlot", chain.finalized().slot},
                       {"latestFinalizedRoot", Hex(chain.finalized().root)},
                       {"safeTarget", Hex(chain.safe_target().root)},
                       {"attestationTargetSlot", target.ok() ? json(target->slot) : json()}};
  for (const auto& [name, value] : checks.items()) {
    // Labels name blocks that the file does not map to roots.
    if (name.ends_with("Label") || name == "lexicographicHeadAmong") continue;
    if (name == "attestationChecks") {
      for (const json& check : value) CheckVote(chain, check);
      continue;
    }
    ASSERT_TRUE(actual.contains(name)) << "no way to check " << name;
    EXPECT_EQ(actual[name], value) << name;
  }
}

absl::Status ApplyStep(const json& step, LeanChain& chain) {
  const std::string& type = step["stepType"].get_ref<const std::string&>();
  const uint64_t genesis_time = chain.config().genesis_time;
  if (type == "tick") {
    chain.OnInterval(IntervalsAt(step["time"], genesis_time));
    return absl::OkStatus();
  }
  if (type == "block") {
    ASSIGN_OR_RETURN(BlockWithAttestation block, FromJson<BlockWithAttestation>(step["block"]));
    OnProposal(chain, block.block.slot * beacon::kChainIntervalsPerSlot);
    const size_t signature_count = block.block.body.attestations.size() + 1;
    return chain.OnBlock(WithZeroSignatures(std::move(block), signature_count)).status();
  }
  if (type == "attestation") {
    const json& vote_json =
        step["attestation"].contains("message") ? step["attestation"]["message"] : step["attestation"];
    ASSIGN_OR_RETURN(const Attestation vote, FromJson<Attestation>(vote_json));
    return chain.OnVote(WithZeroSignature(vote)).status();
  }
  return absl::UnimplementedError(absl::StrCat("step of type ", type));
}

void RunForkChoice(const json& test) {
  absl::StatusOr<LeanChain> chain = ChainFromJson(test["anchorState"], test["anchorBlock"]);
  ASSERT_TRUE(chain.ok()) << chain.status();
  const json& steps = test["steps"];
  for (size_t i = 0; i < steps.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("step ", i));
    const absl::Status status = ApplyStep(steps[i], *chain);
    ASSERT_NE(status.code(), absl::StatusCode::kUnimplemented) << status;
    ASSERT_EQ(status.ok(), steps[i]["valid"].get<bool>()) << status;
    if (steps[i].contains("checks") && steps[i]["checks"].is_object()) CheckStore(*chain, steps[i]["checks"]);
  }
}

class ConsensusVectors : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ConsensusVectors, MatchTheReference) {
  const absl::StatusOr<json> file = ReadJson(GetParam());
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_FALSE(file->empty());
  for (const auto& [test_id, test] : file->items()) {
    SCOPED_TRACE(test_id);
    const json& format = test["_info"]["fixtureFormat"];
    if (format == "state_transition_test") {
      RunStateTransition(test);
    } else {
      ASSERT_EQ(format, "fork_choice_test");
      RunForkChoice(test);
    }
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ConsensusVectors);
INSTANTIATE_TEST_SUITE_P(Files, ConsensusVectors, testing::ValuesIn(VectorFiles("consensus")), VectorTestName);

}  // namespace
}  // namespace lean::spec
