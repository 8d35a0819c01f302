// How long a test waits for what other threads and the system do: never reached, unless it does not come.
#ifndef LEAN_TESTS_COMMON_PATIENCE_H_
#define LEAN_TESTS_COMMON_PATIENCE_H_

#include <chrono>

namespace lean {

inline constexpr std::chrono::seconds kPatience{60};

}  // namespace lean

#endif  // LEAN_TESTS_COMMON_PATIENCE_H_
