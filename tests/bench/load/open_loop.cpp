#include "tests/bench/load/open_loop.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace lean::load {
namespace {

double Ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

// By nearest rank; `sorted` is not empty.
double Percentile(const std::vector<double>& sorted, double part) {
  const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

std::vector<Time> Arrivals(Time begin, Duration length, double rate, uint64_t seed) {
  std::vector<Time> times;
  if (rate <= 0) return times;
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(rate);
  const double most_s = std::chrono::duration<double>(length).count();
  for (double at_s = gap(random); at_s < most_s; at_s += gap(random)) {
    times.push_back(begin + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at_s)));
  }
  return times;
}

std::vector<Call> DueWithin(absl::Span<const Call> calls, absl::Span<const Span> spans) {
  std::vector<Call> within;
  for (const Call& call : calls) {
    if (std::any_of(spans.begin(), spans.end(),
                    [&](const Span& span) { return span.begin <= call.due && call.due < span.end; })) {
      within.push_back(call);
    }
  }
  return within;
}

Latencies Summarize(absl::Span<const Call> calls) {
  Latencies result;
  result.calls = calls.size();
  if (calls.empty()) return result;
  std::vector<double> latencies;
  std::vector<double> late;
  for (const Call& call : calls) {
    latencies.push_back(Ms(call.done - call.due));
    late.push_back(Ms(call.sent - call.due));
    if (!call.good) ++result.bad;
  }
  std::sort(latencies.begin(), latencies.end());
  std::sort(late.begin(), late.end());
  result.p50 = Percentile(latencies, 0.5);
  result.p99 = Percentile(latencies, 0.99);
  result.p999 = Percentile(latencies, 0.999);
  result.most = latencies.back();
  result.late_p99 = Percentile(late, 0.99);
  return result;
}

}  // namespace lean::load
