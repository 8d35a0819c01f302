// How large the file becomes in a million slots.
#include <filesystem>
#include <iostream>

#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/signing/records/records_test_support.h"

namespace lean::validator {
namespace {

constexpr uint64_t kSlots = 1'000'000;
constexpr uint64_t kSlotsABatch = 100;  // what a duty has one of, so that the test ends before the chain does
constexpr uint8_t kKeys = 4;

uint64_t BytesOf(const std::string& path) {
  std::error_code missing;
  const uint64_t size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

TEST(SigningRecordsSize, AMillionSlots) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/records.sqlite";
  auto records = OpenOrFail(path);
  uint64_t after_tenth = 0;
  for (uint64_t first = 1; first <= kSlots; first += kSlotsABatch) {
    std::vector<SigningRequest> requests;
    for (uint64_t slot = first; slot < first + kSlotsABatch; ++slot) {
      for (uint8_t key = 0; key < kKeys; ++key) requests.push_back({TestPubkey(key), slot, TestRoot(slot % 251)});
    }
    const auto results = records->Reserve(requests);
    ASSERT_TRUE(results.ok()) << results.status();
    for (const absl::Status& result : *results) ASSERT_TRUE(result.ok()) << result;
    if (first < kSlots / 10) after_tenth = BytesOf(path);
  }
  const uint64_t journal = BytesOf(path + "-wal");
  EXPECT_EQ(*records->HighestSlot(TestPubkey(0)), kSlots);
  records.reset();
  const uint64_t bytes = BytesOf(path);
  std::cout << "keys=" << int{kKeys} << " slots=" << kSlots << " bytes=" << bytes << " journal_bytes=" << journal
            << std::endl;
  EXPECT_LE(bytes, after_tenth) << "it does not grow with time";
}

}  // namespace
}  // namespace lean::validator
