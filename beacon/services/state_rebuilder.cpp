#include "beacon/services/state_rebuilder.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "common/bytes/bytes.h"

namespace lean::beacon {
namespace {

// Nice value of the thread, because duties come first.
constexpr int kNice = 10;

}  // namespace

StateRebuilder::StateRebuilder(const StateSource& source, BranchOf branch_of, Clock& clock,
                               std::shared_ptr<spdlog::logger> log, const StateRebuilderOptions& options)
    : source_(source), branch_of_(std::move(branch_of)), clock_(clock), log_(std::move(log)), options_(options) {}

StateRebuilder::~StateRebuilder() { Stop(); }

void StateRebuilder::Start() {
  thread_ = std::thread([this] { Run(); });
}

void StateRebuilder::Stop() {
  std::array<std::deque<Wanted>, kKinds> left;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    left = std::exchange(wanted_, {});
  }
  changed_.NotifyAll();
  rest_over_.Signal();
  if (thread_.joinable()) thread_.join();
  for (const std::deque<Wanted>& kind : left) {
    for (const Wanted& wanted : kind) {
      for (const Done& done : wanted.done) done(absl::UnavailableError("the beacon is stopping"));
    }
  }
}

void StateRebuilder::Request(const Root& root, const StateAsker& asker, Done done) {
  absl::Status refusal;
  {
    MutexLock lock(mutex_);
    std::deque<Wanted>& kind = wanted_[asker.kind];
    const auto same = std::find_if(kind.begin(), kind.end(), [&](const Wanted& other) { return other.root == root; });
    const auto of_peer =
        std::count_if(kind.begin(), kind.end(), [&](const Wanted& other) { return other.asker.peer == asker.peer; });
    const bool is_peer_full = asker.kind == StateAsker::kPeer && static_cast<size_t>(of_peer) >= options_.max_of_a_peer;
    if (stopping_) {
      refusal = absl::UnavailableError("the beacon is stopping");
    } else if (same != kind.end() && same->done.size() < options_.max_of_a_kind) {
      same->done.push_back(std::move(done));
      return;
    } else if (same != kind.end() || kind.size() >= options_.max_of_a_kind || is_peer_full) {
      refusal = absl::ResourceExhaustedError("too many old states are requested; try again");
    } else {
      kind.push_back({.root = root, .asker = asker, .done = {}});
      kind.back().done.push_back(std::move(done));
      changed_.NotifyAll();
      rest_over_.Signal();
      return;
    }
  }
  done(refusal);
}

bool StateRebuilder::HasWork() const {
  return std::any_of(wanted_.begin(), wanted_.end(), [](const auto& kind) { return !kind.empty(); });
}

std::optional<StateRebuilder::Wanted> StateRebuilder::Next() {
  MutexLock lock(mutex_);
  changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || HasWork(); });
  return stopping_ ? std::nullopt : TakeNext();
}

std::optional<StateRebuilder::Wanted> StateRebuilder::TakeNext() {
  const size_t other = last_kind_ == StateAsker::kPeer ? StateAsker::kCaller : StateAsker::kPeer;
  for (const size_t kind : {size_t{StateAsker::kChain}, other, last_kind_}) {
    if (wanted_[kind].empty()) continue;
    if (kind != StateAsker::kChain) last_kind_ = kind;
    Wanted wanted = std::move(wanted_[kind].front());
    wanted_[kind].pop_front();
    return wanted;
  }
  return std::nullopt;
}

void StateRebuilder::Run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  while (const std::optional<Wanted> wanted = Next()) {
    const SteadyTime start = clock_.Steady();
    Answer(*wanted);
    if (wanted->asker.kind == StateAsker::kPeer) Rest((clock_.Steady() - start) * options_.rest);
  }
}

bool StateRebuilder::RunOne() {
  std::optional<Wanted> wanted;
  {
    MutexLock lock(mutex_);
    wanted = TakeNext();
  }
  if (wanted.has_value()) Answer(*wanted);
  return wanted.has_value();
}

void StateRebuilder::Answer(const Wanted& wanted) {
  const absl::StatusOr<StatePtr> state = Rebuild(wanted);
  for (const Done& done : wanted.done) done(state);
}

absl::StatusOr<StatePtr> StateRebuilder::Rebuild(const Wanted& wanted) {
  const auto cached =
      std::find_if(cache_.begin(), cache_.end(), [&](const auto& entry) { return entry.first == wanted.root; });
  if (cached != cache_.end()) return cached->second;
  const std::optional<Branch> branch = branch_of_(wanted.root);
  if (!branch.has_value()) return absl::NotFoundError("the block's ancestors are no longer known");
  const SteadyTime start = clock_.Steady();
  absl::StatusOr<StatePtr> state = source_.Rebuild(*branch);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - start);
  if (!state.ok()) {
    log_->debug("state_not_rebuilt slot={} root={} message=\"{}\"", branch->block.slot, ShortHex(wanted.root.span()),
                std::string(state.status().message()));
    return state;
  }
  log_->debug("state_rebuilt slot={} root={} ms={}", branch->block.slot, ShortHex(wanted.root.span()), took.count());
  cache_.emplace_back(wanted.root, *state);
  cached_bytes_ += BytesOf(**state);
  if (cache_.size() > options_.cached) {
    cached_bytes_ -= BytesOf(*cache_.front().second);
    cache_.pop_front();
  }
  cached_ = cache_.size();
  return state;
}

metrics::Footprint StateRebuilder::queue() const {
  MutexLock lock(mutex_);
  metrics::Footprint all{.name = "states_to_restore", .items = 0, .bytes = 0};
  for (const std::deque<Wanted>& kind : wanted_) {
    all.items += kind.size();
    for (const Wanted& wanted : kind) all.bytes += sizeof(Wanted) + wanted.done.capacity() * sizeof(Done);
  }
  return all;
}

metrics::Footprint StateRebuilder::cache() const {
  return {.name = "restored_states", .items = cached_, .bytes = cached_bytes_};
}

void StateRebuilder::Rest(std::chrono::nanoseconds time) {
  const SteadyTime end = clock_.Steady() + time;
  MutexLock lock(mutex_);
  bool resting = true;
  while (resting && !HasUrgentWork()) {
    lock.Unlock();
    resting = rest_over_.WaitUntil(clock_, end);
    lock.Lock();
  }
}

}  // namespace lean::beacon
