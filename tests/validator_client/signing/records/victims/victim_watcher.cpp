#include "tests/validator_client/signing/records/victims/victim_watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gtest/gtest.h"

extern char** environ;

namespace lean::validator {
namespace {

using SteadyClock = std::chrono::steady_clock;

pid_t Spawn(const std::string& program, const std::vector<std::string>& arguments, int output) {
  std::vector<std::string> texts = {program};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

}  // namespace

VictimEnd VictimWatcher::Watch(const std::vector<std::string>& arguments,
                               std::optional<std::chrono::microseconds> kill_after) {
  VictimEnd end;
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "no pipe: " << strerror(errno);
    return end;
  }
  const auto start = SteadyClock::now();
  const std::string program = LEAN_BIN_DIR "/" + program_;
  const pid_t pid = Spawn(program, arguments, pipe_ends[1]);
  close(pipe_ends[1]);
  if (pid < 0) {
    ADD_FAILURE() << "cannot start " << program;
    close(pipe_ends[0]);
    return end;
  }
  std::vector<char> buffer;
  bool killed = false;
  while (true) {
    if (kill_after.has_value() && !killed) {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(start + *kill_after - SteadyClock::now());
      pollfd readable{pipe_ends[0], POLLIN, 0};
      const int64_t us = std::max<int64_t>(left.count(), 0);
      const timespec timeout{us / 1'000'000, us % 1'000'000 * 1000};
      const bool due = left.count() <= 0 || ppoll(&readable, 1, &timeout, nullptr) == 0;
      if (due) {
        kill(pid, SIGKILL);
        killed = true;
      }
    }
    // Messages written before the end are still in the pipe.
    char bytes[sizeof(VictimMessage) * 8];
    const ssize_t count = read(pipe_ends[0], bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    buffer.insert(buffer.end(), bytes, bytes + count);
    size_t used = 0;
    for (; buffer.size() - used >= sizeof(VictimMessage); used += sizeof(VictimMessage)) {
      VictimMessage message;
      std::memcpy(static_cast<void*>(&message), buffer.data() + used, sizeof(message));
      Take(message, end);
    }
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(used));
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  end.killed = WIFSIGNALED(status);
  EXPECT_TRUE(!end.killed || WTERMSIG(status) == SIGKILL) << "the victim crashed by itself";
  EXPECT_TRUE(end.killed || WEXITSTATUS(status) <= 1) << "the victim could not begin";
  end.lifetime = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
  return end;
}

void VictimWatcher::Take(const VictimMessage& message, VictimEnd& end) {
  switch (message.kind) {
    case VictimMessage::Kind::kOpened:
      end.opened = true;
      break;
    case VictimMessage::Kind::kDeleted:
      end.deleted = true;
      break;
    case VictimMessage::Kind::kDone:
      end.done = true;
      end.operations = message.slot;
      break;
    case VictimMessage::Kind::kRefused:
      ++end.refused;
      break;
    case VictimMessage::Kind::kFailed:
      ++end.failed;
      break;
    case VictimMessage::Kind::kReleased: {
      ++end.released;
      ++signatures_;
      highest_released_slot_ = std::max(highest_released_slot_, message.slot);
      const auto [leaf, first] = roots_.try_emplace({message.index, message.slot}, message.root);
      if (!first && leaf->second != message.root) ++conflicts_;
      if (verify_ && !verify_(message)) ++bad_signatures_;
      break;
    }
  }
}

}  // namespace lean::validator
