// Roots that a test tells apart by a number.
#ifndef LEAN_TESTS_BEACON_SERVICES_NUMBERED_ROOT_H_
#define LEAN_TESTS_BEACON_SERVICES_NUMBERED_ROOT_H_

#include <cstdint>

#include "common/containers/containers.h"

namespace lean::beacon {

inline Root RootOf(uint64_t number) {
  Root root;
  for (int i = 0; i < 8; ++i) root.data[i] = static_cast<uint8_t>(number >> (8 * i));
  return root;
}

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_NUMBERED_ROOT_H_
