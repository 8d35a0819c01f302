// SSZ of every container: bytes are refused, or are the one encoding of a value, whose root is that of the definition.
#include <array>
#include <string>
#include <type_traits>
#include <vector>

#include "common/containers/containers.h"
#include "tests/common/ssz/naive_root.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::fuzz {
namespace {

using ssz_test::NaiveBitlistRoot;
using ssz_test::NaiveListRoot;
using ssz_test::NaiveTreeRoot;

// Roots by the definition alone. Lists of this protocol are too large for a plain tree, so their unused branches are
// hashed once.
template <typename T>
struct Naive;

template <>
struct Naive<uint64_t> {
  static Root Of(uint64_t value) {
    Root chunk;
    for (size_t i = 0; i < 8; ++i) chunk.data[i] = static_cast<uint8_t>(value >> (8 * i));
    return chunk;
  }
};

template <size_t N>
struct Naive<Bytes<N>> {
  static Root Of(const Bytes<N>& value) {
    std::vector<Root> chunks((N + 31) / 32);
    for (size_t i = 0; i < N; ++i) chunks[i / 32].data[i % 32] = value.data[i];
    return NaiveTreeRoot(chunks, ssz::TreeHeight(chunks.size()));
  }
};

template <typename List, typename Element>
Root NaiveRootOfList(const List& list) {
  std::vector<Root> roots;
  for (size_t i = 0; i < list.size(); ++i) roots.push_back(Naive<Element>::Of(list[i]));
  return NaiveListRoot(roots, ssz::TreeHeight(List::kLimit), list.size());
}

template <typename T, uint64_t Limit>
struct Naive<ssz::List<T, Limit>> {
  static Root Of(const ssz::List<T, Limit>& list) { return NaiveRootOfList<ssz::List<T, Limit>, T>(list); }
};
template <typename T, uint64_t Limit>
struct Naive<ssz::SharedList<T, Limit>> {
  static Root Of(const ssz::SharedList<T, Limit>& list) { return NaiveRootOfList<ssz::SharedList<T, Limit>, T>(list); }
};
template <uint64_t Limit>
struct Naive<ssz::RootList<Limit>> {
  static Root Of(const ssz::RootList<Limit>& list) { return NaiveRootOfList<ssz::RootList<Limit>, Root>(list); }
};
template <uint64_t Limit>
struct Naive<ssz::Bitlist<Limit>> {
  static Root Of(const ssz::Bitlist<Limit>& list) {
    std::vector<bool> bits;
    for (size_t i = 0; i < list.size(); ++i) bits.push_back(list[i]);
    return NaiveBitlistRoot(bits, ssz::Bitlist<Limit>::kHeight);
  }
};

template <ssz::Container T>
struct Naive<T> {
  static Root Of(const T& value) {
    std::vector<Root> roots;
    ssz::ForEachField<T>([&](const auto& field) {
      roots.push_back(Naive<typename std::remove_cvref_t<decltype(field)>::Type>::Of(value.*field.member));
    });
    return NaiveTreeRoot(roots, ssz::TreeHeight(roots.size()));
  }
};

template <typename T>
void Check(ByteSpan bytes) {
  const absl::StatusOr<T> value = ssz::Deserialize<T>(bytes);
  if (!value.ok()) {
    Require(value.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  Require(ByteSpan(ssz::Serialize(*value)) == bytes);
  Require(ssz::Codec<T>::Size(*value) == bytes.size());
  Require(ssz::HashTreeRoot(*value) == Naive<T>::Of(*value));
}

using Checker = void (*)(ByteSpan);
constexpr auto kContainers = std::to_array<Checker>(
    {Check<Attestation>, Check<AttestationData>, Check<Block>, Check<BlockBody>, Check<BlockHeader>,
     Check<BlockWithAttestation>, Check<Checkpoint>, Check<Config>, Check<SignedAttestation>,
     Check<SignedBlockWithAttestation>, Check<State>, Check<Validator>});

}  // namespace
}  // namespace lean::fuzz

// The first byte chooses the container.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  if (size == 0) return 0;
  kContainers[data[0] % kContainers.size()](lean::ByteSpan(data + 1, size - 1));
  return 0;
}
