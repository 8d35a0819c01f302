// What the writer measures, and what it tells of its memory.
#include "beacon/services/chain_metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "beacon/services/chain_writer.h"
#include "prometheus/metric_family.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/chain_writer_fixture.h"

namespace lean::beacon {
namespace {

class ChainMetricsTest : public ChainWriterTest {
 protected:
  // Values of counters and numbers of observations of histograms, by name and first label.
  std::map<std::string, double> Values() const {
    std::map<std::string, double> values;
    for (const prometheus::MetricFamily& family : registry_.Collect()) {
      for (const prometheus::ClientMetric& metric : family.metric) {
        const std::string label = metric.label.empty() ? "" : metric.label.front().value;
        values[family.name + label] = family.type == prometheus::MetricType::Histogram
                                          ? static_cast<double>(metric.histogram.sample_count)
                                          : metric.counter.value;
      }
    }
    return values;
  }
};

TEST_F(ChainMetricsTest, EachBlockAndVoteIsMeasuredOnce) {
  ImportFullSlots(6);
  std::map<std::string, double> values = Values();
  for (const char* name :
       {"lean_fork_choice_block_processing_time_seconds", "lean_state_transition_time_seconds",
        "lean_state_transition_slots_processing_time_seconds", "lean_state_transition_block_processing_time_seconds",
        "lean_state_transition_attestations_processing_time_seconds"}) {
    EXPECT_EQ(values[name], 6) << name;
  }
  EXPECT_EQ(values["lean_state_transition_slots_processed_total"], 6);
  EXPECT_GE(values["lean_state_transition_attestations_processed_total"], 4 * kValidators);
  EXPECT_EQ(values["lean_attestation_validation_time_seconds"], 6 * (kValidators - 1));
  EXPECT_GE(values["lean_finalizations_totalsuccess"], 1);
  EXPECT_EQ(values["lean_fork_choice_reorg_depth"], 0);

  Import(chain_.SignedBlockOf(chain_.head().root));  // again
  EXPECT_EQ(Values()["lean_fork_choice_block_processing_time_seconds"], 6);
}

TEST_F(ChainMetricsTest, MemoryIsToldOf) {
  const auto held = [this] {
    std::map<std::string, metrics::Footprint> held;
    for (const metrics::FootprintList& list : {chain_.footprints(), writer_.queues()}) {
      for (const metrics::Footprint& footprint : list) held[footprint.name] = footprint;
    }
    return held;
  };
  ImportFullSlots(3);
  auto before = held();
  EXPECT_EQ(before["states"].items, chain_.held_states());
  EXPECT_EQ(before["states"].bytes / before["states"].items, BytesOf(*chain_.head_state()));
  EXPECT_EQ(before["blocks"].items, chain_.held_blocks());
  EXPECT_GT(before["blocks"].bytes, 3 * sizeof(SignatureBytes));
  EXPECT_EQ(before["known_blocks"].items, chain_.known_blocks());
  EXPECT_EQ(before["known_votes"].items, kValidators);
  EXPECT_GT(before["tree"].bytes, 0u);

  GoTo(5);
  source_.AddBlock(4);  // which the writer does not get
  const SignedBlockPtr orphan = source_.AddBlock(5);
  ASSERT_EQ(Import(orphan).status, SubmitOutcome::kQueued);
  auto after = held();
  EXPECT_EQ(after["waiting_blocks"].items, 1u);
  EXPECT_EQ(after["waiting_blocks"].bytes, BytesOf(*orphan));
  EXPECT_EQ(after["waiting_votes"].bytes, 0u);
}

}  // namespace
}  // namespace lean::beacon
