#include "tests/beacon/storage/stored_chain.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "beacon/chain/builders.h"
#include "beacon/chain/state_transition.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "spdlog/sinks/null_sink.h"

namespace lean::beacon {
namespace {

constexpr int64_t kSlotMs = 400;

std::shared_ptr<spdlog::logger> SilentLog() {
  return std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
}

}  // namespace

Genesis StorageTestGenesis(size_t validators, uint64_t genesis_time) {
  GenesisConfig config{.genesis_time = genesis_time, .active_epoch = 0, .validators = {}};
  config.validators.resize(validators);
  for (size_t i = 0; i < validators; ++i) config.validators[i].data[0] = static_cast<uint8_t>(i);
  return MakeGenesis(config).value();
}

absl::StatusOr<std::unique_ptr<StoredChain>> StoredChain::Open(const Genesis& genesis,
                                                               const StoredChainOptions& options) {
  ChainDatabase::MakeAnchor make_anchor;
  if (options.anchor.has_value()) make_anchor = [&options] { return *options.anchor; };
  ASSIGN_OR_RETURN(auto database, ChainDatabase::OpenOrCreate({.path = options.folder,
                                                               .network = "test",
                                                               .direct_bytes = options.direct_bytes,
                                                               .direct_files = options.direct_files,
                                                               .env = options.env},
                                                              genesis, make_anchor));
  ASSIGN_OR_RETURN(RestoredChain restored, RestoreChain(*database, RealClock(), *SilentLog()));
  return std::unique_ptr<StoredChain>(new StoredChain(genesis, std::move(database), std::move(restored), options));
}

StoredChain::StoredChain(const Genesis& genesis, std::unique_ptr<ChainDatabase> database, RestoredChain restored,
                         const StoredChainOptions& options)
    : database_(std::move(database)),
      restored_(std::move(restored)),
      chain_(std::move(restored_.chain)),
      seen_votes_(genesis.state->validators.size()),
      log_(SilentLog()),
      slots_(genesis.state->config.genesis_time, kSlotMs),
      clock_(slots_.StartMs(static_cast<int64_t>(chain_.current_slot()), kIntervalsPerSlot - 1)),
      storage_(std::make_unique<StorageService>(*database_, disk_clock_, log_, options.storage)),
      writer_(std::make_unique<ChainWriter>(
          ChainWriterContext{
              .chain = chain_,
              .mutex = mutex_,
              .seen_votes = seen_votes_,
              .outbound = outbound_,
              .clock = clock_,
              .slot_clock = slots_,
              .log = log_,
              .observer = storage_.get(),
              .want_state = [this](const WantedState& wanted) { wanted_states_.push_back(wanted.root); }},
          ChainWriterOptions{.waiting = {}, .prune = options.prune})),
      sign_randomly_(options.sign_randomly),
      spread_absent_(options.spread_absent) {
  storage_->Start();
  writer_->CatchUp();
  GiveStates();
}

StoredChain::~StoredChain() { storage_->Stop(); }

void StoredChain::GoTo(uint64_t slot, uint64_t interval) {
  const int64_t target = slots_.StartMs(static_cast<int64_t>(slot), static_cast<uint32_t>(interval));
  if (target > clock_.WallMs()) clock_.Advance(std::chrono::milliseconds(target - clock_.WallMs()));
  writer_->CatchUp();
  GiveStates();
}

void StoredChain::GiveStates() {
  for (const Root& root : std::exchange(wanted_states_, {})) {
    if (chain_.StateOf(root) != nullptr) continue;
    storage_->Flush();
    const std::optional<Branch> branch = chain_.BranchOf(root);
    ASSERT_TRUE(branch.has_value());
    const absl::StatusOr<StatePtr> state = database_->Rebuild(*branch);
    EXPECT_TRUE(state.ok()) << state.status();
    ++rebuilt_;
    writer_->AddState(root, state);
  }
}

SignatureBytes StoredChain::NewSignature() {
  SignatureBytes signature;
  if (sign_randomly_) {
    for (size_t i = 0; i < signature.data.size(); ++i) {
      // Words of 31 bits, as field elements are.
      signature.data[i] = static_cast<uint8_t>(random_()) & (i % 4 == 3 ? 0x7f : 0xff);
    }
  }
  return signature;
}

SubmitOutcome StoredChain::Import(const SignedBlockPtr& block) {
  SubmitOutcome outcome = writer_->ImportBlock(block, ssz::HashTreeRoot(block->message.block), Origin::Local());
  GiveStates();
  if (outcome.status == SubmitOutcome::kQueued && chain_.HasBlock(outcome.root)) {
    outcome.status = SubmitOutcome::kAccepted;
  }
  return outcome;
}

bool StoredChain::IsPresent(uint64_t validator, uint64_t present) const {
  // Each residue occurs equally often, so that `present` validators of the registry are below it.
  return spread_absent_ ? validator * present % chain_.validator_count() < present : validator < present;
}

void StoredChain::RunSlot(uint64_t slot, uint64_t present) {
  const size_t validators = chain_.validator_count();
  GoTo(slot, 0);
  const uint64_t proposer = ProposerOf(slot, validators);
  const bool proposes = IsPresent(proposer, present);
  if (proposes) Propose(slot);
  GoTo(slot, 1);
  const AttestationData data = BuildVote(chain_.PrepareVote(slot).value(), slot);
  Vote(data, present, proposes ? std::optional(proposer) : std::nullopt);
  GoTo(slot, 3);
}

void StoredChain::Vote(const AttestationData& data, uint64_t present, std::optional<uint64_t> except) {
  std::vector<SignedVotePtr> votes;
  std::vector<Root> roots;
  for (uint64_t validator = 0; validator < chain_.validator_count(); ++validator) {
    if (validator == except || !IsPresent(validator, present)) continue;
    votes.push_back(std::make_shared<const SignedAttestation>(
        SignedAttestation{.message = {.validator_id = validator, .data = data}, .signature = NewSignature()}));
    roots.push_back(ssz::HashTreeRoot(votes.back()->message));
  }
  writer_->ImportVotes(votes, roots, Origin::Local());
}

void StoredChain::VoteFor(const Checkpoint& head, uint64_t slot) {
  AttestationData data = BuildVote(chain_.PrepareVote(slot).value(), slot);
  data.head = head;
  Vote(data, chain_.validator_count(), std::nullopt);
}

void StoredChain::Propose(uint64_t slot) {
  const BuiltBlock built =
      BuildBlock(chain_.PrepareProposal(slot).value(), slot, ProposerOf(slot, chain_.validator_count())).value();
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message = {.block = built.block, .proposer_attestation = built.proposer_attestation};
  std::vector<SignatureBytes> signatures = built.signatures;
  signatures.push_back(NewSignature());
  block->signature = BlockSignatures::FromVector(std::move(signatures)).value();
  const SubmitOutcome outcome = Import(block);
  EXPECT_EQ(outcome.status, SubmitOutcome::kAccepted) << outcome.message;
}

Root StoredChain::AddOrphan(uint64_t slot, const Root& parent) {
  StatePtr held = chain_.StateOf(parent);
  if (held == nullptr) {
    storage_->Flush();
    held = database_->Rebuild(chain_.BranchOf(parent).value()).value();
  }
  const State& parent_state = *held;
  const size_t validators = parent_state.validators.size();
  auto orphan = std::make_shared<SignedBlockWithAttestation>();
  Block& block = orphan->message.block;
  block.slot = slot;
  block.proposer_index = ProposerOf(slot, validators);
  block.parent_root = parent;
  block.state_root =
      ssz::HashTreeRoot(ProcessSlotsAndBlock(parent_state, block, ssz::HashTreeRoot(block.body)).value());
  const Root root = ssz::HashTreeRoot(block);
  orphan->message.proposer_attestation = {
      .validator_id = block.proposer_index,
      .data = {.slot = slot, .head = {root, slot}, .target = chain_.justified(), .source = chain_.justified()}};
  orphan->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(1)).value();
  const SubmitOutcome outcome = Import(orphan);
  EXPECT_EQ(outcome.status, SubmitOutcome::kAccepted) << outcome.message;
  return root;
}

uint64_t BytesOfFiles(const std::string& folder, absl::string_view ending) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::error_code deleted;
    const uint64_t size = entry.is_regular_file(deleted) ? entry.file_size(deleted) : 0;
    if (!deleted && absl::EndsWith(entry.path().native(), ending)) bytes += size;
  }
  return bytes;
}

}  // namespace lean::beacon
