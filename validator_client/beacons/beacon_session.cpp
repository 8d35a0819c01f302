#include "validator_client/beacons/beacon_session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/bytes/bytes.h"
#include "common/clock/slot_clock.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// Later than the end of any network, and small enough that milliseconds do not overflow.
constexpr int64_t kMaxTimeMs = int64_t{1} << 46;
constexpr int64_t kRepeatMs = 60'000;
constexpr char kSyncing[] = "SYNCING";

// InvalidArgument means that the registry lacks a key, and ends the client. A beacon that refuses the call itself has
// said no such thing.
template <typename Answer>
absl::StatusOr<Answer> RefusedCall(absl::StatusOr<Answer> answer) {
  if (!absl::IsInvalidArgument(answer.status())) return answer;
  return absl::FailedPreconditionError(absl::StrCat("the beacon refuses the call: ", answer.status().message()));
}

// Prevents an overflow of differences between times.
absl::Status CheckUnixTime(int64_t time_ms) {
  if (time_ms >= 0 && time_ms <= kMaxTimeMs) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("the beacon's clock shows %d ms, which is no Unix time", time_ms));
}

}  // namespace

BeaconSession::BeaconSession(BeaconClient& client, ExpectedNetwork expected, std::vector<RegisteredKey> keys,
                             std::shared_ptr<spdlog::logger> logger)
    : client_(client),
      expected_(std::move(expected)),
      logger_(std::move(logger)),
      network_(expected_.network),
      ready_(absl::UnknownError("no answer from the beacon yet")) {
  SetKeys(std::move(keys));
}

void BeaconSession::SetKeys(std::vector<RegisteredKey> keys) {
  keys_ = std::move(keys);
  pubkeys_.clear();
  for (const RegisteredKey& key : keys_) pubkeys_.push_back(key.pubkey);
}

absl::Status BeaconSession::CheckRegistered(const RegisteredKey& key, uint64_t slot,
                                            std::chrono::milliseconds timeout) {
  if (network_.has_value() && network_->genesis_checked()) {
    return CheckInRegistry(*network_->registry, "the network", key);
  }
  ASSIGN_OR_RETURN(const DutiesAnswer answer, RefusedCall(client_.GetDuties({key.pubkey}, slot, timeout)));
  RETURN_IF_ERROR(CheckNetwork(answer));
  return CheckRegistry(answer, {key});
}

BeaconSession::Reading BeaconSession::Ask(uint64_t slot, std::chrono::milliseconds timeout, const NowMs& now_ms) const {
  // Both calls share the timeout.
  const bool needs_registry = !network_.has_value() && expected_.genesis_block_root.has_value();
  const std::chrono::milliseconds call_timeout = needs_registry ? timeout / 2 : timeout;
  const int64_t sent_ms = now_ms();
  Reading reading{RefusedCall(client_.GetDuties(pubkeys_, slot, call_timeout)), sent_ms, 0};
  reading.received_ms = now_ms();
  if (needs_registry && reading.answer.ok()) reading.registry = RefusedCall(client_.GetRegistry(call_timeout));
  return reading;
}

absl::Status BeaconSession::Judge(const Reading& reading, uint64_t slot) {
  clock_offset_ms_.reset();
  SetReady(reading.answer.ok() ? JudgeAnswer(reading, slot) : reading.answer.status(), reading.received_ms);
  return ready_;
}

void BeaconSession::Pin(const NetworkIdentity& network) {
  if (!network_.has_value()) network_ = network;
}

void BeaconSession::MarkFailed(const absl::Status& status) { SetReady(status); }

absl::Status BeaconSession::CheckTime(int64_t beacon_ms, int64_t our_ms) const {
  if (!network_.has_value()) return absl::FailedPreconditionError("no network is known yet");
  RETURN_IF_ERROR(CheckUnixTime(beacon_ms));
  const SlotClock slots(network_->genesis_time, network_->slot_duration_ms);
  const int64_t theirs = slots.At(beacon_ms).slot;
  const int64_t ours = slots.At(our_ms).slot;
  if (std::abs(theirs - ours) <= 1) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "the beacon's clock is in slot %d, ours in slot %d: nothing is signed until they agree", theirs, ours));
}

absl::Status BeaconSession::LearnNetwork(const Reading& reading) {
  const DutiesAnswer& answer = *reading.answer;
  if (reading.registry.has_value()) {
    ASSIGN_OR_RETURN(network_, CheckGenesis(answer, *reading.registry));
  } else {
    RETURN_IF_ERROR(CheckRegistry(answer, keys_));
    network_ = NetworkNamedBy(answer);  // of our slot duration, CheckNetwork saw to it
  }
  logger_->info("network learned beacon={} genesis={} genesis_time={} slot_ms={} validators={} checked={}",
                client_.name(), ShortHex(network_->genesis_block_root.span()), network_->genesis_time,
                network_->slot_duration_ms, network_->validator_count, network_->genesis_checked());
  return absl::OkStatus();
}

absl::StatusOr<NetworkIdentity> BeaconSession::CheckGenesis(const DutiesAnswer& answer,
                                                            const absl::StatusOr<Registry>& registry) const {
  RETURN_IF_ERROR(
      registry.status(),
      absl::Status(
          _.code(),
          absl::StrCat("cannot check --genesis-root without the beacon's registry (--genesis DIR does not need it): ",
                       _.message())));
  absl::StatusOr<NetworkIdentity> network =
      NetworkOfGenesis({.genesis_time = answer.genesis_time, .validators = *registry}, expected_.slot_duration_ms);
  if (!network.ok() || network->genesis_block_root != answer.genesis_block_root ||
      network->validator_count != answer.validator_count) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the beacon's genesis time %u and registry of %u validators do not give the genesis root it names",
        answer.genesis_time, registry->size()));
  }
  for (const RegisteredKey& key : keys_) {
    RETURN_IF_ERROR(CheckInRegistry(*registry, "--genesis-root", key));
  }
  return network;
}

absl::Status BeaconSession::JudgeAnswer(const Reading& reading, uint64_t slot) {
  const DutiesAnswer& answer = *reading.answer;
  on_network_ = false;
  RETURN_IF_ERROR(CheckNetwork(answer));
  if (!network_.has_value()) {
    RETURN_IF_ERROR(LearnNetwork(reading));
  }
  // The registry is known to have our keys: a beacon that lacks them is wrong.
  RETURN_IF_ERROR(CheckRegistry(answer, keys_), absl::FailedPreconditionError(_.message()));
  on_network_ = true;
  RETURN_IF_ERROR(CheckClock(answer, reading.sent_ms, reading.received_ms));
  RETURN_IF_ERROR(CheckHead(answer, reading.received_ms));
  head_slot_ = answer.head_slot;
  latency_ = std::chrono::milliseconds(reading.received_ms - reading.sent_ms);
  heard_slot_ = slot;
  if (const uint64_t proposer = slot % network_->validator_count; answer.proposer_index != proposer) {
    return absl::FailedPreconditionError(absl::StrFormat("the beacon names proposer %u for slot %u, expected %u",
                                                         answer.proposer_index, slot, proposer));
  }
  if (answer.synced) return absl::OkStatus();
  // Leaves out the beacon's message, which changes with each answer while it syncs: each change would be logged.
  if (answer.refusal.empty() || answer.refusal == kSyncing)
    return absl::FailedPreconditionError("the beacon is syncing");
  return absl::FailedPreconditionError(absl::StrFormat("the beacon serves no duties: %s: %s", Printable(answer.refusal),
                                                       Printable(answer.refusal_message)));
}

absl::Status BeaconSession::CheckNetwork(const DutiesAnswer& answer) const {
  const std::optional<Root> root =
      network_.has_value() ? std::optional<Root>(network_->genesis_block_root) : expected_.genesis_block_root;
  if (root.has_value() && answer.genesis_block_root != *root) {
    return absl::FailedPreconditionError(absl::StrFormat("the beacon has genesis %s, this client works for %s",
                                                         ToHex(answer.genesis_block_root.span()), ToHex(root->span())));
  }
  if (answer.slot_duration_ms != expected_.slot_duration_ms) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "WRONG_SPEC: slots of %u ms, %u here (%s): use a beacon of this network; if that one is right, give its "
        "network.yaml by --genesis, or --slot-ms %u",
        answer.slot_duration_ms, expected_.slot_duration_ms, expected_.slot_duration_origin, answer.slot_duration_ms));
  }
  if (answer.xmss_log_lifetime != expected_.xmss_log_lifetime) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "WRONG_SPEC: the beacon's network has keys of lifetime 2^%u, ours have 2^%u: use a beacon of our keys' "
        "network, or keys made for that one",
        answer.xmss_log_lifetime, expected_.xmss_log_lifetime));
  }
  if (answer.signature_form != expected_.signature_form) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "WRONG_SPEC: the beacon's network has signatures of form '%s', ours are '%s': use another beacon",
        Printable(answer.signature_form), expected_.signature_form));
  }
  if (answer.genesis_time > kMaxGenesisTime) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the beacon names the genesis time %u, which is no Unix time in seconds", answer.genesis_time));
  }
  if (answer.validator_count == 0 || answer.validator_count > kMaxGenesisValidators) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the beacon names a registry of %u validators, expected 1 to %u", answer.validator_count,
                        kMaxGenesisValidators));
  }
  if (!network_.has_value()) return absl::OkStatus();
  if (answer.genesis_time != network_->genesis_time || answer.validator_count != network_->validator_count) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the beacon has genesis time %u and %u validators, the network has %u and %u", answer.genesis_time,
        answer.validator_count, network_->genesis_time, network_->validator_count));
  }
  return absl::OkStatus();
}

absl::Status BeaconSession::CheckRegistry(const DutiesAnswer& answer, const std::vector<RegisteredKey>& keys) {
  if (answer.duties.size() != keys.size()) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the beacon answered for %u keys, asked for %u", answer.duties.size(), keys.size()));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    const RegisteredKey& key = keys[i];
    const DutiesAnswer::Duty& duty = answer.duties[i];
    if (key.index >= answer.validator_count) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: index %u is not in the beacon's registry of %u validators",
                                                        key.origin, key.index, answer.validator_count));
    }
    if (duty.known && std::find(duty.indices.begin(), duty.indices.end(), key.index) != duty.indices.end()) continue;
    if (!duty.known) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: the beacon's registry has another key at index %u, and %s "
                          "nowhere",
                          key.origin, key.index, ShortHex(key.pubkey.span())));
    }
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: the beacon's registry has another key at index %u, and %s at "
                        "%s",
                        key.origin, key.index, ShortHex(key.pubkey.span()), absl::StrJoin(duty.indices, ", ")));
  }
  return absl::OkStatus();
}

absl::Status BeaconSession::CheckClock(const DutiesAnswer& answer, int64_t sent_ms, int64_t received_ms) {
  RETURN_IF_ERROR(CheckUnixTime(answer.time_ms));
  // The beacon wrote the answer between sent_ms and received_ms. Only a time outside this range is a difference.
  int64_t offset = 0;
  if (answer.time_ms < sent_ms) offset = answer.time_ms - sent_ms;
  if (answer.time_ms > received_ms) offset = answer.time_ms - received_ms;
  clock_offset_ms_ = offset;
  const bool warn = std::abs(offset) > kClockWarning.count();
  if (warn && !clock_warned_) {
    logger_->warn("clocks differ beacon={} offset_ms={:+d}: check the time of both machines", client_.name(), offset);
  }
  if (!warn && clock_warned_) logger_->info("clocks agree again beacon={} offset_ms={:+d}", client_.name(), offset);
  clock_warned_ = warn;
  return CheckTime(answer.time_ms, answer.time_ms - offset);
}

absl::Status BeaconSession::CheckHead(const DutiesAnswer& answer, int64_t our_ms) const {
  // A head in the future would make all honest beacons appear to lag. Clocks may differ by one slot.
  const int64_t now = SlotClock(network_->genesis_time, network_->slot_duration_ms).At(our_ms).slot;
  const uint64_t latest = static_cast<uint64_t>(std::max<int64_t>(now + 1, 0));
  if (answer.head_slot <= latest) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("the beacon names a head of slot %u, it is slot %d now", answer.head_slot, now));
}

void BeaconSession::SetReady(absl::Status status, std::optional<int64_t> now_ms) {
  if (status == ready_) {
    if (status.ok() || !now_ms.has_value() || std::abs(*now_ms - reported_ms_) < kRepeatMs) return;
    logger_->warn("beacon still not usable beacon={} reason=\"{}\"", client_.name(), StatusText(status));
    reported_ms_ = *now_ms;
    return;
  }
  reported_ms_ = now_ms.value_or(reported_ms_);
  if (status.ok()) {
    logger_->info("beacon ready beacon={} genesis={}", client_.name(), ShortHex(network_->genesis_block_root.span()));
  } else {
    logger_->warn("beacon not usable beacon={} reason=\"{}\"", client_.name(), StatusText(status));
  }
  ready_ = std::move(status);
}

}  // namespace lean::validator
