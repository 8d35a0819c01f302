// A chain on which nothing is finalized for days, on the real storage and a disk that keeps little, and what comes
// after.
#ifndef LEAN_TESTS_SIMULATION_DAYS_OF_STALL_H_
#define LEAN_TESTS_SIMULATION_DAYS_OF_STALL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lean::simulation {

struct StallOptions {
  std::string folder = {};  // of two data folders, empty or not there; on a memory file system the run is faster
  size_t validators = 4096;
  uint64_t present = 2457;    // so many vote and propose: 60 %
  uint64_t slots = 100'000;   // without finality
  uint64_t measured = 1'000;  // slots at the beginning and at the end whose cost is compared
  // Called from time to time with a line for people.
  std::function<void(const std::string& line)> progress = [](const std::string&) {};
};

struct StallResult {
  uint64_t blocks = 0;            // imported without finality
  uint64_t finalized_before = 0;  // slot, at the end of the stall
  double first_ms = 0;            // CPU time of this process for a slot, over the first slots
  double last_ms = 0;             // over the last ones
  uint64_t body_bytes = 0;        // SSZ of the blocks
  uint64_t disk_bytes = 0;        // lengths of the files of the data folder
  uint64_t heap_bytes = 0;        // by which the heap has grown since the first slots were measured, without the disk's
  uint64_t allowed_heap_bytes = 0;  // what docs/storage.md says for it
  size_t held_states = 0;
  size_t held_blocks = 0;
  uint64_t slots_to_finality = 0;    // from the slot in which all validators are back; 0: it has not come back
  bool fresh_node_has_head = false;  // a fresh node has synced, and has the same head and finalized block
  double fresh_node_s = 0;           // CPU time that this took
};

// Runs it on this thread. The last call of `progress` before a fresh node syncs has the report of all before it,
// because the sync takes longer than the stall.
StallResult RunStall(const StallOptions& options);

// Lines of names and values.
std::string Report(const StallOptions& options, const StallResult& result);

// What the result should be and is not; empty: it is good. Times are not looked at.
std::vector<std::string> BrokenBounds(const StallOptions& options, const StallResult& result);

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_DAYS_OF_STALL_H_
