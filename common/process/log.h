// The log of a process: one line per event on standard error, with `key=value` fields and the time in UTC.
#ifndef LEAN_COMMON_PROCESS_LOG_H_
#define LEAN_COMMON_PROCESS_LOG_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/log/logger.h"
#include "common/process/standard_streams.h"

namespace lean {

class Clock;

// The most bytes of the log that wait for a reader: about 8,000 lines.
inline constexpr size_t kMaxLogBytes = 1 << 20;

// The most warnings and errors that are remembered to recognise those that repeat, and the bytes that are compared.
// When more than these occur in a minute, further ones are written even if they repeat.
inline constexpr size_t kMostRepeated = 1024;
inline constexpr size_t kComparedBytes = 512;

enum class LogForm {
  // 2026-11-24T21:50:57.123Z info    rpc_started address=127.0.0.1:5052
  kText,
  // The same with columns and colours.
  kTerminal,
  // {"time":"2026-11-24T21:50:57.123Z","level":"info","event":"rpc_started","address":"127.0.0.1:5052"}
  // All values are strings. Text that is no field is in "message".
  kJson,
};

// The least levels that are logged: of the program, and of parts that have one of their own.
struct LogLevels {
  spdlog::level::level_enum all = spdlog::level::info;
  std::map<std::string, spdlog::level::level_enum> parts;
};

// "info" or "info,network=debug,sync=warn", with levels debug, info, warn and error. InvalidArgument: something else,
// or a part that is not in `parts`.
absl::StatusOr<LogLevels> ParseLogLevels(absl::string_view text, const std::vector<std::string>& parts);

// A line with the time and the newline. `text`: an event with its fields. Control characters are replaced
// (WithoutControls).
std::string LogLine(LogForm form, spdlog::level::level_enum level, absl::string_view text);

// For standard error: a log line reports how many lines are missing. Its form may be set later.
std::shared_ptr<LineWriter> MakeErrorWriter(std::shared_ptr<const std::atomic<LogForm>> form);

// Thread-safe. Never waits for the reader of the log (LineWriter). Replaces control characters (WithoutControls).
// A warning or error whose text was logged within the last minute is left out and counted (LineLimit). For warnings,
// lines that differ in nothing but numbers count as equal. Errors are exempt from this, because each duty that failed
// is an error of its own.
std::shared_ptr<spdlog::logger> MakeLog(const LogLevels& levels, LogForm form, std::shared_ptr<LineWriter> writer,
                                        std::shared_ptr<const Clock> clock);

// The log of a part of the program, which has the part's level. JSON lines name the part. For a log that MakeLog did
// not make: the same log.
std::shared_ptr<spdlog::logger> PartLog(const std::shared_ptr<spdlog::logger>& log, const std::string& part);

// Changes the levels of a log of MakeLog and of the logs of its parts. Thread-safe.
void SetLogLevels(spdlog::logger& log, const LogLevels& levels);

// The number of lines that a log of MakeLog has dropped because nobody read them; 0 for other logs.
uint64_t DroppedLogLines(const spdlog::logger& log);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_LOG_H_
