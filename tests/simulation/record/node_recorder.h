// Records what the page of a node's beacon gets over HTTP, so that tests/simulation/watch.py can show the run in a
// browser.
#ifndef LEAN_TESTS_SIMULATION_RECORD_NODE_RECORDER_H_
#define LEAN_TESTS_SIMULATION_RECORD_NODE_RECORDER_H_

#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "beacon/http/event_feed.h"
#include "beacon/rpc/beacon_queries.h"
#include "beacon/rpc/served_chain.h"
#include "beacon/services/events/event_history.h"

namespace lean::simulation {

// Writes a line of JSON for each thing that happens, with the milliseconds since genesis as "at":
//   {"at":…,"run":text}             once, at the beginning: the scenario
//   {"at":…,"answers":{path:body}}  the beacon's answers to what the page loads, when the beacon has started and at
//   Save
//   {"at":…,"header":{path:body}}   its answer for the header of a block, before the first event that names the block
//   {"at":…,"events":text}          what it sends on its event stream
//   {"at":…,"down":true}            its connections end
//   {"at":…,"violation":text}       a rule was broken
// Bodies are strings. One thread. Recording does not change the run.
class NodeRecorder {
 public:
  // `now`: milliseconds since genesis. Replaces the file.
  NodeRecorder(std::function<int64_t()> now, const std::string& path, const std::string& scenario);

  // A beacon is about to start: its events are to go to the result, which is valid until the next call.
  beacon::EventHistory& NewHistory();
  // The beacon has started. What `chain` refers to stays until Ended.
  void Began(beacon::ServedChain chain);
  // Writes the events since the last call.
  void Write();
  // Writes the answers to what the page loads.
  void Save();
  // The beacon is about to end.
  void Ended();
  // The run ends, before its beacon does. `violation`: empty when no rule was broken. False: the file is not complete.
  bool Finish(const std::string& violation);

 private:
  struct Served {
    explicit Served(beacon::ServedChain served) : chain(std::move(served)), queries(chain) {}

    const beacon::ServedChain chain;
    const beacon::BeaconQueries queries;
  };

  std::string Answer(const std::string& path) const;
  // Of the blocks that `text` names with `field`.
  void WriteHeaders(absl::string_view text, absl::string_view field);
  void WriteLine(absl::string_view name, const std::string& json);

  const std::function<int64_t()> now_;
  std::ofstream file_;
  uint64_t starts_ = 0;
  absl::flat_hash_set<std::string> headers_;  // roots of the blocks whose headers are written
  std::optional<beacon::EventHistory> history_;
  std::optional<beacon::EventFeed> feed_;
  std::optional<Served> served_;  // nullopt: the beacon is down
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_RECORD_NODE_RECORDER_H_
