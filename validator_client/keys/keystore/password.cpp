#include "validator_client/keys/keystore/password.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>
#include <utf8proc.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/process/stop_signals.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

bool IsControl(utf8proc_int32_t code_point) { return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f); }

absl::Status TooLong() {
  return absl::InvalidArgumentError(absl::StrCat("the password has more than ", kMaxPasswordBytes, " bytes"));
}

// Wiped before they are freed.
struct CodePoints {
  explicit CodePoints(size_t count) : values(count) {}
  ~CodePoints() { OPENSSL_cleanse(values.data(), values.size() * sizeof(values[0])); }
  CodePoints(const CodePoints&) = delete;
  CodePoints& operator=(const CodePoints&) = delete;

  std::vector<utf8proc_int32_t> values;
};

constexpr uint8_t kInterrupt = 3;   // Ctrl-C
constexpr uint8_t kEndOfInput = 4;  // Ctrl-D
constexpr uint8_t kBackspace = 8;
constexpr uint8_t kDelete = 127;

constexpr int kPollMs = 100;

bool ContinuesCharacter(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The terminal without echo, in raw mode, since this process blocks SIGINT and would not see Ctrl-C otherwise.
class Terminal {
 public:
  Terminal() : descriptor_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0 || ::tcgetattr(descriptor_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    ok_ = ::tcsetattr(descriptor_, TCSAFLUSH, &silent) == 0;
  }
  ~Terminal() {
    if (ok_) ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool ok() const { return ok_; }

  absl::StatusOr<Password> ReadPassword(absl::string_view prompt, const std::stop_token& stop) const {
    Write(prompt);
    WipedBytes line(kMaxPasswordBytes + 1);
    size_t size = 0;
    while (true) {
      uint8_t key = 0;
      const bool stopped = stop.stop_requested() || StopSignals::Pending();
      if (!stopped && !WaitForKey()) continue;
      const ssize_t count = stopped ? 0 : ::read(descriptor_, &key, 1);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0 || key == kInterrupt || key == kEndOfInput) {
        Write("\n");
        return absl::CancelledError("no password was given");
      }
      if (key == '\n' || key == '\r') break;
      if (key == kBackspace || key == kDelete) {
        while (size > 0 && ContinuesCharacter(line.span()[size - 1])) --size;
        if (size > 0) --size;
      } else if (size < line.span().size()) {
        line.mutable_span()[size++] = key;
      }
    }
    Write("\n");
    return Password::FromText(line.span().first(size));
  }

 private:
  // Waits briefly, so that a requested stop is noticed.
  bool WaitForKey() const {
    pollfd terminal{.fd = descriptor_, .events = POLLIN, .revents = 0};
    return ::poll(&terminal, 1, kPollMs) > 0;
  }

  void Write(absl::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      text.remove_prefix(static_cast<size_t>(written));
    }
  }

  const int descriptor_;
  termios before_{};
  bool ok_ = false;
};

}  // namespace

absl::StatusOr<Password> Password::FromText(ByteSpan utf8) {
  if (utf8.size() > kMaxPasswordBytes) return TooLong();
  // utf8proc_map would leave the password in memory that it frees.
  const auto decompose = [utf8](utf8proc_int32_t* buffer, size_t size) {
    return utf8proc_decompose(utf8.data(), static_cast<utf8proc_ssize_t>(utf8.size()), buffer,
                              static_cast<utf8proc_ssize_t>(size),
                              static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT));
  };
  const utf8proc_ssize_t count = decompose(nullptr, 0);
  if (count < 0) return absl::InvalidArgumentError("the password is not valid UTF-8");
  CodePoints points(static_cast<size_t>(count));
  if (decompose(points.values.data(), points.values.size()) != count) {
    return absl::InternalError("the password could not be normalised");
  }

  // Normalising can make the text longer; removing control codes makes it shorter.
  constexpr size_t kMostBytesOfCodePoint = 4;
  WipedBytes kept(kMostBytesOfCodePoint * points.values.size());
  size_t size = 0;
  for (const utf8proc_int32_t code_point : points.values) {
    if (IsControl(code_point)) continue;
    size += static_cast<size_t>(utf8proc_encode_char(code_point, kept.mutable_span().data() + size));
  }
  if (size == 0) return absl::InvalidArgumentError("the password is empty");
  WipedBytes bytes(size);
  std::copy_n(kept.span().begin(), size, bytes.mutable_span().begin());
  return Password(std::move(bytes));
}

absl::StatusOr<Password> ReadPasswordFile(const std::string& path) {
  ASSIGN_OR_RETURN(const WipedBytes text, ReadSecretFile(path, kMaxPasswordBytes, SecretFileKind::kRegularOrPipe));
  ASSIGN_OR_RETURN(Password password, Password::FromText(text.span()),
                   absl::Status(_.code(), absl::StrCat(path, ": ", _.message())));
  return password;
}

absl::StatusOr<Password> PromptPassword(const std::string& prompt, const std::string& option, bool confirm,
                                        const std::stop_token& stop) {
  const Terminal terminal;
  if (!terminal.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the ", prompt, " is required and there is no terminal to ask for it: use ", option));
  }
  absl::StatusOr<Password> password = terminal.ReadPassword(absl::StrCat(prompt, ": "), stop);
  if (!password.ok() || !confirm) return password;
  ASSIGN_OR_RETURN(const Password again, terminal.ReadPassword(absl::StrCat(prompt, ", once more: "), stop));
  if (again.bytes() != password->bytes()) return absl::InvalidArgumentError("the two passwords differ");
  return password;
}

}  // namespace lean::validator
