// What a queue or cache holds.
#ifndef LEAN_COMMON_METRICS_FOOTPRINT_H_
#define LEAN_COMMON_METRICS_FOOTPRINT_H_

#include <cstddef>
#include <string>
#include <vector>

namespace lean::metrics {

struct Footprint {
  std::string name;  // of the queue or cache
  size_t items = 0;
  size_t bytes = 0;  // of the items and of what they allocate, approximately; what several share counts in each
};

using FootprintList = std::vector<Footprint>;

inline void Append(FootprintList& list, const FootprintList& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace lean::metrics

#endif  // LEAN_COMMON_METRICS_FOOTPRINT_H_
