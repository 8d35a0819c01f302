// Names of networks and nodes, as they stand in files, logs and paths.
#ifndef LEAN_COMMON_CONFIG_PLAIN_NAME_H_
#define LEAN_COMMON_CONFIG_PLAIN_NAME_H_

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace lean {

// 1 to 64 letters, digits, '-', '_' or '.': needs no quotes anywhere.
inline bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_PLAIN_NAME_H_
