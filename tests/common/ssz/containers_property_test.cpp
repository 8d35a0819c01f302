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

template <typename T>
class ContainerProperty : public ::testing::Test {};

using Containers =
    ::testing::Types<Attestation, AttestationData, Block, BlockBody, BlockHeader, BlockWithAttestation, Checkpoint,
                     Config, SignedAttestation, SignedBlockWithAttestation, State, Validator>;
TYPED_TEST_SUITE(ContainerProperty, Containers);

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

TYPED_TEST(ContainerProperty, ComesBackFromItsBytesWithItsRoot) {
  EXPECT_TRUE(rc::check([]() {
    const auto value = ssz_test::Draw<TypeParam>::Value();
    const std::vector<uint8_t> bytes = ssz::Serialize(value);
    const absl::StatusOr<TypeParam> decoded = ssz::Deserialize<TypeParam>(bytes);
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == value);
    RC_ASSERT(ssz::Serialize(*decoded) == bytes);
    RC_ASSERT(ssz::HashTreeRoot(*decoded) == ssz::HashTreeRoot(value));
  }));
}

TYPED_TEST(ContainerProperty, DifferentValuesHaveDifferentBytesAndRoots) {
  EXPECT_TRUE(rc::check([]() {
    const auto a = ssz_test::Draw<TypeParam>::Value();
    const auto b = ssz_test::Draw<TypeParam>::Value();
    RC_ASSERT((a == b) == (ssz::Serialize(a) == ssz::Serialize(b)));
    RC_ASSERT((a == b) == (ssz::HashTreeRoot(a) == ssz::HashTreeRoot(b)));
  }));
}

TYPED_TEST(ContainerProperty, RandomBytesAreRefusedOrCanonical) {
  EXPECT_TRUE(rc::check([](const std::vector<uint8_t>& bytes) { CheckRefusedOrCanonical<TypeParam>(bytes); }));
}

TYPED_TEST(ContainerProperty, RandomBytesOfAFittingLengthAreRefusedOrCanonical) {
  EXPECT_TRUE(rc::check([](uint32_t seed) {
    std::vector<uint8_t> bytes = ssz::Serialize(ssz_test::Draw<TypeParam>::Value());
    std::minstd_rand random(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    CheckRefusedOrCanonical<TypeParam>(bytes);
  }));
}

TYPED_TEST(ContainerProperty, DamagedEncodingsAreRefusedOrCanonical) {
  EXPECT_TRUE(rc::check([]() {
    std::vector<uint8_t> bytes = ssz::Serialize(ssz_test::Draw<TypeParam>::Value());
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
    CheckRefusedOrCanonical<TypeParam>(bytes);
  }));
}

TYPED_TEST(ContainerProperty, ATrailingZeroIsRefused) {
  EXPECT_TRUE(rc::check([]() {
    std::vector<uint8_t> bytes = ssz::Serialize(ssz_test::Draw<TypeParam>::Value());
    bytes.push_back(0);
    RC_ASSERT(!ssz::Deserialize<TypeParam>(bytes).ok());
  }));
}

}  // namespace
}  // namespace lean
