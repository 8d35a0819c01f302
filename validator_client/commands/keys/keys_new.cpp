#include "validator_client/commands/keys/keys_new.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/clock/clock.h"
#include "common/containers/limits.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystore_folder.h"

namespace lean::validator {
namespace {

constexpr int kPlainStepPercent = 10;

double SecondsBetween(KeyProgress::Time begin, KeyProgress::Time end) {
  return std::chrono::duration<double>(end - begin).count();
}

namespace fs = std::filesystem;

// The files that MakeKeys writes.
std::vector<fs::path> FilesOf(const fs::path& folder, const KeysNewOptions& options, const fs::path& list) {
  std::vector<fs::path> files = {list};
  for (const uint64_t index : options.indices) {
    const fs::path key = folder / KeyFileName(index, options.protection.password != nullptr);
    files.push_back(key);
    files.push_back(xmss::TreeCachePath(key.string()));
    files.push_back(xmss::TopTreePath(key.string()));
  }
  return files;
}

absl::StatusOr<PublicKeyBytes> MakeKey(const KeysNewOptions& options, const xmss::Scheme& scheme,
                                       const xmss::SlotRange& active, RandomSource& random, const std::string& path,
                                       const std::function<bool(double)>& progress) {
  ASSIGN_OR_RETURN(const xmss::SecretKey key,
                   xmss::GenerateKey(scheme, active, random, xmss::KeyGenerationOptions{options.threads, progress}));
  RETURN_IF_ERROR(SaveKey(key, KeyState(), path, options.protection, random));
  return PublicKeyBytesOf(scheme, key.public_key());
}

}  // namespace

void KeyProgress::Update(double fraction, Time now) {
  const double done =
      (static_cast<double>(keys_done_) + std::clamp(fraction, 0.0, 1.0)) / static_cast<double>(key_count_);
  // Shows 100 percent only when the last key is saved.
  const int most = keys_done_ == key_count_ ? 100 : 99;
  const int percent = std::min(static_cast<int>(done * 100), most);
  const int shown = terminal_ ? percent : percent / kPlainStepPercent * kPlainStepPercent;
  if (shown <= shown_percent_) return;
  shown_percent_ = shown;
  std::string line = absl::StrFormat("keys: %d of %d done, %3d %%", keys_done_, key_count_, shown);
  if (done > 0) line += absl::StrFormat(", %.0f s left", SecondsBetween(begin_, now) * (1 - done) / done);
  if (!terminal_) {
    out_ << line << '\n' << std::flush;
    return;
  }
  const size_t width = line.size();
  if (width < line_width_) line.append(line_width_ - width, ' ');
  line_width_ = width;
  out_ << '\r' << line << std::flush;
}

void KeyProgress::EndKey(Time now) {
  ++keys_done_;
  Update(0, now);
  if (keys_done_ < key_count_) return;
  Abandon();
  out_ << absl::StrFormat("keys: %d of %d done in %.1f s\n", keys_done_, key_count_, SecondsBetween(begin_, now))
       << std::flush;
}

void KeyProgress::Abandon() {
  if (terminal_ && line_width_ > 0) out_ << '\r' << std::string(line_width_, ' ') << '\r' << std::flush;
  line_width_ = 0;
}

absl::Status MakeKeys(const KeysNewOptions& options, RandomSource& random, const std::atomic<bool>& cancelled,
                      std::ostream& out, bool terminal) {
  ASSIGN_OR_RETURN(const xmss::Scheme scheme, xmss::Scheme::Create(options.log_lifetime));
  const uint64_t active_slots =
      options.active_slots != 0 ? options.active_slots : std::min(scheme.lifetime(), kHistoricalRootsLimit);
  ASSIGN_OR_RETURN(const xmss::SlotRange active, xmss::WidenActiveRange(scheme, {0, active_slots}));

  const fs::path folder = options.output_dir;
  RETURN_IF_ERROR(PreparePrivateFolder(folder.string()));
  const fs::path list = folder / "keystores.yaml";
  const std::vector<fs::path> files = FilesOf(folder, options, list);
  for (const fs::path& file : files) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file, ignored))) {
      return absl::AlreadyExistsError(absl::StrCat(file.string(), " exists: name another folder"));
    }
  }
  // Removes the keys, which no list names and which would make the next attempt fail.
  absl::Cleanup remove_files = [&files] {
    std::error_code ignored;
    for (const fs::path& file : files) fs::remove(file, ignored);
  };

  const RealClock clock;
  const auto now = [&clock] { return clock.Steady(); };
  KeyProgress progress(out, terminal, options.indices.size(), now());
  std::vector<KeystoreEntry> entries;
  for (const uint64_t index : options.indices) {
    const std::string name = KeyFileName(index, options.protection.password != nullptr);
    const absl::StatusOr<PublicKeyBytes> pubkey =
        MakeKey(options, scheme, active, random, (folder / name).string(), [&](double fraction) {
          progress.Update(fraction, now());
          return !cancelled;
        });
    if (!pubkey.ok()) {
      progress.Abandon();
      return pubkey.status();
    }
    progress.EndKey(now());
    entries.push_back(KeystoreEntry{index, *pubkey, name, ""});
  }
  RETURN_IF_ERROR(WriteNewTextFile(list.string(), FormatKeystoreList(entries)));
  std::move(remove_files).Cancel();
  out << absl::StrCat("made ", entries.size(), options.protection.password == nullptr ? " plain" : " encrypted",
                      " keys of lifetime 2^", options.log_lifetime, " for slots ", active.first, " to ", active.end - 1,
                      "; their list is ", list.string(), "\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
