#include "validator_client/signing/records/machine.h"

#include <time.h>

#include <fstream>

namespace lean::validator {
namespace {

// Not ReadTextFile: files of /proc have no size.
std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

Machine Machine::This() {
  return Machine{FirstLine("/etc/machine-id"), FirstLine("/proc/sys/kernel/random/boot_id"), [] {
                   timespec now{};
                   clock_gettime(CLOCK_BOOTTIME, &now);
                   return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
                 }};
}

}  // namespace lean::validator
