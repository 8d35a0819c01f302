// Which machine this is, and since when it runs.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_MACHINE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_MACHINE_H_

#include <cstdint>
#include <functional>
#include <string>

namespace lean::validator {

struct Machine {
  std::string id;                      // /etc/machine-id; empty where there is none
  std::string boot;                    // /proc/sys/kernel/random/boot_id; empty where there is none
  std::function<int64_t()> uptime_ms;  // since that boot, time asleep included; never goes back

  static Machine This();
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_MACHINE_H_
