// Whole networks in virtual time, with all kinds of faults, and runs that break a rule on purpose.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/simulation/world/shrink.h"
#include "tests/simulation/world/simulation.h"

namespace lean::simulation {
namespace {

class WholeNetwork : public testing::Test {
 protected:
  RunResult RunIt(const Scenario& scenario, RunOptions options = {}) {
    options.folder = folder_.File("run");
    options.log = std::make_shared<spdlog::logger>("sim");
    options.log->set_level(spdlog::level::off);
    return simulation::Run(scenario, options);
  }

  static Scenario WithFaults(uint64_t seed) {
    Scenario scenario{.seed = seed, .nodes = 7, .validators = 14, .slots = 96, .random_percent = 6};
    scenario.links = {.latency_ms = 30, .jitter_ms = 200, .loss_percent = 3, .repeat_percent = 3};
    return scenario;
  }

  static std::string Text(const RunResult& result) {
    return result.violation.has_value() ? std::string(NameOf(result.violation->rule)) + ": " + result.violation->what
                                        : "";
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(WholeNetwork, FinalizesWithoutFaults) {
  const RunResult result = RunIt({.nodes = 4, .validators = 8, .slots = 40});
  EXPECT_FALSE(result.violation.has_value()) << Text(result);
  EXPECT_GE(result.finalized_slot, 34u);
}

TEST_F(WholeNetwork, TheSameSeedIsTheSameRun) {
  const RunResult first = RunIt(WithFaults(5));
  // Recorded or not.
  const TemporaryFolder recordings;
  const RunResult again = RunIt(WithFaults(5), {.record_folder = recordings.path(), .recorded = {0, 6}});
  EXPECT_TRUE(again.recorded);
  EXPECT_TRUE(std::filesystem::exists(recordings.File("node-6.jsonl")));
  EXPECT_EQ(first.digest, again.digest);
  EXPECT_EQ(first.events, again.events);
  EXPECT_NE(RunIt(WithFaults(6)).digest, first.digest);
}

class WholeNetworkByFile : public WholeNetwork, public testing::WithParamInterface<const char*> {};

TEST_P(WholeNetworkByFile, KeepsTheRules) {
  const absl::StatusOr<Scenario> scenario =
      ReadScenario(std::string(LEAN_SOURCE_DIR "/tests/simulation/scenarios/") + GetParam() + ".yaml");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const RunResult result = RunIt(*scenario);
  EXPECT_FALSE(result.violation.has_value()) << Text(result);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, WholeNetworkByFile,
                         testing::Values("blackouts", "clocks", "dishonest", "partition", "power", "storm", "twins"));

class WholeNetworkWithSeed : public WholeNetwork, public testing::WithParamInterface<uint64_t> {};

TEST_P(WholeNetworkWithSeed, KeepsTheRules) {
  const RunResult result = RunIt(WithFaults(GetParam()));
  EXPECT_FALSE(result.violation.has_value()) << "seed " << GetParam() << ": " << Text(result);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WholeNetworkWithSeed, testing::Range<uint64_t>(100, 112));

// Peers have banned a node with a quarter of the validators: finality takes longer steps.
TEST_F(WholeNetwork, FinalizesWithoutABannedQuarter) {
  Scenario scenario{.seed = 7, .nodes = 4, .validators = 8, .slots = 384, .calm_slots = 64, .random_percent = 8};
  scenario.links = {.latency_ms = 30, .jitter_ms = 250, .loss_percent = 5, .repeat_percent = 5};
  const RunResult result = RunIt(scenario);
  EXPECT_FALSE(result.violation.has_value()) << Text(result);
}

// A node returns without its chain just after a partition has healed. Blocks have votes whose target is on the branch
// that lost, which no range of blocks brings.
TEST_F(WholeNetwork, ANewNodeFetchesTheBranchThatVotesName) {
  Scenario scenario{.seed = 3467, .nodes = 4, .validators = 8, .slots = 329, .calm_slots = 9};
  scenario.links = {.latency_ms = 30, .jitter_ms = 250};
  scenario.faults = {
      {.kind = FaultKind::kWithhold, .from_slot = 36, .until_slot = 39, .nodes = {1}},
      {.kind = FaultKind::kPartition, .from_slot = 300, .until_slot = 312, .nodes = {2, 3}},
      {.kind = FaultKind::kKill, .from_slot = 313, .until_slot = 316, .nodes = {0}},
      {.kind = FaultKind::kWithhold, .from_slot = 313, .until_slot = 320, .nodes = {1}},
  };
  const RunResult result = RunIt(scenario);
  EXPECT_FALSE(result.violation.has_value()) << Text(result);
}

// Nine validators, some of which sign twice: on both sides of a partition.
Scenario Partitioned(size_t twins) {
  Scenario scenario{.nodes = 9, .validators = 9, .slots = 72, .twins = twins};
  // One side has the twins and half of the honest nodes.
  Fault fault{.kind = FaultKind::kPartition, .from_slot = 4, .until_slot = 28};
  for (size_t node = twins; node < twins + (9 - twins) / 2; ++node) fault.nodes.push_back(node);
  for (size_t twin = 0; twin < twins; ++twin) fault.nodes.push_back(9 + twin);
  scenario.faults.push_back(fault);
  return scenario;
}

TEST_F(WholeNetwork, EquivocatorsBelowAThirdDoNotBreakFinality) {
  const RunResult result = RunIt(Partitioned(2));
  EXPECT_FALSE(result.violation.has_value()) << Text(result);
}

TEST_F(WholeNetwork, TellsWhenARecordingCannotBeWritten) {
  const TemporaryFolder folder;
  const Scenario scenario{.nodes = 1, .validators = 1, .slots = 1};
  EXPECT_FALSE(RunIt(scenario, {.record_folder = folder.File("missing"), .recorded = {0}}).recorded);
}

// The rules can be broken, and the simulation notices.
TEST_F(WholeNetwork, ThreeOfNineEquivocatorsBreakFinality) {
  EXPECT_FALSE(RunIt(Partitioned(3)).violation.has_value()) << "not judged";
  const RunResult result = RunIt(Partitioned(3), {.judge_always = true});
  ASSERT_TRUE(result.violation.has_value());
  EXPECT_EQ(result.violation->rule, Rule::kFinality) << Text(result);
}

TEST_F(WholeNetwork, AChainComesBackFromItsDisk) {
  // Nobody else has the chain.
  Scenario scenario{.nodes = 1, .validators = 4, .slots = 64, .disks = 1};
  scenario.faults.push_back({.kind = FaultKind::kKill, .from_slot = 10, .until_slot = 12, .nodes = {0}});
  const RunResult result = RunIt(scenario);
  EXPECT_FALSE(result.violation.has_value()) << Text(result);
  EXPECT_GE(result.finalized_slot, 58u);
  EXPECT_EQ(RunIt(scenario).digest, result.digest);

  const RunResult lost = RunIt(scenario, {.lose_chains = true});
  ASSERT_TRUE(lost.violation.has_value());
  EXPECT_EQ(lost.violation->rule, Rule::kRestore) << Text(lost);
}

TEST_F(WholeNetwork, TwoClientsWithOneKeySignALeafTwice) {
  Scenario scenario{.nodes = 4, .validators = 4, .slots = 20, .twins = 1};
  // The two clients see different heads.
  scenario.faults.push_back({.kind = FaultKind::kPartition, .from_slot = 2, .until_slot = 12, .nodes = {0, 1}});
  const RunResult result = RunIt(scenario, {.judge_always = true, .trust_twins = true});
  ASSERT_TRUE(result.violation.has_value());
  EXPECT_EQ(result.violation->rule, Rule::kLeaves) << Text(result);
}

TEST(Shrink, KeepsOnlyWhatViolatesTheRule) {
  const Fault guilty{.kind = FaultKind::kSilent, .from_slot = 8, .until_slot = 9, .nodes = {2}};
  Scenario failing{.slots = 96, .links = {.loss_percent = 5}};
  failing.faults = {{.kind = FaultKind::kPartition, .from_slot = 3, .until_slot = 20, .nodes = {0, 1}},
                    {.kind = FaultKind::kSilent, .from_slot = 8, .until_slot = 30, .nodes = {1, 2, 3}},
                    {.kind = FaultKind::kLie, .from_slot = 60, .until_slot = 61, .nodes = {4}}};
  const Violation violation{.rule = Rule::kHeads, .slot = 40, .what = "heads differ"};
  const auto run = [&](const Scenario& scenario) {
    RunResult result;
    for (const Fault& fault : scenario.faults) {
      const bool has_node = std::find(fault.nodes.begin(), fault.nodes.end(), 2) != fault.nodes.end();
      if (fault.kind == FaultKind::kSilent && has_node) result.violation = violation;
    }
    return result;
  };
  const Shrunk shrunk = Shrink(failing, violation, run);
  EXPECT_EQ(shrunk.scenario.faults, std::vector<Fault>{guilty});
  EXPECT_EQ(shrunk.scenario.slots, 41u);
  EXPECT_EQ(shrunk.scenario.links.loss_percent, 0u);
  EXPECT_EQ(shrunk.violation.rule, Rule::kHeads);
}

TEST_F(WholeNetwork, AScenarioSurvivesItsFile) {
  const Scenario drawn = WithRandomFaults(WithFaults(7));
  EXPECT_FALSE(drawn.faults.empty());
  EXPECT_EQ(drawn.random_percent, 0u);
  const TemporaryFolder folder;
  const absl::StatusOr<Scenario> read = ReadScenario(folder.Write("scenario.yaml", ToYaml(drawn)));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, drawn);
}

}  // namespace
}  // namespace lean::simulation
