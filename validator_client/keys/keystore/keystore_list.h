// The YAML file that names the validators of a process and their key files.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_LIST_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/config/yaml.h"

namespace lean::validator {

inline constexpr size_t kMaxKeystores = 4096;

struct KeystoreEntry {
  uint64_t index = 0;     // in the validator registry
  PublicKeyBytes pubkey;  // the key file must have this key
  std::string path;       // of the key file
  std::string origin;     // "FILE:LINE" of this entry, for messages
};

// The fields of an entry in a YAML file that lists keys.
struct KeyFields {
  const char* pubkey;
  const char* path;
  const char* meaning;  // of the path, for an error
};

// Reads an entry with `index` and the other fields from a map in the file `list`. A relative path is relative to the
// folder of `list`. InvalidArgument: a missing, malformed or unknown field.
absl::StatusOr<KeystoreEntry> ReadKeystoreEntry(const YamlValue& value, const std::string& list,
                                                const KeyFields& fields);

// Reads a list of `- index: N`, `pubkey: HEX`, `keystore: FILE`. A relative FILE is relative to the list's folder.
// InvalidArgument begins with "FILE:LINE: ": a missing, malformed or unknown field; a duplicate index, key or file; no
// entries, or more than kMaxKeystores. Returns errors of ReadTextFile unchanged. Does not open the key files.
absl::StatusOr<std::vector<KeystoreEntry>> ReadKeystoreList(const std::string& file);

// The folder of a file; "." for a name without a folder.
std::string FolderOf(const std::string& file);

// The folders of the key files, in the order of the entries.
std::vector<std::string> KeyFolders(const std::vector<KeystoreEntry>& entries);

// Formats a list. Writes the paths unchanged.
std::string FormatKeystoreList(const std::vector<KeystoreEntry>& entries);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_LIST_H_
