// The log of a process: one line an event on standard error, `key=value`, time in UTC.
#ifndef LEAN_COMMON_PROCESS_LOG_H_
#define LEAN_COMMON_PROCESS_LOG_H_

#include <cstdint>
#include <memory>
#include <string>

#include "common/log/logger.h"
#include "common/process/standard_streams.h"

namespace lean {

// Bytes of the log that wait for a reader: some 8,000 lines.
inline constexpr size_t kMaxLogBytes = 1 << 20;

// For standard error: where lines are missing, a line of the log's own form says how many.
std::shared_ptr<LineWriter> MakeErrorWriter();

// Thread-safe; never waits for whoever reads the log (LineWriter). Coloured on a terminal, without control characters
// from outside (WithoutControls):
//   2026-11-24T21:50:57.123Z info    rpc_started address=127.0.0.1:5052
// level: debug, info, warn or error.
std::shared_ptr<spdlog::logger> MakeLog(const std::string& level, std::shared_ptr<LineWriter> writer, bool colours);

// Lines of a log of MakeLog that were dropped since its start, since nobody read them; 0 for other logs.
uint64_t DroppedLogLines(const spdlog::logger& log);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_LOG_H_
