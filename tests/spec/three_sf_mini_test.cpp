// Replays histories on which 3sf-mini was asked (tests/vectors/three_sf_mini), and compares its answers with ours: the
// state after every block, and what the chain shows after every event.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/chain/state_transition.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/beacon/chain/chain_testing.h"
#include "tests/spec/chain_replay.h"
#include "tests/spec/support/vector_files.h"

namespace lean::spec {
namespace {

using beacon::LeanChain;
using beacon::SignedBlockPtr;
using beacon::StatePtr;
using nlohmann::json;

// In place of a block's number.
constexpr int kZeroRoot = -1;
constexpr int kUnknownRoot = -2;
// No number: a root that the history does not have.
constexpr int kNoNumber = -3;

// The blocks and votes of a history, with their roots in our chain.
class History {
 public:
  explicit History(const json& data) : data_(data), validators_(data["validators"]) {
    Root unknown;
    unknown.data.fill(0xff);
    Name(kZeroRoot, Root());
    Name(kUnknownRoot, unknown);
    states_.push_back(beacon::MakeGenesisState(validators_));
    Block genesis;
    genesis.state_root = ssz::HashTreeRoot(*states_[0]);
    Name(0, ssz::HashTreeRoot(genesis));
    blocks_.push_back(nullptr);
    for (size_t number = 1; number < data["blocks"].size(); ++number) AddBlock(data["blocks"][number]);
  }

  size_t validators() const { return validators_; }
  // Null for genesis, whose block nobody sends.
  const SignedBlockPtr& block(size_t number) const { return blocks_[number]; }
  // After the block; null when the transition refuses the block or one that it builds on.
  const StatePtr& state(size_t number) const { return states_[number]; }
  int NumberOf(const Root& root) const {
    const auto it = numbers_.find(root);
    return it == numbers_.end() ? kNoNumber : it->second;
  }

  Attestation Vote(size_t number) const {
    const json& vote = data_["votes"][number];
    const json& data = data_["data"][vote[1].get<size_t>()];
    const auto checkpoint = [&](size_t at) { return Checkpoint{.root = RootOf(data[at]), .slot = data[at + 1]}; };
    return {.validator_id = vote[0],
            .data = {.slot = data[0], .head = checkpoint(1), .target = checkpoint(3), .source = checkpoint(5)}};
  }

 private:
  const Root& RootOf(int number) const { return roots_.at(number); }

  void Name(int number, const Root& root) {
    roots_[number] = root;
    numbers_[root] = number;
  }

  void AddBlock(const json& data) {
    const size_t parent = data[1];
    BlockWithAttestation message;
    Block& block = message.block;
    block.slot = data[0];
    block.proposer_index = beacon::ProposerOf(block.slot, validators_);
    block.parent_root = RootOf(static_cast<int>(parent));
    std::vector<Attestation> votes;
    int64_t number = 0;
    for (const json& difference : data[2]) votes.push_back(Vote(number += difference.get<int64_t>()));
    const size_t signatures = votes.size() + 1;
    block.body.attestations = Attestations::FromVector(std::move(votes)).value();
    StatePtr state;
    if (states_[parent] != nullptr) {
      const absl::StatusOr<State> post =
          beacon::ProcessSlotsAndBlock(*states_[parent], block, ssz::HashTreeRoot(block.body));
      if (post.ok()) state = std::make_shared<const State>(*post);
    }
    if (state != nullptr) block.state_root = ssz::HashTreeRoot(*state);
    Name(static_cast<int>(states_.size()), ssz::HashTreeRoot(block));
    states_.push_back(std::move(state));
    message.proposer_attestation = Vote(data[3]);
    blocks_.push_back(WithZeroSignatures(std::move(message), signatures));
  }

  const json& data_;
  const size_t validators_;
  std::map<int, Root> roots_;
  std::map<Root, int> numbers_;
  std::vector<StatePtr> states_;
  std::vector<SignedBlockPtr> blocks_;
};

// In the form of the vectors' `states`.
json Describe(const History& history, const State& state) {
  json justified_slots = json::array();
  for (size_t slot = 0; slot < state.justified_slots.size(); ++slot) {
    if (state.justified_slots[slot]) justified_slots.push_back(slot);
  }
  std::map<int, uint64_t> tallies;
  const size_t validators = history.validators();
  for (size_t i = 0; i < state.justifications_roots.size(); ++i) {
    uint64_t& voters = tallies[history.NumberOf(state.justifications_roots[i])];
    for (size_t validator = 0; validator < validators; ++validator) {
      if (state.justifications_validators[i * validators + validator]) voters |= uint64_t{1} << validator;
    }
  }
  json description = {history.NumberOf(state.latest_justified.root),
                      state.latest_justified.slot,
                      history.NumberOf(state.latest_finalized.root),
                      state.latest_finalized.slot,
                      std::move(justified_slots),
                      json::array()};
  for (const auto& [number, voters] : tallies) description[5].push_back({number, voters});
  return description;
}

// Tells the chain what happened. Whether it accepts it.
bool Apply(const json& event, const History& history, LeanChain& chain) {
  const uint64_t number = event[1];
  if (event[0] == "t") {
    chain.OnInterval(number);
    return true;
  }
  return event[0] == "b" ? chain.OnBlock(history.block(number)).ok()
                         : chain.OnVote(WithZeroSignature(history.Vote(number))).ok();
}

void CompareStates(const History& history, const json& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const StatePtr& state = history.state(i + 1);
    ASSERT_EQ(state == nullptr ? json() : Describe(history, *state), expected[i]) << "state of block " << i + 1;
  }
}

void CompareAnswers(const History& history, const json& events, const json& expected) {
  LeanChain chain = beacon::MakeChain(history.validators());
  for (size_t i = 0; i < events.size(); ++i) {
    const bool accepted = Apply(events[i], history, chain);
    // Of equally heavy children the oracle takes the one with its larger hash, and we the one with our larger root.
    const json& heads = expected[i][1];
    const int head = history.NumberOf(chain.head().root);
    ASSERT_TRUE(std::find(heads.begin(), heads.end(), head) != heads.end())
        << "event " << i << " " << events[i] << ": head " << head << ", expected one of " << heads;
    const json ours = {accepted ? 1 : 0, heads, history.NumberOf(chain.justified().root),
                       history.NumberOf(chain.finalized().root), history.NumberOf(chain.safe_target().root)};
    ASSERT_EQ(ours, expected[i]) << "event " << i << " " << events[i];
  }
}

class ThreeSfMini : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ThreeSfMini, AgreesWithUs) {
  const absl::StatusOr<json> file = ReadJson(GetParam());
  ASSERT_TRUE(file.ok()) << file.status();

  const json& table = (*file)["justifiable"];
  const uint64_t finalized = table["finalized"];
  const uint64_t limit = table["limit"];
  json distances = json::array();
  for (uint64_t distance = 0; distance < limit; ++distance) {
    if (beacon::IsJustifiableAfter(finalized + distance, finalized)) distances.push_back(distance);
  }
  ASSERT_EQ(distances, table["distances"]);

  for (const json& data : (*file)["histories"]) {
    SCOPED_TRACE(absl::StrCat("seed ", data["seed"].get<uint64_t>()));
    const History history(data);
    ASSERT_NO_FATAL_FAILURE(CompareStates(history, data["states"]));
    ASSERT_NO_FATAL_FAILURE(CompareAnswers(history, data["events"], data["answers"]));
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ThreeSfMini);
INSTANTIATE_TEST_SUITE_P(Files, ThreeSfMini, testing::ValuesIn(VectorFiles("three_sf_mini")), VectorTestName);

}  // namespace
}  // namespace lean::spec
