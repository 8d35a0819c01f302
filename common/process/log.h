// The log of a process: one line an event on standard error, `key=value`, time in UTC.
#ifndef LEAN_COMMON_PROCESS_LOG_H_
#define LEAN_COMMON_PROCESS_LOG_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/log/logger.h"

namespace lean {

// Thread-safe, flushed line by line, coloured on a terminal:
//   2026-11-24T21:50:57.123Z info    rpc_started address=127.0.0.1:5052
// level: debug, info, warn or error. InvalidArgument: another one.
absl::StatusOr<std::shared_ptr<spdlog::logger>> MakeLog(const std::string& level);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_LOG_H_
