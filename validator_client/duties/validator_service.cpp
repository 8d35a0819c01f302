#include "validator_client/duties/validator_service.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{250};
constexpr std::chrono::milliseconds kLastRetry{4000};
constexpr std::chrono::milliseconds kFirstContactTimeout{2000};  // while no slot gives a deadline

uint64_t AtLeastZero(int64_t slot) { return static_cast<uint64_t>(std::max<int64_t>(slot, 0)); }

}  // namespace

ValidatorService::ValidatorService(Clock& clock, BeaconPool& beacons, ForeignVotes& votes, LiveKeys& keys,
                                   const StartOptions& start, uint64_t seed, ValidatorMetrics& metrics,
                                   std::shared_ptr<spdlog::logger> logger)
    : clock_(clock),
      beacons_(beacons),
      votes_(votes),
      keys_(keys),
      start_(start),
      backoff_(kFirstRetry, kLastRetry, seed),
      metrics_(metrics),
      logger_(std::move(logger)) {}

ValidatorService::Work::Work(ValidatorService& service, const NetworkIdentity& network)
    : timer(service.clock_, SlotClock(network.genesis_time, network.slot_duration_ms)),
      // Restored or copied records may lack a signature of the current slot.
      duties(service.beacons_, service.keys_.signer(), timer, AtLeastZero(timer.Now().slot + 1), service.metrics_,
             service.logger_),
      admission(service.beacons_, service.votes_, service.keys_, service.start_, service.logger_),
      watch(service.votes_, service.keys_, service.logger_) {
  service.MakeGuard(*this, service.start_);
}

void ValidatorService::MakeGuard(Work& work, const StartOptions& options) {
  // Public keys only: the secret of a key is wiped when it is removed.
  std::vector<PublicKeyBytes> pubkeys;
  const KeySetPtr keys = keys_.signer().keys();
  for (const ValidatorKey& key : keys->all()) pubkeys.push_back(key.key->pubkey());
  work.guard.emplace(
      beacons_, votes_, keys_.signer(), [this, pubkeys = std::move(pubkeys)] { return Remaining(pubkeys); },
      work.timer.Now(), options, logger_);
}

absl::Status ValidatorService::Run() {
  bool running = true;
  while (running) {
    ASSIGN_OR_RETURN(const SteadyTime next, Step());
    running = clock_.WaitUntil(next);
  }
  if (work_ == nullptr) return absl::OkStatus();
  work_->duties.LogTimes();
  logger_->info("duties end slot={}", work_->timer.Now().slot);
  return absl::OkStatus();
}

absl::StatusOr<SteadyTime> ValidatorService::Step() {
  if (work_ == nullptr) {
    if (!beacons_.network().has_value()) {
      const absl::Status status = beacons_.Probe(0, kFirstContactTimeout, [this] { return clock_.WallMs(); });
      if (status.code() == absl::StatusCode::kInvalidArgument) return status;
    }
    if (!beacons_.network().has_value()) return clock_.Steady() + backoff_.Next();
    backoff_.Reset();
    RETURN_IF_ERROR(Begin());
  } else if (const std::optional<SlotTimer::Wake> wake = work_->timer.Due(NextAttempt()); wake.has_value()) {
    if (wake->kind == SlotTimer::Wake::Kind::kEarly) {
      Probe(wake->time.slot, work_->timer.UntilNextInterval(), work_->timer);
    } else {
      OnTick(*wake);
    }
    RETURN_IF_ERROR(GuardStart());
  }
  return work_->timer.NextAt(NextAttempt());
}

std::optional<SteadyTime> ValidatorService::NextAttempt() const {
  return beacons_.ready().ok() ? std::nullopt : std::optional(next_attempt_);
}

absl::Status ValidatorService::Begin() {
  const NetworkIdentity& network = *beacons_.network();
  work_ = std::make_unique<Work>(*this, network);
  const SlotTimer& timer = work_->timer;
  if (network.genesis_checked()) keys_.signer().limit().TrustGenesis(timer.slots());
  const int64_t slot = timer.Now().slot;
  const uint64_t first_slot = AtLeastZero(slot + 1);
  logger_->info("duties begin validators={} slot={} first_slot={}", keys_.signer().keys()->size(), slot, first_slot);
  if (slot < 0) {
    logger_->info(
        "waiting for genesis until={} seconds={}: duties begin with slot 0",
        absl::FormatTime(absl::FromUnixSeconds(static_cast<int64_t>(network.genesis_time)), absl::UTCTimeZone()),
        timer.Until(0, 0) / std::chrono::seconds(1));
  }
  PrepareKeys(first_slot);
  next_attempt_ = clock_.Steady();
  return GuardStart();
}

absl::Status ValidatorService::GuardStart() {
  Work& work = *work_;
  ASSIGN_OR_RETURN(const std::vector<StartGuard::Refused> refused,
                   work.guard->Step(work.timer.Now(), work.timer.UntilNextInterval() / 2));
  for (const StartGuard::Refused& key : refused) work.watch.Stop(key.key, key.why);
  return work.watch.KeysLeft();
}

std::vector<ValidatorKey> ValidatorService::Remaining(const std::vector<PublicKeyBytes>& pubkeys) const {
  const KeySetPtr now = keys_.signer().keys();
  std::vector<ValidatorKey> remaining;
  for (const PublicKeyBytes& pubkey : pubkeys) {
    if (const ValidatorKey* key = now->Find(pubkey); key != nullptr) remaining.push_back(*key);
  }
  return remaining;
}

bool ValidatorService::HasMissedTooMuch(const SlotTimer::Wake& wake) const {
  if (wake.missed == 0) return false;
  const SlotClock& slots = work_->timer.slots();
  const auto missed = static_cast<int64_t>(wake.missed);
  const int64_t last_tick_ms = slots.StartMs(wake.time.slot, wake.time.interval) -
                               (missed + 1) * static_cast<int64_t>(slots.interval_duration_ms());
  const bool began_before_genesis = last_tick_ms < slots.genesis_ms();
  if (began_before_genesis) return wake.time.slot > 0;
  return missed * static_cast<int64_t>(slots.interval_duration_ms()) > std::chrono::milliseconds(kLongestGap).count();
}

void ValidatorService::ShowBeacons() {
  const std::optional<size_t> best = beacons_.best();
  for (size_t i = 0; i < beacons_.size(); ++i) {
    const BeaconSession& beacon = beacons_.session(i);
    const metrics::Labels labels = {{"beacon", beacon.client().name()}};
    metrics_.beacon_ready.Set(beacon.ready().ok() ? 1 : 0, labels);
    metrics_.beacon_in_use.Set(best == i ? 1 : 0, labels);
    metrics_.beacon_head_slot.Set(static_cast<double>(beacon.head_slot()), labels);
    metrics_.beacon_latency.Set(static_cast<double>(beacon.latency().count()) / 1000, labels);
    if (const std::optional<int64_t> offset_ms = beacon.clock_offset_ms(); offset_ms.has_value()) {
      metrics_.beacon_clock_offset.Set(static_cast<double>(*offset_ms) / 1000, labels);
    }
  }
}

void ValidatorService::ShowKeys(uint64_t slot) {
  std::map<LiveKeys::State, size_t> states;
  std::set<uint64_t> shown;
  for (const LiveKeys::Entry& entry : keys_.List()) {
    ++states[entry.state];
    const uint64_t end = entry.key.key->active_slots().end;
    metrics_.key_slots_left.Set(static_cast<double>(end > slot ? end - slot : 0),
                                {{"validator", std::to_string(entry.key.index)}});
    shown.insert(entry.key.index);
  }
  metrics_.validators.Set(static_cast<double>(shown.size()));
  metrics_.keys.Set(static_cast<double>(states[LiveKeys::State::kActive]), {{"state", "active"}});
  metrics_.keys.Set(static_cast<double>(states[LiveKeys::State::kWaiting]), {{"state", "waiting"}});
  metrics_.keys.Set(static_cast<double>(states[LiveKeys::State::kRefused]), {{"state", "refused"}});
  for (const uint64_t index : shown_keys_) {
    if (!shown.contains(index)) metrics_.key_slots_left.Remove({{"validator", std::to_string(index)}});
  }
  shown_keys_ = std::move(shown);
}

void ValidatorService::PrepareKeys(uint64_t slot) {
  ShowKeys(slot);
  keys_.preparer().Check(slot, std::chrono::milliseconds(static_cast<int64_t>(beacons_.network()->slot_duration_ms)));
}

void ValidatorService::OnTick(const SlotTimer::Wake& wake) {
  SlotTimer& timer = work_->timer;
  Duties& duties = work_->duties;
  metrics_.slot.Set(static_cast<double>(wake.time.slot));
  if (wake.missed > 0) {
    metrics_.missed_intervals.Add({}, static_cast<double>(wake.missed));
    logger_->error("intervals skipped missed={} slot={} interval={}: their duties are lost", wake.missed,
                   wake.time.slot, wake.time.interval);
    if (HasMissedTooMuch(wake)) {
      StartOptions options = start_;
      options.resumed = false;
      MakeGuard(*work_, options);
      duties.BeginAt(AtLeastZero(wake.time.slot + 1));
    }
  }
  WarnOfWallJump(timer);
  const int64_t slot = wake.time.slot;
  switch (wake.time.interval) {
    case 0:
    case 1: {
      if (slot < 0 || !work_->guard->admitted()) break;
      const bool proposing = wake.time.interval == 0;
      const uint64_t duty_slot = static_cast<uint64_t>(slot);
      if (proposing && !duties.HasProposal(duty_slot)) break;
      // If no beacon is ready, probes all of them briefly before the duty.
      if (!beacons_.ready().ok()) Probe(slot, timer.UntilNextInterval() / 4, timer);
      if (proposing) {
        duties.Propose(duty_slot);
      } else {
        duties.Vote(duty_slot);
      }
      if (!beacons_.ready().ok() && next_attempt_ <= clock_.Steady()) PlanNextAttempt(backoff_.Next());
      break;
    }
    case 2:
      PrepareKeys(AtLeastZero(slot + 1));
      // Ends before the probe of interval 3, which is for the next duties.
      work_->admission.Step(timer.Now(), [&timer, slot] { return timer.Until(slot, 3) / 2; });
      break;
    default:
      // In the quiet part of the slot. Ends before the next duty, so that a beacon that hangs does not delay it.
      Probe(slot + 1, timer.UntilNextInterval() / 2, timer);
      beacons_.SettleClaims(timer.UntilNextInterval() / 2);
      if (beacons_.ready().ok()) work_->watch.Step(timer.Now(), timer.UntilNextInterval() / 2);
      break;
  }
}

void ValidatorService::Probe(int64_t slot, std::chrono::milliseconds timeout, SlotTimer& timer) {
  const auto now_ms = [&timer] { return timer.NowMs(); };
  beacons_.Probe(AtLeastZero(slot), timeout, now_ms).IgnoreError();
  ShowBeacons();
  const bool followed = FollowWallIfBeaconAgrees(timer);
  if (beacons_.ready().ok()) {
    backoff_.Reset();
  } else {
    // Probes again at once, since the last answer was judged by the wrong time.
    PlanNextAttempt(followed ? Backoff::Delay(0) : backoff_.Next());
  }
}

void ValidatorService::PlanNextAttempt(Backoff::Delay delay) { next_attempt_ = clock_.Steady() + delay; }

bool ValidatorService::FollowWallIfBeaconAgrees(SlotTimer& timer) {
  const int64_t drift_ms = timer.WallDriftMs();
  const std::optional<int64_t> offset_ms = beacons_.clock_offset_ms();
  if (std::abs(drift_ms) <= kClockWarning.count() || !offset_ms.has_value()) return false;
  if (std::abs(*offset_ms - drift_ms) > kClockWarning.count()) return false;
  timer.FollowWall();
  wall_jump_reported_ = false;
  logger_->warn("wall clock followed jumped_ms={:+d} slot={}: the beacon's clock agrees with it", drift_ms,
                timer.Now().slot);
  return true;
}

void ValidatorService::WarnOfWallJump(const SlotTimer& timer) {
  const int64_t drift_ms = timer.WallDriftMs();
  const bool jumped = std::abs(drift_ms) > kClockWarning.count();
  if (jumped && !wall_jump_reported_) {
    logger_->warn(
        "wall clock jumped by_ms={:+d}: slots follow the steady clock until the beacon's clock agrees with the wall "
        "clock",
        drift_ms);
  }
  wall_jump_reported_ = jumped;
}

}  // namespace lean::validator
