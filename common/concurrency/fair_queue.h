// A bounded queue that several callers share fairly.
#ifndef LEAN_COMMON_CONCURRENCY_FAIR_QUEUE_H_
#define LEAN_COMMON_CONCURRENCY_FAIR_QUEUE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lean {

// Values come from hosts, over one or more lines (connections) of each. Values of a lower rank come before all values
// of a higher rank. Within a rank hosts take turns, within a host its lines take turns, and the values of a line keep
// their order. A full queue displaces the newest value of the longest line of the heaviest host of the highest rank, so
// a host cannot displace the values of a host with fewer ones. Not thread-safe. A call takes time linear in the number
// of waiting hosts and lines.
template <typename T, size_t kRanks>
class FairQueue {
 public:
  struct Limits {
    size_t values = 0;
    size_t weight = 0;  // of all values together
  };

  explicit FairQueue(const Limits& limits) : limits_(limits) {}

  // Returns the displaced values, which may include the value itself. rank < kRanks.
  std::vector<T> Push(size_t rank, const std::string& host, const std::string& line, size_t weight, T value) {
    Host& its_host = Entry(ranks_[rank], host);
    Line& its_line = Entry(its_host.lines, line);
    its_line.values.push_back({std::move(value), weight});
    for (size_t* sum : {&its_host.weight, &its_line.weight, &weight_}) *sum += weight;
    ++size_;
    std::vector<T> displaced;
    while (size_ > limits_.values || weight_ > limits_.weight) displaced.push_back(TakeHeaviest());
    return displaced;
  }

  // The next value of a rank below `end_rank`; nullopt if none waits.
  std::optional<T> Pop(size_t end_rank = kRanks) {
    for (size_t rank = 0; rank < end_rank; ++rank) {
      if (ranks_[rank].empty()) continue;
      const auto host =
          std::min_element(ranks_[rank].begin(), ranks_[rank].end(), EarlierTurn<typename Hosts::value_type>);
      const auto line = std::min_element(host->second.lines.begin(), host->second.lines.end(),
                                         EarlierTurn<typename Lines::value_type>);
      host->second.turn = line->second.turn = ++turns_;
      return Take(rank, host, line, /*newest=*/false);
    }
    return std::nullopt;
  }

  bool Has(size_t end_rank = kRanks) const {
    return std::any_of(ranks_.begin(), ranks_.begin() + end_rank, [](const auto& hosts) { return !hosts.empty(); });
  }
  size_t size() const { return size_; }
  size_t weight() const { return weight_; }

 private:
  struct Value {
    T value;
    size_t weight = 0;
  };
  struct Line {
    uint64_t turn = 0;  // when it had its last turn, or when it was added
    size_t weight = 0;
    std::deque<Value> values;
  };
  using Lines = std::map<std::string, Line>;
  struct Host {
    uint64_t turn = 0;
    size_t weight = 0;
    Lines lines;
  };
  using Hosts = std::map<std::string, Host>;

  template <typename Map>
  typename Map::mapped_type& Entry(Map& map, const std::string& key) {
    const auto [entry, is_new] = map.try_emplace(key);
    if (is_new) entry->second.turn = ++turns_;
    return entry->second;
  }

  template <typename E>
  static bool EarlierTurn(const E& a, const E& b) {
    return a.second.turn < b.second.turn;
  }
  // Of two with the same weight, the later one.
  template <typename E>
  static bool Lighter(const E& a, const E& b) {
    return std::pair(a.second.weight, a.second.turn) < std::pair(b.second.weight, b.second.turn);
  }

  T TakeHeaviest() {
    size_t rank = kRanks - 1;
    while (ranks_[rank].empty()) --rank;
    const auto host = std::max_element(ranks_[rank].begin(), ranks_[rank].end(), Lighter<typename Hosts::value_type>);
    const auto line =
        std::max_element(host->second.lines.begin(), host->second.lines.end(), Lighter<typename Lines::value_type>);
    return Take(rank, host, line, /*newest=*/true);
  }

  T Take(size_t rank, typename Hosts::iterator host, typename Lines::iterator line, bool newest) {
    std::deque<Value>& values = line->second.values;
    Value taken = std::move(newest ? values.back() : values.front());
    if (newest) {
      values.pop_back();
    } else {
      values.pop_front();
    }
    for (size_t* sum : {&host->second.weight, &line->second.weight, &weight_}) *sum -= taken.weight;
    --size_;
    if (values.empty()) host->second.lines.erase(line);
    if (host->second.lines.empty()) ranks_[rank].erase(host);
    return std::move(taken.value);
  }

  const Limits limits_;
  std::array<Hosts, kRanks> ranks_;
  size_t size_ = 0;
  size_t weight_ = 0;
  uint64_t turns_ = 0;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_FAIR_QUEUE_H_
