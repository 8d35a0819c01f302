#include "common/process/log.h"

#include <unistd.h>

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/log/log_text.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/base_sink.h"

namespace lean {
namespace {

std::unique_ptr<spdlog::formatter> MakeFormatter() {
  return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v",
                                                     spdlog::pattern_time_type::utc);
}

constexpr char kReset[] = "\033[m";

const char* ColourOf(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::info:
      return "\033[32m";  // green
    case spdlog::level::warn:
      return "\033[33m\033[1m";  // bold yellow
    case spdlog::level::err:
      return "\033[31m\033[1m";  // bold red
    default:
      return "\033[36m";  // cyan
  }
}

class Sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink(std::shared_ptr<LineWriter> writer, bool colours) : writer_(std::move(writer)), colours_(colours) {}

  uint64_t dropped() const { return writer_->dropped(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    // All but the newline. The length does not change, so the position of the colour stays right.
    std::string line = WithoutControls({formatted.data(), formatted.size() - 1});
    if (colours_) {
      line.insert(message.color_range_end, kReset);
      line.insert(message.color_range_start, ColourOf(message.level));
    }
    line += '\n';
    writer_->Write(line);
  }
  void flush_() override {}

 private:
  const std::shared_ptr<LineWriter> writer_;
  const bool colours_;
};

std::string DroppedNote(uint64_t dropped) {
  const std::string text =
      absl::StrCat("log_dropped lines=", dropped, " message=\"the log had no reader for a while\"");
  spdlog::memory_buf_t formatted;
  MakeFormatter()->format(spdlog::details::log_msg("", spdlog::level::warn, text), formatted);
  return {formatted.data(), formatted.size()};
}

}  // namespace

std::shared_ptr<LineWriter> MakeErrorWriter() {
  return std::make_shared<LineWriter>(STDERR_FILENO, kMaxLogBytes, DroppedNote);
}

std::shared_ptr<spdlog::logger> MakeLog(const std::string& level, std::shared_ptr<LineWriter> writer, bool colours) {
  auto log = std::make_shared<spdlog::logger>("", std::make_shared<Sink>(std::move(writer), colours));
  log->set_formatter(MakeFormatter());
  log->set_level(spdlog::level::from_str(level));
  // spdlog's default handler writes to standard error and may block there.
  log->set_error_handler([](const std::string&) {});
  return log;
}

uint64_t DroppedLogLines(const spdlog::logger& log) {
  uint64_t dropped = 0;
  for (const spdlog::sink_ptr& sink : log.sinks()) {
    if (const auto* ours = dynamic_cast<const Sink*>(sink.get()); ours != nullptr) dropped += ours->dropped();
  }
  return dropped;
}

}  // namespace lean
