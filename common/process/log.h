// The log of a process: one line per event on standard error, with `key=value` fields and the time in UTC.
#ifndef LEAN_COMMON_PROCESS_LOG_H_
#define LEAN_COMMON_PROCESS_LOG_H_

#include <cstdint>
#include <memory>
#include <string>

#include "common/log/logger.h"
#include "common/process/standard_streams.h"

namespace lean {

// The most bytes of the log that wait for a reader: about 8,000 lines.
inline constexpr size_t kMaxLogBytes = 1 << 20;

// For standard error: a log line reports how many lines are missing.
std::shared_ptr<LineWriter> MakeErrorWriter();

// Thread-safe. Never waits for the reader of the log (LineWriter). Uses colours on a terminal and replaces control
// characters (WithoutControls):
//   2026-11-24T21:50:57.123Z info    rpc_started address=127.0.0.1:5052
// level: debug, info, warn or error.
std::shared_ptr<spdlog::logger> MakeLog(const std::string& level, std::shared_ptr<LineWriter> writer, bool colours);

// The number of lines that a log of MakeLog has dropped because nobody read them; 0 for other logs.
uint64_t DroppedLogLines(const spdlog::logger& log);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_LOG_H_
