// An open loop: calls are made at times that do not depend on the answers, and latency counts from these times. So a
// server that stalls cannot slow the load down, and the calls that would have been made meanwhile count with their wait
// (no coordinated omission). Pure functions; thread-safe.
#ifndef LEAN_TESTS_BENCH_LOAD_OPEN_LOOP_H_
#define LEAN_TESTS_BENCH_LOAD_OPEN_LOOP_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace lean::load {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// One call.
struct Call {
  Time due;          // when it had to be made
  Time sent;         // when it was made; not before `due`
  Time done;         // when its answer, or its error, was there
  bool good = true;  // false: an error, or an answer that refuses what was submitted
};

// A stretch of time, without its end.
struct Span {
  Time begin;
  Time end;
};

// Times at which independent clients that make `rate` calls a second in all make theirs, from `begin` on for `length`:
// a Poisson process, ascending. The same seed gives the same gaps. Empty if `rate` is not positive.
std::vector<Time> Arrivals(Time begin, Duration length, double rate, uint64_t seed);

// The calls that were due within one of the spans.
std::vector<Call> DueWithin(absl::Span<const Call> calls, absl::Span<const Span> spans);

// Milliseconds, except for the counts. Percentiles by nearest rank; 0 if there are no calls. Bad calls count as well,
// with the time until their error.
struct Latencies {
  size_t calls = 0;
  size_t bad = 0;
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double most = 0;
  double late_p99 = 0;  // from `due` to `sent`: what the tool itself adds
};

Latencies Summarize(absl::Span<const Call> calls);

}  // namespace lean::load

#endif  // LEAN_TESTS_BENCH_LOAD_OPEN_LOOP_H_
