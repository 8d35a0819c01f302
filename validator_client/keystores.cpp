#include "validator_client/keystores.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "validator_client/keystore_list.h"
#include "validator_client/xmss_signing_key.h"

namespace lean::validator {
namespace {

constexpr unsigned kMaxThreads = 8;

absl::Status At(const std::string& origin, absl::StatusCode code, absl::string_view message) {
  return absl::Status(code, absl::StrCat(origin, ": ", message));
}

}  // namespace

unsigned KeyThreads() { return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads); }

absl::StatusOr<Keystores> OpenKeystores(const std::string& list_file, const PasswordSource& password,
                                        unsigned threads) {
  const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(list_file);
  if (!entries.ok()) return entries.status();
  Keystores keystores;
  keystores.folders = KeyFolders(*entries);
  for (const KeystoreEntry& entry : *entries) {
    absl::StatusOr<OpenedKeyFile> file = OpenKeyFile(entry.path, password);
    if (!file.ok()) return At(entry.origin, file.status().code(), file.status().message());
    auto key = std::make_shared<XmssSigningKey>(entry.path, *std::move(file), threads);
    if (key->pubkey() != entry.pubkey) {
      return At(entry.origin, absl::StatusCode::kInvalidArgument,
                absl::StrCat(entry.path, " holds the key ", ToHex(key->pubkey().span()), ", the list says ",
                             ToHex(entry.pubkey.span())));
    }
    if (keystores.keys.empty()) {
      keystores.log_lifetime = key->log_lifetime();
    } else if (key->log_lifetime() != keystores.log_lifetime) {
      return At(entry.origin, absl::StatusCode::kInvalidArgument,
                absl::StrCat(entry.path, " is a key of lifetime 2^", key->log_lifetime(), ", those before it have 2^",
                             keystores.log_lifetime, ": one process works for one network"));
    }
    keystores.keys.push_back(ValidatorKey{entry.index, std::move(key), entry.origin});
  }
  return keystores;
}

}  // namespace lean::validator
