#include "common/secrets/secret_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace lean {
namespace {

// The flags (proc(5), VmFlags) of the mapping that `address` lies in.
std::string FlagsOf(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(maps, line)) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = reinterpret_cast<uintptr_t>(address) >= begin && reinterpret_cast<uintptr_t>(address) < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line;
    }
  }
  return "no such mapping";
}

bool HasFlag(const std::string& flags, const std::string& wanted) {
  std::istringstream words(flags);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// dd: left out of dumps; lo: locked.
void ExpectProtected(const void* address) {
  const std::string flags = FlagsOf(address);
  EXPECT_TRUE(HasFlag(flags, "dd")) << flags;
#ifndef __SANITIZE_ADDRESS__  // which makes mlock do nothing
  EXPECT_TRUE(HasFlag(flags, "lo")) << flags;
#endif
}

TEST(SecretMemoryTest, BlocksOfEverySizeAreLockedZeroedAndLeftOutOfDumps) {
  const absl::Status status = ProtectSecretMemory();
  ASSERT_TRUE(status.ok()) << status;
  for (const size_t size : {1u, 32u, 1024u, 2048u, 2049u, 100'000u}) {
    auto* const block = static_cast<uint8_t*>(AllocateSecret(size));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(std::all_of(block, block + size, [](uint8_t byte) { return byte == 0; })) << size;
    ExpectProtected(block);
    ExpectProtected(block + size - 1);
    std::memset(block, 7, size);
    FreeSecret(block, size);
  }
}

TEST(SecretMemoryTest, ABlockIsWipedWhenItIsFreed) {
  ASSERT_TRUE(ProtectSecretMemory().ok());
  std::vector<uint8_t*> blocks;
  for (int i = 0; i < 64; ++i) blocks.push_back(static_cast<uint8_t*>(AllocateSecret(32)));
  // The arena stays mapped, so what a freed block holds can be looked at. Its first bytes link the arena's free list.
  uint8_t* const freed = blocks.back();
  blocks.pop_back();
  std::memset(freed, 0xa5, 32);
  FreeSecret(freed, 32);
  EXPECT_TRUE(std::none_of(freed + 16, freed + 32, [](uint8_t byte) { return byte == 0xa5; }));
  for (uint8_t* block : blocks) FreeSecret(block, 32);
}

TEST(SecretMemoryTest, ServesMoreThanTheArenaHolds) {
  ASSERT_TRUE(ProtectSecretMemory().ok());
  std::vector<WipedBytes> blocks;
  for (int i = 0; i < 700; ++i) blocks.emplace_back(2048);  // 1.4 MB
  for (WipedBytes& block : blocks) {
    const std::string flags = FlagsOf(block.mutable_span().data());
    if (!HasFlag(flags, "dd")) FAIL() << flags;
  }
}

TEST(SecretMemoryTest, TheProcessWritesNoCoreAndIsClosedToOthers) {
  ASSERT_TRUE(ProtectSecretMemory().ok());
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_max, 0u);
}

TEST(WipedBytesTest, CanBeMoved) {
  WipedBytes one(40);
  one.mutable_span()[0] = 1;
  WipedBytes two = std::move(one);
  EXPECT_EQ(two.span()[0], 1);
  WipedBytes three(8);
  three = std::move(two);
  EXPECT_EQ(three.span().size(), 40u);
  EXPECT_EQ(three.span()[0], 1);
}

}  // namespace
}  // namespace lean
