// The measurement: a series of steps, each of some slots, with votes in every slot and calls beside them.
#ifndef LEAN_TESTS_BENCH_LOAD_STEPS_H_
#define LEAN_TESTS_BENCH_LOAD_STEPS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load/open_loop.h"

namespace lean::load {

struct LoadOptions {
  std::string beacon = "127.0.0.1:5052";  // HOST:PORT or unix:PATH
  std::string keystores;                  // of the voters; empty: nobody votes
  int pid = 0;                            // of the beacon, on this machine; 0: no CPU time
  uint64_t slots = 4;                     // of a step
  // Beside the votes; empty: only "nothing" and "votes" are measured.
  std::vector<std::string> calls = {"BuildVote", "GetHead", "SubmitVotes"};
  std::vector<size_t> clients = {1, 4, 16, 64, 256};
  double rate = 500;           // calls a second of all clients together
  size_t voting_clients = 16;  // that submit the votes beside other calls
};

struct StepResult {
  std::string call;    // or "votes": votes alone, or "nothing": not even votes
  size_t clients = 0;  // that make it
  double rate = 0;     // calls a second; of SubmitVotes: within the slot's quarter of an interval
  Latencies latencies;
  Latencies with_votes;  // of the calls that were due while votes were under way
  double voting_ms = 0;  // from the first to the last answer of a slot's votes, the longest
  double written = 0;    // bytes that the beacon writes to the disk in a slot
  double floor_s = 0;    // of "votes": the processor time that one thread takes for the signatures alone
  double cpu_s = 0;      // of the beacon in a slot
  double cpu_us = 0;     // of the beacon for a call, above that of a slot with votes alone (SubmitVotes: without any)
  std::map<std::string, size_t> errors;
};

// What a process has used so far.
struct ProcessUse {
  double cpu_s = 0;    // seconds of processor time, in steps of 10 ms
  double written = 0;  // bytes that went to disks
};

// From /proc. NotFound: there is no such process, or it is another user's.
absl::StatusOr<ProcessUse> UseOf(int pid);

// Runs "nothing" and "votes", if there are voters, then each call with each number of clients, and tells each result at
// once. A client makes fewer duty calls than a beacon serves it, so that few clients may make less than `rate`. Errors:
// unknown call; of the beacon; of the keys.
absl::Status RunSteps(const LoadOptions& options, const std::function<void(const StepResult&)>& done);

}  // namespace lean::load

#endif  // LEAN_TESTS_BENCH_LOAD_STEPS_H_
