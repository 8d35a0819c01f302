// What peers send, from arbitrary bytes: read strictly or refused.
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/item_codec.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::beacon {
namespace {

template <typename T>
void CheckItem(absl::string_view bytes) {
  const auto item = ParseItem<T>(bytes);
  fuzz::Require(!item.ok() || ssz::SerializeToString(**item) == bytes);
}

void Check(absl::string_view bytes) {
  CheckItem<SignedBlockWithAttestation>(bytes);
  CheckItem<SignedAttestation>(bytes);
}

// The bytes laid over a block with votes, at a place that they choose: many of these are read.
void CheckOverlaid(absl::string_view bytes) {
  if (bytes.size() < 2) return;
  SignedBlockWithAttestation block;
  block.message.block.body.attestations = *Attestations::FromVector(std::vector<Attestation>(3));
  block.signature = *BlockSignatures::FromVector(std::vector<SignatureBytes>(1));
  std::string ssz = ssz::SerializeToString(block);
  // The first bytes are the structure; signatures follow.
  const size_t begin = (static_cast<uint8_t>(bytes[0]) | size_t{static_cast<uint8_t>(bytes[1])} << 8) % 700;
  const absl::string_view over = bytes.substr(2, ssz.size() - begin);
  ssz.replace(begin, over.size(), over.data(), over.size());
  Check(ssz);
}

}  // namespace
}  // namespace lean::beacon

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::beacon;  // NOLINT(google-build-using-namespace): this is the program
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  CheckOverlaid(bytes);
  return 0;
}
