#include "validator_client/beacon_pool.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/log/log_text.h"
#include "validator_client/gathering.h"
#include "validator_client/submit_results.h"

namespace lean::validator {
namespace {

// A beacon that needs longer than this part of a slot for an answer about duties is slow.
constexpr int64_t kSlowPartOfSlot = 8;

constexpr char kBusy[] = "it has not answered earlier calls yet";

// The errors of the beacons that were tried.
class Errors {
 public:
  void Add(const BeaconSession& beacon, const absl::Status& status) {
    if (texts_.empty()) first_ = status;
    texts_.push_back(absl::StrCat(beacon.client().name(), ": ", status.message()));
  }

  // `none`: when nothing was tried.
  absl::Status Together(absl::Status none) const {
    if (texts_.empty()) return none;
    if (texts_.size() == 1) return first_;
    return absl::Status(first_.code(), absl::StrJoin(texts_, "; "));
  }

 private:
  absl::Status first_;
  std::vector<std::string> texts_;
};

// No answer, rather than a bad one.
bool IsSilence(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsCancelled(status);
}

absl::StatusOr<std::vector<SubmitResult>> CheckCount(absl::StatusOr<std::vector<SubmitResult>> results, size_t count) {
  if (!results.ok() || results->size() == count) return results;
  return absl::FailedPreconditionError(
      absl::StrFormat("the beacon answered for %u votes, %u were submitted", results->size(), count));
}

}  // namespace

BeaconPool::BeaconPool(const std::vector<BeaconClient*>& clients, const ExpectedNetwork& expected,
                       const std::vector<RegisteredKey>& keys, bool broadcast, RunTask run,
                       std::shared_ptr<spdlog::logger> logger)
    : broadcast_(broadcast), run_(std::move(run)), logger_(std::move(logger)) {
  sessions_.reserve(clients.size());
  for (BeaconClient* client : clients) {
    sessions_.push_back(std::make_unique<BeaconSession>(*client, expected, keys, logger_));
  }
}

absl::Status BeaconPool::Probe(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms) {
  const std::vector<BeaconSession::Reading> readings = AskAll(slot, timeout, now_ms);
  probed_slot_ = slot;
  std::vector<std::optional<Network>> named(readings.size());
  for (size_t i = 0; i < readings.size(); ++i) {
    if (readings[i].answer.ok()) named[i] = NetworkNamedBy(*readings[i].answer);
  }
  for (const size_t i : MostNamedFirst(named)) {
    sessions_[i]->Judge(readings[i], slot).IgnoreError();
    if (const std::optional<Network>& network = sessions_[i]->network(); network.has_value()) {
      for (const auto& session : sessions_) session->Pin(*network);
    }
  }
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
    if (!runs) gathering->Put(i, Reading{absl::UnavailableError(kBusy), now_ms(), now_ms()});
  }
  // All of them end within their timeout, and have to: they work with what belongs to us.
  const auto readings = gathering->Await(absl::InfiniteDuration(), [](const Reading&) { return false; });
  std::vector<Reading> all;
  all.reserve(readings.size());
  for (const std::optional<Reading>& reading : readings) all.push_back(*reading);
  return all;
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
  if (!Order().good.empty()) return absl::OkStatus();
  Errors errors;
  for (const auto& session : sessions_) {
    errors.Add(*session, session->ready().ok() ? absl::UnavailableError(absl::StrCat("it lags, its head is of slot ",
                                                                                     session->head_slot()))
                                               : session->ready());
  }
  const absl::Status status = errors.Together(absl::OkStatus());
  // For each of several beacons to lack a key of ours is Probe's to say.
  return sessions_.size() > 1 ? absl::UnavailableError(status.message()) : status;
}

std::optional<int64_t> BeaconPool::clock_offset_ms() const {
  for (const size_t i : Order().good) {
    if (const std::optional<int64_t> offset = sessions_[i]->clock_offset_ms(); offset.has_value()) return offset;
  }
  for (const auto& session : sessions_) {
    if (session->on_network() && session->clock_offset_ms().has_value()) return session->clock_offset_ms();
  }
  return std::nullopt;
}

BeaconOrder BeaconPool::Order() const {
  if (!network().has_value()) return {};
  std::vector<BeaconHealth> health;
  health.reserve(sessions_.size());
  for (const auto& session : sessions_) {
    health.push_back({.ready = session->ready().ok(),
                      .on_network = session->on_network(),
                      .head_slot = session->head_slot(),
                      .head_age_slots = probed_slot_ - std::min(probed_slot_, session->heard_slot()),
                      .latency = session->latency()});
  }
  return RankBeacons(health,
                     std::chrono::milliseconds(static_cast<int64_t>(network()->slot_duration_ms) / kSlowPartOfSlot));
}

std::optional<size_t> BeaconPool::best() const {
  const std::vector<size_t> good = Order().good;
  return good.empty() ? std::nullopt : std::optional<size_t>(good.front());
}

std::vector<BeaconSession*> BeaconPool::Usable() {
  std::vector<BeaconSession*> usable;
  for (const size_t beacon : Order().good) usable.push_back(sessions_[beacon].get());
  return usable;
}

void BeaconPool::ReportChoice() {
  if (sessions_.size() == 1) return;
  const std::vector<size_t> order = Order().good;
  if (order.empty() || order.front() == chosen_) return;
  chosen_ = order.front();
  const BeaconSession& session = *sessions_[*chosen_];
  logger_->info("beacon in use beacon={} place={} of={} head_slot={} latency_ms={}", session.client().name(),
                *chosen_ + 1, sessions_.size(), session.head_slot(), session.latency().count());
}

void BeaconPool::MarkFailed(BeaconSession& beacon, const absl::Status& status) {
  beacon.MarkFailed(status);
  ReportChoice();
}

absl::StatusOr<size_t> BeaconPool::Build(const Remaining& remaining, const Attempt& attempt) {
  const BeaconOrder order = Order();
  std::vector<size_t> to_ask = order.good;
  Errors errors;
  bool all_answered = true;
  for (size_t tried = 0; tried < to_ask.size(); ++tried) {
    BeaconSession& session = *sessions_[to_ask[tried]];
    const Timeout left = remaining();
    if (tried > 0 && left <= Timeout::zero()) break;
    const absl::Status status = attempt(session, AttemptTimeout(left, to_ask.size() - tried));
    if (status.ok()) return to_ask[tried];
    errors.Add(session, status);
    all_answered = all_answered && !IsSilence(status);
    // Whoever showed a better head and then builds nothing good on it must not keep the others from being asked.
    if (tried + 1 == order.good.size() && all_answered) {
      to_ask.insert(to_ask.end(), order.lagging.begin(), order.lagging.end());
    }
    if (tried + 1 < to_ask.size()) {
      logger_->warn("beacon passed over beacon={} reason=\"{}\"", session.client().name(), StatusText(status));
    }
  }
  return errors.Together(ready());
}

absl::StatusOr<SubmitResult> BeaconPool::SubmitBlock(SignedBlockWithAttestation block, size_t builder,
                                                     const Remaining& remaining) {
  const auto shared = std::make_shared<const SignedBlockWithAttestation>(std::move(block));
  const SubmitCall call = [shared](BeaconClient& client, Timeout timeout) -> Results {
    absl::StatusOr<SubmitResult> result = client.SubmitBlock(*shared, timeout);
    if (!result.ok()) return result.status();
    return std::vector<SubmitResult>{*std::move(result)};
  };
  Results results = Submit(call, builder, remaining);
  if (!results.ok()) return results.status();
  return std::move(results->front());
}

absl::StatusOr<std::vector<SubmitResult>> BeaconPool::SubmitVotes(std::vector<SignedAttestation> votes, size_t builder,
                                                                  const Remaining& remaining) {
  const auto shared = std::make_shared<const std::vector<SignedAttestation>>(std::move(votes));
  const SubmitCall call = [shared](BeaconClient& client, Timeout timeout) -> Results {
    return CheckCount(client.SubmitVotes(*shared, timeout), shared->size());
  };
  return Submit(call, builder, remaining);
}

BeaconPool::Results BeaconPool::Submit(const SubmitCall& call, size_t builder, const Remaining& remaining) {
  return broadcast_ && sessions_.size() > 1 ? SubmitToAll(call, remaining()) : SubmitInTurn(call, builder, remaining);
}

BeaconPool::Results BeaconPool::SubmitInTurn(const SubmitCall& call, size_t builder, const Remaining& remaining) {
  std::vector<size_t> order{builder};
  const BeaconOrder others = Order();
  for (const auto& list : {others.good, others.lagging}) {
    std::copy_if(list.begin(), list.end(), std::back_inserter(order), [builder](size_t i) { return i != builder; });
  }
  Errors errors;
  std::optional<std::vector<SubmitResult>> best;
  for (size_t tried = 0; tried < order.size(); ++tried) {
    BeaconSession& session = *sessions_[order[tried]];
    const Timeout left = remaining();
    if (tried > 0 && left <= Timeout::zero()) break;
    Results results = call(session.client(), AttemptTimeout(left, order.size() - tried));
    const absl::Status status = results.status();
    if (results.ok()) {
      best = best.has_value() ? BetterOf(*std::move(best), *results) : *std::move(results);
      if (AllTaken(*best)) break;
    } else {
      errors.Add(session, status);
      MarkFailed(session, status);
    }
    if (tried + 1 < order.size()) {
      logger_->warn("submission goes to the next beacon beacon={} reason=\"{}\"", session.client().name(),
                    status.ok() ? "it did not take all of it" : StatusText(status));
    }
  }
  if (best.has_value()) return *std::move(best);
  return errors.Together(ready());
}

BeaconPool::Results BeaconPool::SubmitToAll(const SubmitCall& call, Timeout timeout) {
  const auto gathering = std::make_shared<Gathering<Results>>(sessions_.size());
  for (size_t i = 0; i < sessions_.size(); ++i) {
    BeaconClient& client = sessions_[i]->client();
    if (!sessions_[i]->on_network()) {
      gathering->Put(i, absl::FailedPreconditionError("it has not shown that it works on our network"));
      continue;
    }
    const bool runs = run_(i, [gathering, i, call, timeout, &client, logger = logger_] {
      Results results = call(client, timeout);
      logger->debug("submission answered beacon={} result=\"{}\"", client.name(), StatusText(results.status()));
      gathering->Put(i, std::move(results));
    });
    if (!runs) gathering->Put(i, absl::UnavailableError(kBusy));
  }
  const auto answers = gathering->Await(absl::Milliseconds(std::max<int64_t>(timeout.count(), 0)),
                                        [](const Results& results) { return results.ok() && AllTaken(*results); });
  Errors errors;
  std::optional<std::vector<SubmitResult>> best;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].has_value()) continue;
    const Results& results = *answers[i];
    if (!results.ok()) {
      errors.Add(*sessions_[i], results.status());
      if (sessions_[i]->ready().ok()) MarkFailed(*sessions_[i], results.status());
    } else {
      best = best.has_value() ? BetterOf(*std::move(best), *results) : *results;
    }
  }
  if (best.has_value()) return *std::move(best);
  return errors.Together(absl::DeadlineExceededError("no beacon answered in time"));
}

}  // namespace lean::validator
