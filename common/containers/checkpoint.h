// A block with its slot. Source: leanSpec 050fa4a, containers/checkpoint.py.
#ifndef LEAN_COMMON_CONTAINERS_CHECKPOINT_H_
#define LEAN_COMMON_CONTAINERS_CHECKPOINT_H_

#include <cstdint>
#include <tuple>

#include "common/bytes/bytes.h"
#include "common/ssz/fields.h"

namespace lean {

// 40 bytes.
struct Checkpoint {
  Root root;
  uint64_t slot = 0;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("root", &Checkpoint::root), ssz::Field("slot", &Checkpoint::slot));
  }
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONTAINERS_CHECKPOINT_H_
