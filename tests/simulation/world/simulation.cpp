#include "tests/simulation/world/simulation.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/services/events/event_history.h"
#include "tests/simulation/disks/chain_disk.h"
#include "tests/simulation/disks/records_disk.h"
#include "tests/simulation/record/node_recorder.h"
#include "tests/simulation/world/shared_results.h"
#include "tests/simulation/world/stand_in_signatures.h"

namespace lean::simulation {
namespace {

constexpr uint64_t kGenesisTime = 1'700'000'000;
constexpr Ms kStartsBefore = 4'000;    // genesis
constexpr Ms kSmallestSkew = 100;      // of every clock, in both directions
constexpr uint64_t kWritesToCut = 12;  // a power cut comes after at most so many more writes
constexpr char kChainFolder[] = "chain";
constexpr uint64_t kQuietBeforeHeads = 8;
constexpr uint64_t kRecordEvery = 16;  // slots between two answers to what a page loads

NetworkSpec SpecOf(const Scenario& scenario) {
  NetworkSpec spec;
  spec.slot_duration_ms = scenario.slot_ms;
  return spec;
}

// Hashes what happens, in order.
class Digest {
 public:
  void Add(uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 29;
  }
  void Add(const Checkpoint& checkpoint) {
    for (const uint8_t byte : checkpoint.root.data) Add(byte);
    Add(checkpoint.slot);
  }
  void Add(const Root& root) { Add(Checkpoint{.root = root, .slot = 0}); }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const RunOptions& options);
  RunResult Run();

 private:
  struct Node {
    std::unique_ptr<NodeClock> clock;
    Behaviour behaviour;
    std::string folder;               // of its records and its chain; a power cut concerns all of it
    std::unique_ptr<ChainDisk> disk;  // under its chain; null: the chain is in memory
    bool honest = true;
    bool down = false;
    bool careless = false;
    bool twin = false;
    uint64_t boots = 0;
    Ms skew = 0;  // without faults
    std::unique_ptr<SimulatedBeacon> beacon;
    std::unique_ptr<SimulatedClient> client;
    std::unique_ptr<NodeRecorder> recorder;  // null: the node is not recorded
    Checkpoint head;
    Checkpoint finalized;
    // Slots of the finalized block at the ends of the last two slots with power. The older one is on the disk.
    std::array<uint64_t, 2> finalized_before{};
  };

  void Start(size_t node);
  // nullopt: it cannot be opened, which violates a rule.
  std::optional<OpenedChain> Open(size_t node);
  void Stop(size_t node);
  void Apply(const Fault& fault, bool begins);
  void ApplyTo(size_t node, const Fault& fault, bool begins);
  void BeginSlot(uint64_t slot);
  void EndSlot(uint64_t slot);
  // The state of a node may have changed.
  void Look(size_t node);
  // Ends all recordings. False: one could not be written.
  bool FinishRecordings();
  void CheckHeads(uint64_t slot);
  // The nodes whose chains are compared.
  std::vector<size_t> HonestNodes() const;
  uint64_t NowSlot() const;
  // The first slot without faults: after the last one, and among the calm slots.
  uint64_t QuietFrom() const;

  const Scenario scenario_;
  const RunOptions options_;
  const bool safe_;
  EventLoop loop_;
  std::mt19937_64 random_;
  Fabric fabric_;
  beacon::EventHistory events_{0};
  SharedResults results_;
  const WorldContext world_;
  Invariants invariants_;
  Digest digest_;
  std::vector<Node> nodes_;
  uint64_t quiet_from_ = 0;
  uint64_t outage_ = 0;  // slots without finality when the network became good
};

Simulation::Simulation(const Scenario& scenario, const RunOptions& options)
    : scenario_(WithRandomFaults(scenario)),
      options_(options),
      safe_(scenario_.IsSafe() || options.judge_always),
      random_(scenario.seed),
      fabric_(loop_, scenario_.all_nodes(), scenario_.peers, scenario.seed + 1),
      results_(scenario_.validators),
      world_{.loop = loop_,
             .fabric = fabric_,
             .genesis = StandInGenesis(kGenesisTime, scenario_.validators),
             .spec = SpecOf(scenario_),
             .slots = SlotClock(kGenesisTime, scenario_.slot_ms),
             .events = events_,
             .results = results_,
             .log = options.log,
             .seed = scenario.seed},
      nodes_(scenario_.all_nodes()) {
  InstallRecordsDisk();
  std::filesystem::remove_all(options.folder);
  std::filesystem::create_directories(options.folder);
  const std::string folder = std::filesystem::canonical(options.folder);  // as SQLite names it
  for (const size_t node : scenario_.DishonestNodes()) nodes_[node].honest = options.trust_twins;
  for (size_t node = 0; node < nodes_.size(); ++node) {
    Node& each = nodes_[node];
    each.clock = std::make_unique<NodeClock>(loop_, static_cast<int64_t>(kGenesisTime) * 1000 - kStartsBefore);
    each.skew = static_cast<Ms>(random_() % (2 * kSmallestSkew + 1)) - kSmallestSkew;
    each.clock->SetSkew(each.skew);
    each.folder = absl::StrCat(folder, "/", node, "/");
    std::filesystem::create_directories(each.folder);
    if (node < scenario_.disks) each.disk = std::make_unique<ChainDisk>();
    each.twin = each.careless = node >= scenario_.nodes || node < scenario_.twins;
  }
  for (const size_t node : options.recorded) {
    nodes_[node].recorder = std::make_unique<NodeRecorder>(
        [this] { return loop_.now() - kStartsBefore; }, absl::StrCat(options.record_folder, "/node-", node, ".jsonl"),
        ToYaml(scenario_));
  }
  quiet_from_ = QuietFrom();
}

uint64_t Simulation::QuietFrom() const {
  uint64_t slot = scenario_.slots - std::min(scenario_.slots, scenario_.calm_slots);
  for (const Fault& fault : scenario_.faults) slot = std::max(slot, fault.until_slot);
  return slot;
}

uint64_t Simulation::NowSlot() const {
  return static_cast<uint64_t>(std::max<Ms>(loop_.now() - kStartsBefore, 0)) / scenario_.slot_ms;
}

RunResult Simulation::Run() {
  fabric_.SetQuality(scenario_.links);
  for (size_t node = 0; node < nodes_.size(); ++node) Start(node);
  uint64_t slot = 0;
  for (; slot < scenario_.slots && !invariants_.violation().has_value(); ++slot) {
    BeginSlot(slot);
    const Ms end = kStartsBefore + static_cast<Ms>((slot + 1) * scenario_.slot_ms) - kSmallestSkew - 1;
    while (!invariants_.violation().has_value() && loop_.RunOne(end)) {
    }
    EndSlot(slot);
  }
  const bool recorded = FinishRecordings();
  for (size_t node = 0; node < nodes_.size(); ++node) Stop(node);
  std::filesystem::remove_all(options_.folder);
  digest_.Add(loop_.events());
  digest_.Add(fabric_.messages());
  return {.violation = invariants_.violation(),
          .digest = digest_.value(),
          .slots = slot,
          .events = loop_.events(),
          .messages = fabric_.messages(),
          .finalized_slot = invariants_.finalized_slot(),
          .recorded = recorded};
}

bool Simulation::FinishRecordings() {
  const std::optional<Violation>& violation = invariants_.violation();
  bool good = true;
  for (Node& each : nodes_) {
    if (each.recorder == nullptr) continue;
    const std::string what = violation.has_value() ? absl::StrCat(NameOf(violation->rule), ": ", violation->what) : "";
    good = each.recorder->Finish(what) && good;
  }
  return good;
}

std::optional<OpenedChain> Simulation::Open(size_t node) {
  Node& each = nodes_[node];
  if (each.disk == nullptr) return NewChain(world_);
  absl::StatusOr<OpenedChain> opened = OpenChain(world_, *each.clock, each.folder + kChainFolder, each.disk->env.get());
  if (!opened.ok()) {
    invariants_.Violate(Rule::kRestore, NowSlot(), absl::StrCat("node ", node, ": ", opened.status().ToString()));
    return std::nullopt;
  }
  const uint64_t finalized = opened->chain.finalized().slot;
  if (safe_ && finalized < each.finalized_before.front()) {
    invariants_.Violate(Rule::kRestore, NowSlot(),
                        absl::StrCat("node ", node, " has finalized slot ", each.finalized_before.front(),
                                     ", and comes back with slot ", finalized));
  }
  return *std::move(opened);
}

void Simulation::Start(size_t node) {
  Node& each = nodes_[node];
  std::optional<OpenedChain> opened = Open(node);
  if (!opened.has_value()) return;
  EngineWatch watch;
  watch.peer_ended = [this, node](size_t peer, uint32_t ban_seconds, const std::string& why) {
    digest_.Add(node);
    digest_.Add(peer);
    if (!safe_ || !nodes_[node].honest || !nodes_[peer].honest) return;
    invariants_.Violate(Rule::kHonestBan, NowSlot(),
                        absl::StrCat("node ", node, " ends node ", peer, " for ", ban_seconds, " s: ", why));
  };
  watch.violated = [this, node](const absl::Status& status) {
    invariants_.Violate(Rule::kContract, NowSlot(), absl::StrCat("node ", node, ": ", status.ToString()));
  };
  beacon::EventHistory* events = each.recorder == nullptr ? nullptr : &each.recorder->NewHistory();
  each.beacon = std::make_unique<SimulatedBeacon>(world_, node, *each.clock, each.behaviour, *std::move(opened), watch,
                                                  events, [this, node] { Look(node); });
  if (each.recorder != nullptr) each.recorder->Began(each.beacon->served());
  if (scenario_.ValidatorsOf(node).empty()) return;
  each.client = std::make_unique<SimulatedClient>(
      world_, *each.clock,
      ClientOptions{.validators = scenario_.ValidatorsOf(node),
                    .records = each.folder + "records.sqlite",
                    .boot = ++each.boots,
                    .careless = each.careless},
      [&each](const char* method, const google::protobuf::Message& request, google::protobuf::Message& response) {
        // A client stops its keys when it sees that they sign elsewhere. Twins do not look.
        if (each.twin && std::string(method) == "GetLiveness") return absl::UnavailableError("does not look");
        return each.beacon->Call(method, request, response);
      },
      [this, node](uint64_t validator, uint64_t slot, const Root& root) {
        digest_.Add(validator);
        digest_.Add(root);
        if (nodes_[node].honest) invariants_.OnSigned(validator, slot, root, NowSlot());
      });
}

void Simulation::Stop(size_t node) {
  Node& each = nodes_[node];
  each.client = nullptr;
  if (each.recorder != nullptr) each.recorder->Ended();
  each.beacon = nullptr;
}

void Simulation::Apply(const Fault& fault, bool begins) {
  if (fault.kind == FaultKind::kPartition) {
    for (size_t node = 0; node < nodes_.size(); ++node) fabric_.SetSide(node, 0);
    if (!begins) return;
  }
  for (const size_t node : fault.nodes) ApplyTo(node, fault, begins);
}

void Simulation::ApplyTo(size_t node, const Fault& fault, bool begins) {
  Node& each = nodes_[node];
  switch (fault.kind) {
    case FaultKind::kPartition:
      fabric_.SetSide(node, 1);
      break;
    case FaultKind::kKill:
    case FaultKind::kWipe:
      if (!begins) {
        if (!std::exchange(each.down, false)) break;
        RestorePower(each.folder);
        if (each.disk != nullptr) each.disk->files->RestorePower();
        if (options_.lose_chains) std::filesystem::remove_all(each.folder + kChainFolder);
        if (fault.kind == FaultKind::kWipe) {
          each.careless = true;
          each.finalized_before = {};
          std::filesystem::remove_all(each.folder);
          std::filesystem::create_directories(each.folder);
        }
        Start(node);
        break;
      }
      if (std::exchange(each.down, true)) break;
      // In the middle of a transaction: the machine works on until the power is gone for all of it.
      CutPowerAfter(each.folder, random_() % kWritesToCut);
      if (each.disk != nullptr) each.disk->files->CutPowerAfter(random_() % kWritesToCut, random_);
      loop_.In(static_cast<Ms>(random_() % scenario_.slot_ms), [this, node, &each] {
        CutPower(each.folder, random_);
        if (each.disk != nullptr) each.disk->files->CutPower();
        Stop(node);
      });
      break;
    case FaultKind::kSkew:
      each.clock->SetSkew(each.skew + (begins ? fault.amount : 0));
      break;
    case FaultKind::kWithhold:
      each.behaviour.withholds = begins;
      break;
    case FaultKind::kSilent:
      each.behaviour.silent = begins;
      break;
    case FaultKind::kLie:
      each.behaviour.lies = begins;
      break;
    case FaultKind::kGarbage:
      each.behaviour.garbage = begins;
      break;
  }
}

void Simulation::BeginSlot(uint64_t slot) {
  for (const Fault& fault : scenario_.faults) {
    // It ends before another one of its kind begins.
    if (fault.until_slot == slot && fault.from_slot < slot) Apply(fault, /*begins=*/false);
  }
  for (const Fault& fault : scenario_.faults) {
    if (fault.from_slot == slot && fault.until_slot > slot) Apply(fault, /*begins=*/true);
  }
  if (slot + scenario_.calm_slots == scenario_.slots) {
    fabric_.SetQuality(LinkQuality());
  }
}

void Simulation::Look(size_t node) {
  Node& each = nodes_[node];
  if (each.beacon == nullptr) return;
  if (each.recorder != nullptr) each.recorder->Write();
  each.beacon->chain().Read([&](const beacon::LeanChain& chain) {
    if (chain.head() != each.head) {
      each.head = chain.head();
      digest_.Add(static_cast<uint64_t>(loop_.now()));
      digest_.Add(node);
      digest_.Add(each.head);
    }
    if (chain.finalized() == each.finalized) return;
    each.finalized = chain.finalized();
    digest_.Add(node);
    digest_.Add(each.finalized);
    if (safe_ && each.honest) invariants_.CheckFinality(node, chain, NowSlot());
  });
}

std::vector<size_t> Simulation::HonestNodes() const {
  std::vector<size_t> honest;
  for (size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].honest && nodes_[node].beacon != nullptr) honest.push_back(node);
  }
  return honest;
}

void Simulation::EndSlot(uint64_t slot) {
  digest_.Add(loop_.events());
  for (Node& each : nodes_) {
    if (each.recorder != nullptr && slot % kRecordEvery == 0) each.recorder->Save();
    if (!each.down) each.finalized_before = {each.finalized_before.back(), each.finalized.slot};
  }
  const std::vector<size_t> honest = HonestNodes();
  for (const size_t node : honest) {
    invariants_.CheckMemory(node, nodes_[node].beacon->chain(), slot);
    const SimulatedClient* client = nodes_[node].client.get();
    if (client == nullptr || client->ended().ok()) continue;
    invariants_.Violate(Rule::kClient, slot,
                        absl::StrCat("the client of node ", node, " has ended: ", client->ended().ToString()));
  }
  if (slot <= quiet_from_) outage_ = slot - std::min(slot, invariants_.finalized_slot());
  if (!safe_ || slot < quiet_from_) return;
  if (slot >= quiet_from_ + kQuietBeforeHeads) CheckHeads(slot);
  if (slot < quiet_from_ + RecoverySlots(outage_)) return;
  for (const size_t node : honest) {
    const uint64_t finalized = nodes_[node].finalized.slot;
    if (finalized + MaxFinalityLag(!scenario_.DishonestNodes().empty()) >= slot) continue;
    invariants_.Violate(Rule::kLiveness, slot,
                        absl::StrCat("node ", node, " has finalized slot ", finalized, " ", slot - quiet_from_,
                                     " slots after the last fault; sync: ", nodes_[node].beacon->sync().message));
  }
}

void Simulation::CheckHeads(uint64_t slot) {
  // A dishonest proposer may have shown its block to some.
  for (const size_t node : scenario_.DishonestNodes()) {
    const std::vector<uint64_t> its = scenario_.ValidatorsOf(node);
    if (std::find(its.begin(), its.end(), slot % scenario_.validators) != its.end()) return;
  }
  std::map<Root, size_t> heads;
  for (const size_t node : HonestNodes()) heads[nodes_[node].head.root] = node;
  if (heads.size() <= 1) return;
  std::string what = absl::StrCat(slot - quiet_from_, " slots after the last fault, heads differ:");
  for (const auto& [root, node] : heads) {
    absl::StrAppend(&what, " node ", node, " has ", ShortHex(root.span()), " of slot ", nodes_[node].head.slot, ";");
  }
  invariants_.Violate(Rule::kHeads, slot, what);
}

}  // namespace

RunResult Run(const Scenario& scenario, const RunOptions& options) { return Simulation(scenario, options).Run(); }

}  // namespace lean::simulation
