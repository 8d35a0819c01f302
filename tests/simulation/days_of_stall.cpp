#include "tests/simulation/days_of_stall.h"

#include <malloc.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "beacon/storage/database/chain_database.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/simulation/disks/compact_disk.h"
#include "tests/simulation/syncing_node.h"

namespace lean::simulation {
namespace {

// Slots of the stall before anything is measured: caches and buffers are full.
constexpr uint64_t kWarmSlots = 600;
constexpr uint64_t kMostSlotsToFinality = 2'000;
constexpr uint64_t kProgressEvery = 1'000;
// Held while nothing is finalized (docs/storage.md), and what is new.
constexpr size_t kMostHeld = 512 + 3;
// RocksDB's log of writes, which does not grow with the blocks.
constexpr double kLogBytes = 32 << 20;
constexpr uint64_t kFlushEvery = 8;  // slots of 4096 validators that fit the queue of the storage
// What docs/storage.md allows: the tree, roots and slots of a block; the historical root of a slot.
constexpr uint64_t kBytesPerBlock = 180;
constexpr uint64_t kBytesPerSlot = 80;
// Buffers of RocksDB while it collects large blocks (96 MiB), and what waits for the disk.
constexpr uint64_t kBufferBytes = uint64_t{128} << 20;

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

uint64_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Of the states that are held: a state takes 10 KB, and up to twice the lists of votes that are being collected.
uint64_t StateBytes(uint64_t slots, size_t validators, size_t states) {
  const auto roots = static_cast<uint64_t>(2 * std::sqrt(static_cast<double>(slots)));
  return states * (10'000 + 2 * roots * (validators / 8 + Root::kSize));
}

std::unique_ptr<beacon::StoredChain> Open(const Genesis& genesis, const std::string& folder, CompactDisk& disk) {
  std::filesystem::create_directories(folder);
  // Virtual time passes faster than batches are written: nothing waits for more of them.
  const beacon::StorageOptions storage{.pause = std::chrono::milliseconds(0)};
  return beacon::StoredChain::Open(genesis,
                                   {.folder = folder, .env = disk.env.get(), .storage = storage, .spread_absent = true})
      .value();
}

}  // namespace

StallResult RunStall(const StallOptions& options) {
  StallResult result;
  const Genesis genesis = beacon::StorageTestGenesis(options.validators);
  CompactDisk disk;
  const std::string folder = options.folder + "/stalled";
  const std::unique_ptr<beacon::StoredChain> chain = Open(genesis, folder, disk);
  uint64_t warm_heap = 0;
  uint64_t warm_blocks = 0;
  double begin = 0;
  const uint64_t last = kWarmSlots + options.slots;
  for (uint64_t slot = 1; slot <= last; ++slot) {
    if (slot == kWarmSlots + 1 || slot == last - options.measured + 1) begin = CpuSeconds();
    chain->RunSlot(slot, options.present);
    if (slot % kFlushEvery == 0) chain->storage().Flush();
    const double ms = (CpuSeconds() - begin) * 1000 / static_cast<double>(options.measured);
    if (slot == kWarmSlots + options.measured) {
      result.first_ms = ms;
      warm_heap = HeapBytes() - disk.files->bytes();
      warm_blocks = chain->chain().imported_blocks();
    }
    if (slot == last) result.last_ms = ms;
    const beacon::SignedBlockPtr head = chain->chain().SignedBlockOf(chain->chain().head().root);
    if (head != nullptr && head->message.block.slot == slot)
      result.body_bytes += ssz::Codec<SignedBlockWithAttestation>::Size(*head);
    if (slot % kProgressEvery == 0) {
      options.progress(absl::StrFormat("slot %d: %.0f s of CPU, heap %d MB, disk %d MB, kept in %d MB", slot,
                                       CpuSeconds(), HeapBytes() >> 20, beacon::BytesOfFiles(folder) >> 20,
                                       disk.files->bytes() >> 20));
    }
  }
  chain->storage().Flush();
  result.blocks = chain->chain().imported_blocks() - 1;
  result.finalized_before = chain->chain().finalized().slot;
  result.disk_bytes = beacon::BytesOfFiles(folder);
  const uint64_t heap = HeapBytes() - disk.files->bytes();
  result.heap_bytes = heap > warm_heap ? heap - warm_heap : 0;
  result.held_states = chain->chain().held_states();
  result.held_blocks = chain->chain().held_blocks();
  result.allowed_heap_bytes = kBytesPerBlock * (chain->chain().imported_blocks() - warm_blocks) +
                              kBytesPerSlot * options.slots +
                              StateBytes(options.slots, options.validators, result.held_states) + kBufferBytes;

  uint64_t slot = last;
  while (chain->chain().finalized().slot <= last && slot < last + kMostSlotsToFinality) {
    chain->RunSlot(++slot);
    if (slot % kFlushEvery == 0) chain->storage().Flush();
  }
  chain->storage().Flush();
  if (chain->chain().finalized().slot > last) result.slots_to_finality = slot - last;
  options.progress(absl::StrCat("before a fresh node syncs:\n", Report(options, result)));

  begin = CpuSeconds();
  std::filesystem::create_directories(options.folder + "/fresh");
  SyncingNode fresh(genesis, options.folder + "/fresh", disk.env.get(), *chain);
  uint64_t told = 0;
  const absl::Status synced = fresh.Sync([&](uint64_t head_slot) {
    if (head_slot < told + kProgressEvery) return;
    told = head_slot;
    options.progress(absl::StrFormat("a fresh node has slot %d", head_slot));
  });
  if (!synced.ok()) options.progress(absl::StrFormat("a fresh node: %s", synced.message()));
  result.fresh_node_has_head = fresh.head() == chain->chain().head() && fresh.finalized() == chain->chain().finalized();
  result.fresh_node_s = CpuSeconds() - begin;
  return result;
}

std::string Report(const StallOptions& options, const StallResult& result) {
  return absl::StrFormat(
      "validators=%d present=%d slots=%d blocks=%d finalized_before=%d\n"
      "first_ms=%.1f last_ms=%.1f\n"
      "body_bytes=%d disk_bytes=%d\n"
      "heap_bytes=%d allowed_heap_bytes=%d held_states=%d held_blocks=%d\n"
      "slots_to_finality=%d fresh_node_has_head=%d fresh_node_s=%.0f\n",
      options.validators, options.present, options.slots, result.blocks, result.finalized_before, result.first_ms,
      result.last_ms, result.body_bytes, result.disk_bytes, result.heap_bytes, result.allowed_heap_bytes,
      result.held_states, result.held_blocks, result.slots_to_finality, result.fresh_node_has_head,
      result.fresh_node_s);
}

std::vector<std::string> BrokenBounds(const StallOptions& options, const StallResult& result) {
  std::vector<std::string> broken;
  const auto require = [&broken](bool condition, absl::string_view what) {
    if (!condition) broken.emplace_back(what);
  };
  const auto bodies = static_cast<double>(result.body_bytes);
  const auto disk = static_cast<double>(result.disk_bytes);
  require(result.finalized_before < 16, absl::StrFormat("slot %d was finalized in the stall", result.finalized_before));
  require(result.blocks > options.slots / 2, absl::StrFormat("there are only %d blocks", result.blocks));
  require(result.held_states <= kMostHeld, absl::StrFormat("%d states are held", result.held_states));
  require(result.held_blocks <= kMostHeld, absl::StrFormat("%d blocks are held", result.held_blocks));
  require(
      result.heap_bytes <= result.allowed_heap_bytes,
      absl::StrFormat("the heap has grown by %d bytes, %d are allowed", result.heap_bytes, result.allowed_heap_bytes));
  require(disk >= 0.9 * bodies && disk <= 1.1 * bodies + kLogBytes,
          absl::StrFormat("the disk has %d bytes for bodies of %d", result.disk_bytes, result.body_bytes));
  require(result.slots_to_finality > 0, "finality has not come back");
  require(result.fresh_node_has_head, "a fresh node has another head or finalized block");
  return broken;
}

}  // namespace lean::simulation
