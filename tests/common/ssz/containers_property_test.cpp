// Properties every container has to have, whatever its fields.
#include <cstdint>
#include <random>
#include <vector>

#include "common/containers/containers.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "tests/common/ssz/generators.h"

namespace lean {
namespace {

// Bytes are either refused, or the one encoding of a value.
template <typename T>
void CheckRefusedOrCanonical(const std::vector<uint8_t>& bytes) {
  const absl::StatusOr<T> value = ssz::Deserialize<T>(bytes);
  RC_CLASSIFY(value.ok());
  if (value.ok()) {
    RC_ASSERT(ssz::Serialize(*value) == bytes);
  } else {
    RC_ASSERT(value.status().code() == absl::StatusCode::kInvalidArgument);
  }
}

template <typename T>
void CheckComesBack() {
  const auto value = ssz_test::Draw<T>::Value();
  const std::vector<uint8_t> bytes = ssz::Serialize(value);
  const absl::StatusOr<T> decoded = ssz::Deserialize<T>(bytes);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(*decoded == value);
  RC_ASSERT(ssz::Serialize(*decoded) == bytes);
  RC_ASSERT(ssz::HashTreeRoot(*decoded) == ssz::HashTreeRoot(value));
}

template <typename T>
void CheckTwo() {
  const auto a = ssz_test::Draw<T>::Value();
  const auto b = ssz_test::Draw<T>::Value();
  RC_ASSERT((a == b) == (ssz::Serialize(a) == ssz::Serialize(b)));
  RC_ASSERT((a == b) == (ssz::HashTreeRoot(a) == ssz::HashTreeRoot(b)));
}

template <typename T>
std::vector<uint8_t> DrawEncoding() {
  return ssz::Serialize(ssz_test::Draw<T>::Value());
}

template <typename T>
bool Reads(const std::vector<uint8_t>& bytes) {
  return ssz::Deserialize<T>(bytes).ok();
}

// What the properties need of a container: RapidCheck takes seconds to compile for each of a property's types.
struct Container {
  const char* name;
  void (*check_comes_back)();
  void (*check_two)();
  std::vector<uint8_t> (*draw_encoding)();
  void (*check_refused_or_canonical)(const std::vector<uint8_t>&);
  bool (*reads)(const std::vector<uint8_t>&);
};

template <typename T>
Container ContainerOf(const char* name) {
  return {name, CheckComesBack<T>, CheckTwo<T>, DrawEncoding<T>, CheckRefusedOrCanonical<T>, Reads<T>};
}

class ContainerProperty : public ::testing::TestWithParam<Container> {};

INSTANTIATE_TEST_SUITE_P(All, ContainerProperty,
                         ::testing::Values(ContainerOf<Attestation>("Attestation"),
                                           ContainerOf<AttestationData>("AttestationData"), ContainerOf<Block>("Block"),
                                           ContainerOf<BlockBody>("BlockBody"), ContainerOf<BlockHeader>("BlockHeader"),
                                           ContainerOf<BlockWithAttestation>("BlockWithAttestation"),
                                           ContainerOf<Checkpoint>("Checkpoint"), ContainerOf<Config>("Config"),
                                           ContainerOf<SignedAttestation>("SignedAttestation"),
                                           ContainerOf<SignedBlockWithAttestation>("SignedBlockWithAttestation"),
                                           ContainerOf<State>("State"), ContainerOf<Validator>("Validator")),
                         [](const auto& info) { return info.param.name; });

TEST_P(ContainerProperty, ComesBackFromItsBytesWithItsRoot) { EXPECT_TRUE(rc::check(GetParam().check_comes_back)); }

TEST_P(ContainerProperty, DifferentValuesHaveDifferentBytesAndRoots) { EXPECT_TRUE(rc::check(GetParam().check_two)); }

TEST_P(ContainerProperty, RandomBytesAreRefusedOrCanonical) {
  EXPECT_TRUE(rc::check(GetParam().check_refused_or_canonical));
}

TEST_P(ContainerProperty, RandomBytesOfAFittingLengthAreRefusedOrCanonical) {
  EXPECT_TRUE(rc::check([](uint32_t seed) {
    std::vector<uint8_t> bytes = GetParam().draw_encoding();
    std::minstd_rand random(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    GetParam().check_refused_or_canonical(bytes);
  }));
}

TEST_P(ContainerProperty, DamagedEncodingsAreRefusedOrCanonical) {
  EXPECT_TRUE(rc::check([]() {
    std::vector<uint8_t> bytes = GetParam().draw_encoding();
    const size_t place = *rc::gen::inRange<size_t>(0, bytes.size());
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        bytes.resize(place);
        break;
      case 1:
        bytes.push_back(*rc::gen::arbitrary<uint8_t>());
        break;
      case 2:
        bytes.insert(bytes.begin() + place, *rc::gen::arbitrary<uint8_t>());
        break;
      case 3:
        bytes.erase(bytes.begin() + place);
        break;
      case 4:
        bytes[place] = *rc::gen::arbitrary<uint8_t>();
        break;
      case 5:
        bytes[place] = static_cast<uint8_t>(bytes[place] + *rc::gen::element(-1, 1));  // offsets off by one
        break;
    }
    GetParam().check_refused_or_canonical(bytes);
  }));
}

TEST_P(ContainerProperty, ATrailingZeroIsRefused) {
  EXPECT_TRUE(rc::check([]() {
    std::vector<uint8_t> bytes = GetParam().draw_encoding();
    bytes.push_back(0);
    RC_ASSERT(!GetParam().reads(bytes));
  }));
}

}  // namespace
}  // namespace lean
