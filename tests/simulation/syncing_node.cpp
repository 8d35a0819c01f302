#include "tests/simulation/syncing_node.h"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/network/requests/block_server.h"
#include "beacon/services/checks/signature_verifier.h"
#include "beacon/storage/restore.h"
#include "spdlog/logger.h"

namespace lean::simulation {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{50};
constexpr milliseconds kPatience{60'000};
// Slots whose blocks fit the queue of the storage with 4096 validators.
constexpr uint64_t kSlotsBetweenFlushes = 8;

std::unique_ptr<beacon::ChainDatabase> OpenDatabase(const Genesis& genesis, const std::string& folder,
                                                    rocksdb::Env* env) {
  return beacon::ChainDatabase::OpenOrCreate({.path = folder, .network = "test", .env = env}, genesis).value();
}

// Every signature is right.
std::unique_ptr<beacon::SignatureVerifier> MakeVerifier(const Validators& registry) {
  const auto verify = [](absl::Span<const crypto::VerificationItem> items) {
    return std::vector<absl::Status>(items.size());
  };
  return std::make_unique<beacon::SignatureVerifier>(verify, registry, beacon::SignatureVerifierOptions{.threads = 0});
}

}  // namespace

// Answers from a stored chain, before a request returns.
class SyncingNode::Peer final : public beacon::PeerBlocks {
 public:
  explicit Peer(beacon::StoredChain& other) : other_(other) {}

  std::vector<beacon::PeerInfo> Peers() const override {
    return {{.id = 1,
             .name = "other",
             .address = "",
             .outbound = true,
             .head = other_.chain().head(),
             .finalized = other_.chain().finalized()}};
  }
  void BlocksByRoot(uint64_t, std::vector<Root>, Done done) override {
    done(absl::UnimplementedError("this peer answers by range"));
  }
  void BlocksByRange(uint64_t, uint64_t first_slot, uint64_t count, Done done) override {
    std::vector<beacon::SignedBlockPtr> blocks;
    size_t bytes = 0;
    for (uint64_t slot = first_slot; slot < first_slot + count; ++slot) {
      const std::optional<Root> root = other_.chain().CanonicalRoot(slot);
      if (!root.has_value()) continue;
      beacon::SignedBlockPtr block = other_.database().BlockAt({.root = *root, .slot = slot}).value();
      bytes += beacon::BytesOf(*block);
      if (bytes > beacon::BlockServer::kAnswerBytes && !blocks.empty()) break;
      blocks.push_back(std::move(block));
    }
    done(std::move(blocks));
  }
  void Report(uint64_t, beacon::Offence, std::string why) override { blame_ = std::move(why); }

  // Why the node has reported the peer; empty: it has not.
  const std::string& blame() const { return blame_; }

 private:
  beacon::StoredChain& other_;
  std::string blame_;
};

SyncingNode::SyncingNode(const Genesis& genesis, const std::string& folder, rocksdb::Env* env,
                         beacon::StoredChain& other)
    : database_(OpenDatabase(genesis, folder, env)),
      clock_(other.slots().StartMs(static_cast<int64_t>(other.chain().current_slot()), 3)),
      log_(std::make_shared<spdlog::logger>("none")),
      storage_(*database_, disk_clock_, log_, {.pause = milliseconds(0)}),
      peer_(std::make_unique<Peer>(other)),
      chain_(std::move(beacon::RestoreChain(*database_, clock_, *log_).value().chain),
             MakeVerifier(genesis.state->validators),
             {.clock = clock_,
              .slot_clock = other.slots(),
              .outbound = outbound_,
              .log = log_,
              .observer = &storage_,
              .want = [inbox = inbox_](const beacon::WantedRoot& wanted) { inbox->Want(wanted); }},
             {.writer = {.waiting = {}, .prune = beacon::kInMemoryBesideDisk}}) {
  storage_.Start();
  chain_.StartWithoutThreads();
  sync_ = std::make_unique<beacon::SyncService>(
      beacon::SyncServiceContext{
          .chain = chain_, .peers = *peer_, .clock = clock_, .inbox = inbox_, .board = board_, .log = log_},
      beacon::SyncServiceOptions::For(other.slots().slot_duration_ms(), /*configured_peers=*/1, /*seed=*/1));
  sync_->StartWithoutThread();
}

SyncingNode::~SyncingNode() {
  sync_->Stop();
  chain_.Stop();
  storage_.Stop();
}

absl::Status SyncingNode::Sync(const std::function<void(uint64_t head_slot)>& progress) {
  const Checkpoint goal = peer_->Peers().front().head;
  uint64_t flushed = 0;  // slot
  Checkpoint last = head();
  SteadyTime advanced = clock_.Steady();
  while (head() != goal) {
    if (head() != last) {
      last = head();
      advanced = clock_.Steady();
      progress(last.slot);
    }
    if (last.slot >= flushed + kSlotsBetweenFlushes) {
      storage_.Flush();
      flushed = last.slot;
    }
    if (chain_.Step()) continue;
    if (inbox_->empty()) {
      if (clock_.Steady() - advanced > kPatience) {
        return absl::DeadlineExceededError(absl::StrFormat("no block after slot %d: %s; the peer is blamed for \"%s\"",
                                                           last.slot, board_.Get().message, peer_->blame()));
      }
      clock_.Advance(kTick);
      chain_.Tick();
    }
    sync_->Step();
  }
  return absl::OkStatus();
}

}  // namespace lean::simulation
