#include "validator_client/beacons/beacon_pool.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "validator_client/beacons/beacon_calls.h"

namespace lean::validator {
namespace {

// A beacon is slow when its answer about duties takes longer than this part of a slot.
constexpr int64_t kSlowPartOfSlot = 8;

}  // namespace

BeaconPool::BeaconPool(const std::vector<BeaconClient*>& clients, const ExpectedNetwork& expected,
                       const std::vector<RegisteredKey>& keys, bool broadcast, RunTask run,
                       std::shared_ptr<spdlog::logger> logger)
    : standings_(clients.size()), broadcast_(broadcast), run_(std::move(run)), logger_(std::move(logger)) {
  sessions_.reserve(clients.size());
  for (BeaconClient* client : clients) {
    sessions_.push_back(std::make_unique<BeaconSession>(*client, expected, keys, logger_));
  }
}

absl::Status BeaconPool::Probe(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms) {
  const std::vector<BeaconSession::Reading> readings = AskAll(slot, timeout, now_ms);
  probed_slot_ = slot;
  std::vector<std::optional<NetworkIdentity>> named(readings.size());
  for (size_t i = 0; i < readings.size(); ++i) {
    if (readings[i].answer.ok()) named[i] = NetworkNamedBy(*readings[i].answer);
  }
  for (const size_t i : MostNamedFirst(named)) {
    sessions_[i]->Judge(readings[i], slot).IgnoreError();
    if (const std::optional<NetworkIdentity>& network = sessions_[i]->network(); network.has_value()) {
      for (const auto& session : sessions_) session->Pin(*network);
    }
  }
  if (network().has_value()) known_.Add({network()->genesis_block_root, 0});
  ForgetWhatOneSaid();
  ReportChoice();
  const bool all_lack_a_key = std::all_of(sessions_.begin(), sessions_.end(), [](const auto& session) {
    return session->ready().code() == absl::StatusCode::kInvalidArgument;
  });
  return all_lack_a_key ? sessions_.front()->ready() : ready();
}

std::vector<BeaconSession::Reading> BeaconPool::AskAll(uint64_t slot, Timeout timeout,
                                                       const BeaconSession::NowMs& now_ms) {
  using Reading = BeaconSession::Reading;
  const auto gathering = std::make_shared<Gathering<Reading>>(sessions_.size());
  for (size_t i = 0; i < sessions_.size(); ++i) {
    const bool runs = run_(i, [gathering, i, slot, timeout, &now_ms, session = sessions_[i].get()] {
      gathering->Put(i, session->Ask(slot, timeout, now_ms));
    });
    if (!runs) gathering->Put(i, Reading{BeaconIsBusy(), now_ms(), now_ms()});
  }
  // Waits for all calls, since they use objects of this function. All end within their timeout.
  const auto readings = gathering->Await(absl::InfiniteDuration(), [](const auto&) { return false; });
  std::vector<Reading> all;
  all.reserve(readings.size());
  for (const std::optional<Reading>& reading : readings) all.push_back(*reading);
  return all;
}

void BeaconPool::ForgetWhatOneSaid() {
  const std::optional<uint64_t> newest = known_.newest_unconfirmed();
  if (!newest.has_value()) return;
  const BeaconSession& other = *sessions_[1 - alone_];
  const bool as_far = other.ready().ok() && other.head_slot() >= *newest;
  if (as_far || probed_slot_ > alone_slot_ + kDisprovedSlots) known_.ForgetUnconfirmed();
}

void BeaconPool::SetKeys(const std::vector<RegisteredKey>& keys) {
  for (const auto& session : sessions_) session->SetKeys(keys);
}

absl::Status BeaconPool::CheckRegistered(const RegisteredKey& key, Timeout timeout) {
  const std::vector<BeaconSession*> usable = Usable();
  if (usable.empty()) return absl::UnavailableError("no beacon to ask");
  absl::Status verdict;
  for (BeaconSession* beacon : usable) {
    const absl::Status status =
        beacon->CheckRegistered(key, probed_slot_, timeout / static_cast<int64_t>(usable.size()));
    if (status.ok()) return status;
    if (verdict.ok() || absl::IsInvalidArgument(status)) verdict = status;
  }
  return verdict;
}

absl::Status BeaconPool::ready() const {
  BeaconErrors errors;
  for (const auto& session : sessions_) {
    if (network().has_value() && session->ready().ok()) return absl::OkStatus();
    errors.Add(*session, session->ready());
  }
  const absl::Status status = errors.Together(absl::OkStatus());
  // With several beacons, only Probe decides that all of them lack a key of ours.
  return sessions_.size() > 1 ? absl::UnavailableError(status.message()) : status;
}

absl::Status BeaconPool::Failure(const BeaconErrors& errors) const {
  const absl::Status none = ready();
  return errors.Together(none.ok() ? absl::DeadlineExceededError("no beacon answered in time") : none);
}

std::optional<int64_t> BeaconPool::clock_offset_ms() const {
  std::vector<int64_t> offsets;
  for (const auto& session : sessions_) {
    if (session->on_network() && session->clock_offset_ms().has_value()) offsets.push_back(*session->clock_offset_ms());
  }
  std::optional<int64_t> best;
  ptrdiff_t most = 0;
  for (const int64_t offset : offsets) {
    const ptrdiff_t alike = std::count_if(offsets.begin(), offsets.end(), [offset](int64_t other) {
      return std::abs(other - offset) <= kClockWarning.count();
    });
    if (alike <= most) continue;
    most = alike;
    best = offset;
  }
  return best;
}

BeaconOrder BeaconPool::Order() const {
  if (!network().has_value()) return {};
  std::vector<BeaconHealth> health;
  health.reserve(sessions_.size());
  for (size_t i = 0; i < sessions_.size(); ++i) {
    const BeaconSession* session = sessions_[i].get();
    health.push_back({.ready = session->ready().ok(),
                      .on_network = session->on_network(),
                      .lost_place = standings_[i].has_lost_place(probed_slot_),
                      .head_slot = session->head_slot(),
                      .head_age_slots = probed_slot_ - std::min(probed_slot_, session->heard_slot()),
                      .latency = session->latency()});
  }
  return RankBeacons(health, known_.newest_slot(),
                     std::chrono::milliseconds(static_cast<int64_t>(network()->slot_duration_ms) / kSlowPartOfSlot));
}

std::optional<size_t> BeaconPool::best() const {
  const BeaconOrder order = Order();
  for (const std::vector<size_t>& list : {order.good, order.reserve}) {
    if (!list.empty()) return list.front();
  }
  return std::nullopt;
}

std::vector<BeaconSession*> BeaconPool::Usable() {
  const BeaconOrder order = Order();
  std::vector<BeaconSession*> usable;
  for (const size_t beacon : order.good.empty() ? order.reserve : order.good) {
    usable.push_back(sessions_[beacon].get());
  }
  return usable;
}

std::vector<LivenessAnswer> BeaconPool::GetLiveness(const LivenessQuery& query, Timeout timeout) {
  using Answers = Gathering<absl::StatusOr<std::vector<Liveness>>>;
  const BeaconOrder order = Order();
  const std::vector<size_t>& asked = order.good.empty() ? order.reserve : order.good;
  const auto gathering = std::make_shared<Answers>(asked.size());
  const auto shared = std::make_shared<const LivenessQuery>(query);
  for (size_t i = 0; i < asked.size(); ++i) {
    const bool runs = run_(asked[i], [gathering, i, shared, timeout, &client = sessions_[asked[i]]->client()] {
      gathering->Put(i, client.GetLiveness(*shared, timeout));
    });
    if (!runs) gathering->Put(i, BeaconIsBusy());
  }
  Answers::Results answers =
      gathering->Await(absl::Milliseconds(timeout.count()), [](const Answers::Results&) { return false; });
  std::vector<LivenessAnswer> all;
  for (size_t i = 0; i < asked.size(); ++i) {
    all.push_back({sessions_[asked[i]]->client().name(),
                   answers[i].has_value() ? *std::move(answers[i]) : absl::DeadlineExceededError("no answer in time")});
  }
  return all;
}

void BeaconPool::ReportChoice() {
  if (sessions_.size() == 1) return;
  const std::optional<size_t> now = best();
  if (!now.has_value() || now == chosen_) return;
  chosen_ = now;
  const BeaconSession& session = *sessions_[*chosen_];
  logger_->info("beacon in use beacon={} place={} of={} head_slot={} latency_ms={}", session.client().name(),
                *chosen_ + 1, sessions_.size(), session.head_slot(), session.latency().count());
}

void BeaconPool::MarkFailed(BeaconSession& beacon, const absl::Status& status) {
  beacon.MarkFailed(status);
  ReportChoice();
}

}  // namespace lean::validator
