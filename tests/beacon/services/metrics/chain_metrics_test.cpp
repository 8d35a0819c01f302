// What the writer measures.
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

}  // namespace
}  // namespace lean::beacon
