// RootList, Bitlist and SharedList against plain vectors and roots computed from scratch.
#include <utility>
#include <vector>

#include "common/ssz/bitlist.h"
#include "common/ssz/root_list.h"
#include "common/ssz/shared_list.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"
#include "tests/common/ssz/generators.h"
#include "tests/common/ssz/naive_root.h"

namespace lean::ssz {
namespace {

using ssz_test::BitsOf;

constexpr uint64_t kLimit = 128;  // small, so that random lists fill up
using Roots = RootList<kLimit>;
using BitRow = Bitlist<16 * 256>;

Root Filled(uint8_t byte) {
  Root root;
  root.data.fill(byte);
  return root;
}

void ExpectEqual(const Roots& list, const std::vector<Root>& model) {
  RC_ASSERT(list.ToVector() == model);
  RC_ASSERT(std::vector<Root>(list.begin(), list.end()) == model);
  RC_ASSERT(list.root() == ssz_test::NaiveListRoot(model, Roots::kHeight, model.size()));
}

RC_GTEST_PROP(RootListProperty, EveryStepEqualsAVectorHashedFromScratchAndLeavesCopiesAlone, ()) {
  Roots list;
  std::vector<Root> model;
  std::vector<std::pair<Roots, std::vector<Root>>> copies;
  const int steps = *rc::gen::inRange(1, 12);
  for (int step = 0; step < steps; ++step) {
    copies.emplace_back(list, model);
    switch (*rc::gen::inRange(0, 4)) {
      case 0: {
        const Root root = ssz_test::Draw<Root>::Value();
        RC_ASSERT(list.push_back(root) == (model.size() < kLimit));
        if (model.size() < kLimit) model.push_back(root);
        break;
      }
      case 1: {
        const size_t count = *rc::gen::inRange<size_t>(0, 60);
        const bool fits = model.size() + count <= kLimit;
        RC_ASSERT(list.AppendZeros(count) == fits);
        if (fits) model.resize(model.size() + count);
        break;
      }
      case 2: {
        if (model.empty()) break;
        const size_t index = *rc::gen::inRange<size_t>(0, model.size());
        model[index] = ssz_test::Draw<Root>::Value();
        list.Set(index, model[index]);
        break;
      }
      case 3: {
        // A part of the old content, with something new: what Assign shares and what it hashes both occur.
        model.resize(*rc::gen::inRange<size_t>(0, model.size() + 1));
        for (const Root& root : ssz_test::DrawVector<Root>(20)) {
          if (model.size() < kLimit) model.push_back(root);
        }
        RC_ASSERT(list.Assign(model).ok());
        break;
      }
    }
    ExpectEqual(list, model);
  }
  for (const auto& [copy, content] : copies) ExpectEqual(copy, content);
}

RC_GTEST_PROP(BitlistProperty, EveryStepEqualsBoolsHashedFromScratchAndLeavesCopiesAlone, ()) {
  BitRow list;
  std::vector<bool> model;
  std::vector<std::pair<BitRow, std::vector<bool>>> copies;
  const int steps = *rc::gen::inRange(1, 10);
  for (int step = 0; step < steps; ++step) {
    copies.emplace_back(list, model);
    switch (*rc::gen::inRange(0, 4)) {
      case 0: {
        const bool bit = *rc::gen::arbitrary<bool>();
        RC_ASSERT(list.push_back(bit) == (model.size() < BitRow::kLimit));
        if (model.size() < BitRow::kLimit) model.push_back(bit);
        break;
      }
      case 1: {
        const size_t count = *rc::gen::inRange<size_t>(0, 2000);
        const bool fits = model.size() + count <= BitRow::kLimit;
        RC_ASSERT(list.AppendZeros(count) == fits);
        if (fits) model.resize(model.size() + count);
        break;
      }
      case 2: {
        if (model.empty()) break;
        const size_t index = *rc::gen::inRange<size_t>(0, model.size());
        model[index] = *rc::gen::arbitrary<bool>();
        list.Set(index, model[index]);
        break;
      }
      case 3: {
        model.resize(*rc::gen::inRange<size_t>(0, model.size() + 1));
        for (const bool bit : *rc::gen::arbitrary<std::vector<bool>>()) {
          if (model.size() < BitRow::kLimit) model.push_back(bit);
        }
        RC_ASSERT(list.Assign(BitsOf(model)).ok());
        break;
      }
    }
    RC_ASSERT(list.size() == model.size());
    RC_ASSERT(list.ToBits() == BitsOf(model));
    RC_ASSERT(list.root() == ssz_test::NaiveBitlistRoot(model, BitRow::kHeight));
  }
  for (const auto& [copy, content] : copies) {
    RC_ASSERT(copy.ToBits() == BitsOf(content));
    RC_ASSERT(copy.root() == ssz_test::NaiveBitlistRoot(content, BitRow::kHeight));
  }
}

RC_GTEST_PROP(BitlistProperty, PartsEqualSlices, (const std::vector<bool>& bools)) {
  Bits bits = BitsOf(bools);
  bits.Resize(600);
  bits.Set(599, true);
  const BitRow list = *BitRow::FromBits(bits);
  const size_t first = *rc::gen::inRange<size_t>(0, 601);
  const size_t count = *rc::gen::inRange<size_t>(0, 601 - first);
  RC_ASSERT(list.ToBits(first, count) == bits.Slice(first, count));
}

TEST(RootListTest, ZerosAppendedEqualZerosPushed) {
  RootList<uint64_t{1} << 18> pushed;
  RootList<uint64_t{1} << 18> appended;
  ASSERT_TRUE(pushed.push_back(Filled(1)));
  ASSERT_TRUE(appended.push_back(Filled(1)));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pushed.push_back(Root{}));
  ASSERT_TRUE(appended.AppendZeros(100));
  EXPECT_EQ(pushed, appended);
  ASSERT_TRUE(appended.push_back(Filled(2)));
  EXPECT_NE(pushed, appended);
  EXPECT_EQ(appended[101], Filled(2));
  EXPECT_EQ(appended[100], Root{});
}

TEST(RootListTest, AFullListRefusesMoreAndStaysAsItWas) {
  Roots list = *Roots::FromVector(std::vector<Root>(kLimit, Filled(7)));
  const Roots before = list;
  EXPECT_FALSE(list.push_back(Filled(1)));
  EXPECT_FALSE(list.AppendZeros(1));
  EXPECT_FALSE(list.AppendZeros(~uint64_t{0}));
  EXPECT_FALSE(list.Assign(std::vector<Root>(kLimit + 1)).ok());
  EXPECT_FALSE(Roots::FromVector(std::vector<Root>(kLimit + 1)).ok());
  EXPECT_EQ(list, before);
  EXPECT_EQ(list.size(), kLimit);
}

TEST(RootListTest, TheLengthIsPartOfTheRoot) {
  Roots list;
  const Root empty = list.root();
  ASSERT_TRUE(list.AppendZeros(1));
  EXPECT_NE(list.root(), empty);
}

TEST(BitlistTest, AFullListRefusesMoreAndStaysAsItWas) {
  Bits bits(BitRow::kLimit);
  bits.Set(5, true);
  BitRow list = *BitRow::FromBits(bits);
  const BitRow before = list;
  EXPECT_FALSE(list.push_back(true));
  EXPECT_FALSE(list.AppendZeros(1));
  EXPECT_FALSE(list.Assign(Bits(BitRow::kLimit + 1)).ok());
  EXPECT_EQ(list, before);
}

TEST(SharedListTest, KeepsElementsAndTheirRoot) {
  using Shared = SharedList<Root, 4>;
  EXPECT_EQ(Shared().root(), ssz_test::NaiveListRoot({}, 2, 0));
  const std::vector<Root> roots{Filled(1), Filled(2), Filled(3)};
  const Shared list = *Shared::FromVector(roots);
  const Shared copy = list;  // NOLINT(performance-unnecessary-copy-initialization): the copy is tested
  EXPECT_EQ(copy.root(), ssz_test::NaiveListRoot(roots, 2, 3));
  EXPECT_EQ(&copy[0], &list[0]) << "a copy shares its elements";
  EXPECT_EQ(copy, list);
  EXPECT_NE(copy, Shared());
  EXPECT_FALSE(Shared::FromVector(std::vector<Root>(5)).ok());
}

}  // namespace
}  // namespace lean::ssz
