#include "tests/beacon/rpc/test_beacon.h"

#include <thread>
#include <utility>

#include "common/crypto/xmss/keys/key_generation.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/convert.h"
#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "spdlog/sinks/null_sink.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kSignedSlots = 32;

std::shared_ptr<spdlog::logger> SilentLog() {
  return std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
}

NetworkSpec TestSpec() {
  NetworkSpec spec;
  spec.name = "test";
  spec.xmss_log_lifetime = 8;
  return spec;
}

// One key for all tests of the process: it takes a while to make.
const xmss::SecretKey& TestKey() {
  static const auto* const key = [] {
    SeededRandomSource random(7);
    auto scheme = crypto::SignatureScheme::Create(TestSpec());
    return new xmss::SecretKey(*xmss::GenerateKey(scheme->xmss(), {0, kSignedSlots}, random));
  }();
  return *key;
}

Genesis TestGenesis(size_t validators, const PublicKeyBytes& pubkey) {
  GenesisConfig config;
  config.genesis_time = kGenesisTime;
  config.validators.assign(validators, pubkey);
  return *MakeGenesis(config);
}

}  // namespace

TestBeacon::TestBeacon(const TestBeaconOptions& options)
    : spec_(TestSpec()),
      scheme_(*crypto::SignatureScheme::Create(spec_)),
      pubkey_(*scheme_.PublicKeyOf(TestKey())),
      genesis_(TestGenesis(options.validators, pubkey_)),
      clock_(static_cast<int64_t>(kGenesisTime) * 1000),
      outbound_(1024) {
  auto chain = LeanChain::FromAnchor(genesis_.state, genesis_.block);
  EXPECT_TRUE(chain.ok()) << chain.status();
  if (options.prepare) options.prepare(*chain);
  const SlotClock slots(kGenesisTime, spec_.slot_duration_ms);
  service_ = std::make_unique<ChainService>(
      *std::move(chain),
      std::make_unique<SignatureVerifier>(scheme_, genesis_.state->validators, SignatureVerifierOptions()),
      ChainServiceContext{.clock = clock_,
                          .slot_clock = slots,
                          .outbound = outbound_,
                          .log = SilentLog(),
                          .observer = options.observer,
                          .events = &events_},
      ChainServiceOptions());
  service_->Start();
  blocks_ = std::make_unique<MemoryBlockSource>(*service_);
  auto rpc = RpcService::Start(
      {.service = *service_,
       .blocks = *blocks_,
       .clock = clock_,
       .slots = slots,
       .spec = spec_,
       .genesis = genesis_,
       .sync = options.sync,
       .events = events_,
       .peers = options.peers,
       .kept = options.kept},
      {.node_name = "test-beacon", .server = {.address = "127.0.0.1:0", .tls = {}, .log = SilentLog()}});
  EXPECT_TRUE(rpc.ok()) << rpc.status();
  rpc_ = *std::move(rpc);
  channel_ = *rpc::MakeChannel(rpc_->address().ToString());
  queries_ = v1::BeaconService::NewStub(channel_);
  duties_ = v1::DutyService::NewStub(channel_);
}

TestBeacon::~TestBeacon() {
  rpc_->Stop();
  clock_.Interrupt();
  service_->Stop();
}

void TestBeacon::GoTo(uint64_t slot, uint32_t interval) {
  const SlotClock slots(kGenesisTime, spec_.slot_duration_ms);
  const int64_t target_ms = slots.StartMs(static_cast<int64_t>(slot), interval);
  clock_.AwaitWaiters(1);  // the service's ticker has read the time before it moves
  clock_.Advance(std::chrono::milliseconds(target_ms - clock_.WallMs()));
  const uint64_t intervals = slot * kIntervalsPerSlot + interval;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (service_->Read([](const LeanChain& chain) { return chain.time_intervals(); }) < intervals) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "the chain's time does not follow the clock";
    std::this_thread::yield();
  }
}

SignatureBytes TestBeacon::Sign(const Attestation& vote) const {
  auto signature = scheme_.Sign(TestKey(), vote.data.slot, ssz::HashTreeRoot(vote));
  EXPECT_TRUE(signature.ok()) << signature.status();
  return *signature;
}

v1::BuildBlockRequest TestBeacon::BlockRequest(uint64_t slot) const {
  v1::BuildBlockRequest request;
  request.set_slot(slot);
  request.set_proposer_index(slot % genesis_.state->validators.size());
  request.set_genesis_block_root(rpc::BytesToProto(genesis_.block_root));
  return request;
}

v1::BuildVoteRequest TestBeacon::VoteRequest(uint64_t slot) const {
  v1::BuildVoteRequest request;
  request.set_slot(slot);
  request.set_genesis_block_root(rpc::BytesToProto(genesis_.block_root));
  return request;
}

Root TestBeacon::Propose(uint64_t slot) {
  const auto built = Call(*duties_, &v1::DutyService::Stub::BuildBlock, BlockRequest(slot));
  EXPECT_TRUE(built.status.ok()) << built.status;
  v1::SubmitBlockRequest request;
  v1::SignedBlock& block = *request.mutable_block();
  *block.mutable_block() = built.response.block();
  *block.mutable_proposer_attestation() = built.response.proposer_attestation();
  *block.mutable_signatures() = built.response.attestation_signatures();
  const auto proposer_vote = rpc::FromProto(built.response.proposer_attestation());
  EXPECT_TRUE(proposer_vote.ok()) << proposer_vote.status();
  block.add_signatures(rpc::BytesToProto(Sign(*proposer_vote)));
  const auto submitted = Call(*duties_, &v1::DutyService::Stub::SubmitBlock, request);
  EXPECT_TRUE(submitted.status.ok()) << submitted.status;
  EXPECT_EQ(submitted.response.result().status(), v1::ACCEPTED) << submitted.response.DebugString();
  Root root;
  std::copy(submitted.response.root().begin(), submitted.response.root().end(), root.data.begin());
  return root;
}

v1::SignedAttestation TestBeacon::Vote(uint64_t slot, uint64_t validator) {
  const auto built = Call(*duties_, &v1::DutyService::Stub::BuildVote, VoteRequest(slot));
  EXPECT_TRUE(built.status.ok()) << built.status;
  const auto data = rpc::FromProto(built.response.data());
  EXPECT_TRUE(data.ok()) << data.status();
  const Attestation vote{validator, *data};
  return rpc::ToProto(SignedAttestation{vote, Sign(vote)});
}

void TestBeacon::AwaitNoCalls() {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (rpc_->active_calls() != 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_EQ(rpc_->active_calls(), 0);
}

}  // namespace lean::beacon
