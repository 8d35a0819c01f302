// A network engine that sends anything, from good peers and items to arbitrary bytes: the stream attaches and ends as
// the contract says, each item has at most one verdict and each request of the beacon one answer, and nothing waits for
// good.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/engine_stream.h"
#include "beacon/network/engine/engine_transport.h"
#include "beacon/network/network.h"
#include "common/concurrency/mutex.h"
#include "common/ssz/ssz.h"
#include "tests/fuzz/beacon/fuzzed_beacon.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::fuzz {
namespace {

using std::chrono::milliseconds;

// The engine's side of the streams. The beacon's thread reads one message at a time, and the target goes on when it
// asks for the next, so that a run is always the same.
class Engine {
 public:
  // Hands over a message and waits until the beacon has handled it. False: the beacon has ended the stream.
  bool Send(v1::EngineToBeacon message) {
    MutexLock lock(mutex_);
    AwaitReader();
    if (!open_) return false;
    message_ = std::move(message);
    changed_.NotifyAll();
    AwaitReader();
    return open_;
  }
  void End() {
    MutexLock lock(mutex_);
    open_ = false;
    changed_.NotifyAll();
  }
  // Waits for the beacon's next stream and its hello.
  void AwaitStream() {
    MutexLock lock(mutex_);
    AwaitReader();
  }
  bool is_open() {
    MutexLock lock(mutex_);
    return open_;
  }
  std::vector<v1::BeaconToEngine> TakeWritten() {
    MutexLock lock(mutex_);
    return std::exchange(written_, {});
  }

  void Start() {
    MutexLock lock(mutex_);
    open_ = true;
    message_.reset();
    written_.clear();
  }
  bool Read(v1::EngineToBeacon* message) {
    MutexLock lock(mutex_);
    reading_ = true;
    changed_.NotifyAll();
    changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !open_ || message_.has_value(); });
    reading_ = false;
    if (!message_.has_value() || !open_) return false;
    *message = *std::exchange(message_, std::nullopt);
    return true;
  }
  bool Write(const v1::BeaconToEngine& message) {
    MutexLock lock(mutex_);
    if (!open_) return false;
    written_.push_back(message);
    return true;
  }

 private:
  void AwaitReader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !open_ || (reading_ && !message_.has_value());
    });
  }

  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<v1::EngineToBeacon> message_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::BeaconToEngine> written_ ABSL_GUARDED_BY(mutex_);
};

class Transport final : public beacon::EngineTransport {
 public:
  explicit Transport(Engine& engine) : engine_(engine) {}

  void Start() override { engine_.Start(); }
  bool Read(v1::EngineToBeacon* message) override { return engine_.Read(message); }
  bool Write(const v1::BeaconToEngine& message) override { return engine_.Write(message); }
  void WritesDone() override {}
  std::string Finish() override { return ""; }
  void Cancel() override { engine_.End(); }

 private:
  Engine& engine_;
};

class Run {
 public:
  explicit Run(ByteSpan bytes)
      : input_(bytes),
        network_(
            [this](beacon::EngineLinkOwner& owner) {
              return std::make_unique<beacon::EngineStream>(
                  "fuzz", [this] { return std::make_unique<Transport>(engine_); }, owner, beacon_.clock(),
                  beacon_.log());
            },
            {.chain = beacon_.chain(),
             .blocks = beacon_.blocks(),
             .outbound = beacon_.outbound(),
             .clock = beacon_.clock(),
             .slot = milliseconds(FuzzedBeacon::kSlotMs),
             .validators = FuzzedBeacon::kValidators,
             .log = beacon_.log()}) {}
  ~Run() {
    engine_.End();
    beacon_.chain().Stop();
    network_.Stop();
    Require(answered_ == asked_);
  }

  void Go() {
    engine_.AwaitStream();
    if (!input_.Chance(16)) Send(Hello());
    for (int step = 0; step < kMostSteps && !input_.empty(); ++step) {
      Step();
      Pump();
      if (!engine_.is_open()) return;
    }
    // Every item is decided or forgotten, and the beacon still works.
    for (int i = 0; i < 20; ++i) {
      beacon_.Advance(milliseconds(1000));
      Pump();
    }
    Require(beacon_.chain().queue_sizes().in_flight_items ==
            beacon_.chain().queue_sizes().waiting_blocks + beacon_.chain().queue_sizes().waiting_votes);
    Require(beacon_.chain().BuildVote(beacon_.slot()).ok());
  }

 private:
  static constexpr int kMostSteps = 64;

  static v1::EngineToBeacon Hello() {
    v1::EngineToBeacon message;
    v1::EngineHello& hello = *message.mutable_hello();
    hello.set_contract_version(beacon::kContractVersion);
    hello.set_agent("fuzz");
    hello.set_peer_id("16Uiu2HAmFuzz");
    hello.set_network("devnet0");
    return message;
  }

  void Send(const v1::EngineToBeacon& message) {
    for (const v1::GossipItem& item : message.items().items()) ++sent_[item.id()];
    engine_.Send(message);
  }

  void Step() {
    v1::EngineToBeacon message;
    switch (input_.Below(12)) {
      case 0: {  // anything
        const absl::string_view bytes = input_.Text();
        if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) Send(message);
        return;
      }
      case 1:
      case 2: {
        v1::PeerConnected& peer = *message.mutable_connected();
        peer.set_peer(1 + input_.Below(4));
        peer.set_peer_id(std::string("peer-") + static_cast<char>('a' + input_.Below(4)));
        peer.set_agent(std::string(input_.Text().substr(0, 80)));
        peer.set_serves_range(input_.Chance(2));
        *peer.mutable_status() = Status();
        return Send(message);
      }
      case 3:
        message.mutable_disconnected()->set_peer(1 + input_.Below(4));
        return Send(message);
      case 4:
        message.mutable_status()->set_peer(1 + input_.Below(4));
        *message.mutable_status()->mutable_status() = Status();
        return Send(message);
      case 5:
      case 6:
      case 7:
        AddItems(*message.mutable_items());
        return Send(message);
      case 8: {
        const beacon::AskedBlocks asked{.roots = {}, .first_slot = input_.Below(8), .count = 1 + input_.Below(8)};
        *message.mutable_request() = beacon::ToProto(next_id_++, 1 + input_.Below(4), asked);
        return Send(message);
      }
      case 9:
        ++asked_;
        network_.BlocksByRange(1 + input_.Below(4), input_.Below(8), 1 + input_.Below(8),
                               [this](auto) { ++answered_; });
        return;
      case 10: {
        v1::BlockAnswer& answer = *message.mutable_answer();
        answer.set_id(requests_.empty() || input_.Chance(8) ? input_.Below(8) : requests_.back());
        if (input_.Chance(2)) answer.add_blocks(Bytes(BlockOf(input_.Below(4))));
        answer.set_end(static_cast<v1::BlockAnswer::End>(input_.Below(8)));
        return Send(message);
      }
      default:
        beacon_.Advance(milliseconds(input_.Chance(8) ? 10'000 : 4 * input_.Byte()));
    }
  }

  v1::ChainStatus Status() {
    beacon::ClaimedChain claimed = beacon_.chain().Read([](const beacon::LeanChain& chain) -> beacon::ClaimedChain {
      return {.finalized = chain.finalized(), .head = chain.head()};
    });
    if (input_.Chance(4)) claimed.head.slot += input_.Below(64);
    if (input_.Chance(16)) claimed.finalized.root.data[0] ^= 1;
    return beacon::ToProto(claimed);
  }

  // A block on the head, mostly right.
  std::string BlockOf(uint64_t ahead) {
    const beacon::SignedBlockPtr built = beacon_.Build(beacon_.slot() + ahead);
    return built == nullptr ? std::string() : ssz::SerializeToString(*built);
  }
  std::string VoteOf(uint64_t validator) {
    const beacon::SignedVotePtr vote = beacon_.Vote(validator, beacon_.slot());
    return vote == nullptr ? std::string() : ssz::SerializeToString(*vote);
  }
  // Sometimes with a changed byte.
  std::string Bytes(std::string ssz) {
    if (!ssz.empty() && input_.Chance(4)) {
      ssz[(input_.Byte() | size_t{input_.Byte()} << 8) % ssz.size()] ^= static_cast<char>(1 + input_.Below(255));
    }
    return ssz;
  }

  void AddItems(v1::GossipItems& items) {
    const size_t count = 1 + input_.Below(5);
    for (size_t i = 0; i < count; ++i) {
      v1::GossipItem& item = *items.add_items();
      item.set_id(next_id_++);
      item.set_peer(1 + input_.Below(4));
      if (input_.Chance(3)) {
        item.set_block(Bytes(BlockOf(input_.Below(3))));
      } else {
        item.set_vote(Bytes(VoteOf(input_.Below(FuzzedBeacon::kValidators + 1))));
      }
    }
  }

  // Does all work that waits, and looks at what the beacon has said.
  void Pump() {
    network_.Tick();
    while (beacon_.chain().Step() || network_.Step()) {
    }
    for (const v1::BeaconToEngine& message : engine_.TakeWritten()) {
      if (message.has_request()) requests_.push_back(message.request().id());
      for (const v1::Verdict& verdict : message.verdicts().verdicts()) {
        Require(verdict.outcome() != v1::Verdict::OUTCOME_UNSPECIFIED);
        Require(++decided_[verdict.id()] <= sent_[verdict.id()]);
      }
    }
  }

  Input input_;
  Engine engine_;
  FuzzedBeacon beacon_;
  size_t asked_ = 0;
  std::atomic<size_t> answered_ = 0;
  uint64_t next_id_ = 100;
  std::vector<uint64_t> requests_;  // of the beacon
  std::map<uint64_t, int> sent_;    // items by id
  std::map<uint64_t, int> decided_;
  beacon::Network network_;
};

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lean::fuzz::Run(lean::ByteSpan(data, size)).Go();
  return 0;
}
