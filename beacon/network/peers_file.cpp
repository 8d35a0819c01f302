#include "beacon/network/peers_file.h"

#include "common/config/yaml.h"
#include "common/rpc/address.h"

namespace lean::beacon {
namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kMaxPeers = 1024;

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadPeersFile(const std::string& path) {
  const absl::StatusOr<YamlValue> file = YamlValue::ReadFile(path, kMaxBytes);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::vector<YamlValue>> items = file->Items(kMaxPeers);
  if (!items.ok()) return items.status();
  std::vector<std::string> peers;
  for (const YamlValue& item : *items) {
    const absl::StatusOr<std::string> text = item.Text();
    if (!text.ok()) return text.status();
    if (const auto address = rpc::ParseAddress(*text); !address.ok()) return item.Error(address.status().message());
    peers.push_back(*text);
  }
  return peers;
}

}  // namespace lean::beacon
