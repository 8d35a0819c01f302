// lean-test-switch [SEED]: the network between the machines of a test. Obeys lines on its standard input (commands.h),
// answers each with a line, "ok ..." or "error ...", and ends when its input does, its devices with it.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "tests/e2e/machines/commands.h"

namespace lean::machines {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kFrameBytes = 65'536;
// Read from one device before the others get their turn.
constexpr int kFramesInTurn = 64;

// False when the input has ended.
bool ReadCommands(std::string& input, Switch& state) {
  char buffer[4096];
  const ssize_t size = read(STDIN_FILENO, buffer, sizeof(buffer));
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) return false;
  input.append(buffer, static_cast<size_t>(size));
  for (size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
    const absl::StatusOr<std::string> answer = Obey(input.substr(0, end), state);
    input.erase(0, end + 1);
    std::cout << (answer.ok() ? "ok " + *answer : "error " + std::string(answer.status().message())) << std::endl;
  }
  return true;
}

void ReadFrames(size_t port, std::vector<uint8_t>& buffer, Switch& state) {
  for (int i = 0; i < kFramesInTurn; ++i) {
    const ByteSpan frame = state.taps[port].Read(buffer);
    if (frame.empty()) return;
    state.lan.Accept(port, frame, Clock::now());
  }
}

timespec Until(Clock::time_point due) {
  const auto left = std::max(std::chrono::nanoseconds(due - Clock::now()), std::chrono::nanoseconds(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

void Run(Switch& state) {
  std::string input;
  std::vector<uint8_t> buffer(kFrameBytes);
  while (true) {
    std::vector<pollfd> polled = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
    for (const Tap& tap : state.taps) polled.push_back({.fd = tap.fd(), .events = POLLIN, .revents = 0});
    const std::optional<Clock::time_point> due = state.lan.NextDue();
    const timespec wait = Until(due.value_or(Clock::now()));
    if (ppoll(polled.data(), polled.size(), due.has_value() ? &wait : nullptr, nullptr) < 0 && errno != EINTR) return;
    for (size_t port = 0; port + 1 < polled.size(); ++port) {
      if (polled[port + 1].revents & POLLIN) ReadFrames(port, buffer, state);
    }
    while (const std::optional<Lan::Delivery> delivery = state.lan.Pop(Clock::now())) {
      state.taps[delivery->port].Write(delivery->frame);
    }
    if (polled[0].revents != 0 && !ReadCommands(input, state)) return;
  }
}

}  // namespace
}  // namespace lean::machines

int main(int argc, char** argv) {
  uint64_t seed = 0;
  if (argc > 2 || (argc == 2 && !absl::SimpleAtoi(argv[1], &seed))) {
    std::cerr << "usage: lean-test-switch [SEED]" << std::endl;
    return 2;
  }
  lean::machines::Switch state(seed);
  lean::machines::Run(state);
  return 0;
}
