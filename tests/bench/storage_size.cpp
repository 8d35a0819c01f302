// Bytes a slot on disk, by column: a chain in which every validator votes in every slot, with signatures that compress
// as badly as real ones. Usage: storage_size [VALIDATORS SLOTS]; without: 4, 128 and 4096 validators.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_format.h"
#include "beacon/storage/database/schema.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/storage/stored_chain.h"

namespace lean::beacon {
namespace {

constexpr Column kColumnsShown[] = {Column::kBlocks, Column::kSlots, Column::kCanonical, Column::kStates,
                                    Column::kVotes};

int Measure(size_t validators, uint64_t slots) {
  std::string folder = (std::filesystem::temp_directory_path() / "lean-storage-size-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const Genesis genesis = StorageTestGenesis(validators);
  auto opened = StoredChain::Open(genesis, {.folder = folder, .sign_randomly = true});
  if (!opened.ok()) return 1;
  StoredChain& chain = **opened;
  for (uint64_t slot = 0; slot < slots; ++slot) {
    chain.RunSlot();
    chain.storage().Flush();
  }
  const State& state = *chain.chain().head_state();
  Database& files = chain.database().files();
  if (!files.Compact().ok()) return 1;
  std::cout << absl::StrFormat("%d validators, %d slots\n", validators, slots);
  const auto print = [&](absl::string_view name, uint64_t bytes) {
    std::cout << absl::StrFormat("  %-10s %12d bytes %12.1f a slot\n", name, bytes, static_cast<double>(bytes) / slots);
  };
  for (const Column column : kColumnsShown) print(ColumnName(column), files.DiskBytes(column));
  print("folder", BytesOfFiles(folder));
  std::cout << absl::StrFormat("  a state has %d bytes, reduced %d\n", ssz::Serialize(state).size(),
                               ReduceState(state).size());
  opened->reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}

}  // namespace
}  // namespace lean::beacon

int main(int argc, char** argv) {
  using lean::beacon::Measure;
  if (argc == 3) return Measure(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10));
  return Measure(4, 2000) + Measure(128, 200) + Measure(4096, 40);
}
