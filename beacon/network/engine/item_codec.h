// Blocks and votes as they cross the socket to the network engine: SSZ. What comes in is anyone's bytes.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ITEM_CODEC_H_
#define LEAN_BEACON_NETWORK_ENGINE_ITEM_CODEC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/chain/chain_types.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {

// T: SignedBlockWithAttestation or SignedAttestation.
template <typename T>
std::string SerializeItem(const T& item) {
  const std::vector<uint8_t> bytes = ssz::Serialize(item);
  return std::string(bytes.begin(), bytes.end());
}

// InvalidArgument: not exactly one. A block whose number of signatures is wrong is the chain's to refuse.
template <typename T>
absl::StatusOr<std::shared_ptr<const T>> ParseItem(absl::string_view bytes) {
  ASSIGN_OR_RETURN(T item, ssz::Deserialize<T>(ByteSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())));
  return std::make_shared<const T>(std::move(item));
}

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ITEM_CODEC_H_
