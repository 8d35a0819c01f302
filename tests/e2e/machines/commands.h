// What a test tells its switch.
#ifndef LEAN_TESTS_E2E_MACHINES_COMMANDS_H_
#define LEAN_TESTS_E2E_MACHINES_COMMANDS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/e2e/machines/lan.h"
#include "tests/e2e/machines/tap.h"

namespace lean::machines {

// The switch: ports with their devices, and the LANs between them.
struct Switch {
  explicit Switch(uint64_t seed) : lan(seed) {}

  Lan lan;
  std::vector<Tap> taps;  // by port
  std::map<std::string, size_t> names;
};

// Obeys one line, of
//   port NAME LAN SPACE DEVICE                      makes the device DEVICE in the network namespace SPACE (a file)
//   link NAME NAME DELAY_US JITTER_US LOSS_PPM      impairs the link between two ports, in both directions
//   block NAME NAME, unblock NAME NAME              cuts it and mends it
//   counters                                        answers "delivered=N lost=N blocked=N full=N", frames since the
//   start
// Answers what is to be said beside "ok", or what is wrong.
absl::StatusOr<std::string> Obey(absl::string_view line, Switch& state);

}  // namespace lean::machines

#endif  // LEAN_TESTS_E2E_MACHINES_COMMANDS_H_
