// peers.yaml: the peers of a node, as a list.
#ifndef LEAN_BEACON_NETWORK_PEERS_FILE_H_
#define LEAN_BEACON_NETWORK_PEERS_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lean::beacon {

// `- HOST:PORT` a line, at most 1024 of them. InvalidArgument names file and line.
absl::StatusOr<std::vector<std::string>> ReadPeersFile(const std::string& path);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_FILE_H_
