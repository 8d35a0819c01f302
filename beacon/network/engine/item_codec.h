// The bytes of the items that beacon and engine exchange. Apart from the contract's messages, so that the fuzzers,
// which are built without protobuf, can use it.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ITEM_CODEC_H_
#define LEAN_BEACON_NETWORK_ENGINE_ITEM_CODEC_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {

// T: SignedBlockWithAttestation or SignedAttestation. InvalidArgument: `bytes` are not the SSZ of one T. The number of
// a block's signatures is not checked here.
template <typename T>
absl::StatusOr<std::shared_ptr<const T>> ParseItem(absl::string_view bytes) {
  auto item = std::make_shared<T>();
  RETURN_IF_ERROR(ssz::Codec<T>::Decode(BytesOfText(bytes), *item));
  return item;
}

// How items of gossip are decoded. A simulation gives its nodes one that decodes each item once for all of them.
struct ItemCodec {
  std::function<absl::StatusOr<SignedBlockPtr>(absl::string_view)> block = ParseItem<SignedBlockWithAttestation>;
  std::function<absl::StatusOr<SignedVotePtr>(absl::string_view)> vote = ParseItem<SignedAttestation>;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ITEM_CODEC_H_
