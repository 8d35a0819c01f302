#include "tests/e2e/machines/commands.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_macros.h"

namespace lean::machines {
namespace {

using Words = std::vector<std::string>;

constexpr uint32_t kMillion = 1'000'000;

absl::StatusOr<std::string> AddPort(const Words& words, Switch& state) {
  const std::string& name = words[1];
  if (state.names.contains(name)) return absl::AlreadyExistsError(absl::StrCat("the port ", name));
  ASSIGN_OR_RETURN(Tap tap, Tap::Open(words[3], words[4]));
  state.taps.push_back(std::move(tap));
  state.names[name] = state.lan.AddPort(words[2]);
  return "";
}

absl::StatusOr<std::pair<size_t, size_t>> Ends(const Words& words, const Switch& state) {
  const auto a = state.names.find(words[1]);
  const auto b = state.names.find(words[2]);
  if (a == state.names.end() || b == state.names.end()) return absl::NotFoundError("no such port");
  return std::pair(a->second, b->second);
}

absl::StatusOr<std::string> Impair(const Words& words, Switch& state) {
  ASSIGN_OR_RETURN(const auto ends, Ends(words, state));
  uint32_t delay = 0;
  uint32_t jitter = 0;
  uint32_t loss = 0;
  if (!absl::SimpleAtoi(words[3], &delay) || !absl::SimpleAtoi(words[4], &jitter) ||
      !absl::SimpleAtoi(words[5], &loss) || loss > kMillion) {
    return absl::InvalidArgumentError("DELAY_US JITTER_US LOSS_PPM");
  }
  state.lan.Impair(
      ends.first, ends.second,
      {.delay = std::chrono::microseconds(delay), .jitter = std::chrono::microseconds(jitter), .loss_ppm = loss});
  return "";
}

absl::StatusOr<std::string> Block(const Words& words, Switch& state) {
  ASSIGN_OR_RETURN(const auto ends, Ends(words, state));
  state.lan.Block(ends.first, ends.second, words[0] == "block");
  return "";
}

absl::StatusOr<std::string> Counters(const Words&, Switch& state) {
  const LanCounters& counters = state.lan.counters();
  return absl::StrCat("delivered=", counters.delivered, " lost=", counters.lost, " blocked=", counters.blocked,
                      " full=", counters.full);
}

struct Command {
  absl::string_view name;
  size_t words;  // with the name
  absl::StatusOr<std::string> (*obey)(const Words&, Switch&);
};

constexpr Command kCommands[] = {
    {"port", 5, AddPort}, {"link", 6, Impair}, {"block", 3, Block}, {"unblock", 3, Block}, {"counters", 1, Counters}};

}  // namespace

absl::StatusOr<std::string> Obey(absl::string_view line, Switch& state) {
  const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  for (const Command& command : kCommands) {
    if (!words.empty() && words[0] == command.name && words.size() == command.words) return command.obey(words, state);
  }
  return absl::InvalidArgumentError(absl::StrCat("not a command: ", line));
}

}  // namespace lean::machines
