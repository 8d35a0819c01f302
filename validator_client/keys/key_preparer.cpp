#include "validator_client/keys/key_preparer.h"

#include <algorithm>
#include <chrono>

#include "common/log/log_text.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;

// Causes for LineLimit: the preparation of a key has passed a quarter, a half, three quarters.
constexpr const char* kPreparing[] = {"key_preparing_25", "key_preparing_50", "key_preparing_75"};

constexpr uint32_t kCheckInterval = 2;  // of KeepPrepared

constexpr milliseconds kDay = std::chrono::hours(24);
constexpr milliseconds kHour = std::chrono::hours(1);

// The time left at the next warning, after one at `left`: the next whole day, or whole hour on the last day.
milliseconds NextWarning(milliseconds left) {
  const milliseconds step = left > kDay ? kDay : kHour;
  return (left - milliseconds(1)) / step * step;
}

// Does not overflow, even with 2^32 slots of a minute each.
milliseconds TimeLeft(uint64_t slots_left, milliseconds slot_duration) {
  return static_cast<int64_t>(slots_left) * slot_duration;
}

bool IsDue(const SigningKey& key, uint64_t slot) {
  const SlotRange active = key.active_slots();
  if (slot >= active.end) return false;
  const SlotRange prepared = key.prepared_slots();
  if (slot < active.first) return !prepared.Contains(active.first);
  if (!prepared.Contains(slot)) return true;
  return prepared.end < active.end && slot >= prepared.first + (prepared.end - prepared.first) / 2;
}

}  // namespace

KeyPreparer::KeyPreparer(const std::vector<ValidatorKey>& keys, const Clock& clock,
                         std::shared_ptr<spdlog::logger> logger)
    : clock_(clock), logger_(std::move(logger)) {
  for (const ValidatorKey& key : keys) Add(key);
}

KeyPreparer::~KeyPreparer() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void KeyPreparer::Add(const ValidatorKey& key) {
  MutexLock lock(mutex_);
  entries_.push_back(std::make_shared<Entry>(Entry{.key = key}));
}

void KeyPreparer::Remove(const PublicKeyBytes& pubkey) {
  std::vector<EntryPtr> removed;
  {
    MutexLock lock(mutex_);
    const auto rest = std::stable_partition(entries_.begin(), entries_.end(), [&pubkey](const EntryPtr& entry) {
      return entry->key.key->pubkey() != pubkey;
    });
    removed.assign(rest, entries_.end());
    entries_.erase(rest, entries_.end());
    for (const EntryPtr& entry : removed) entry->removed = true;
  }
  for (const EntryPtr& entry : removed) entry->key.key->Cancel();
}

void KeyPreparer::Check(uint64_t slot, milliseconds slot_duration) {
  lines_.LogLeftOut(clock_.Steady(), *logger_);
  MutexLock lock(mutex_);
  WarnOfEnds(slot, slot_duration);
  for (const EntryPtr& entry : entries_) {
    if (entry->queued || stopped_ || !IsDue(*entry->key.key, slot)) continue;
    entry->queued = true;
    jobs_.push_back(Job{entry, slot});
    work_or_stop_.NotifyOne();
  }
  if (!jobs_.empty() && !thread_.joinable()) thread_ = std::thread([this] { Work(); });
}

metrics::Footprint KeyPreparer::queue() const {
  MutexLock lock(mutex_);
  return {.name = "keys_to_prepare", .items = jobs_.size(), .bytes = jobs_.size() * sizeof(Job)};
}

metrics::Footprint KeyPreparer::keys() const {
  constexpr uint64_t kBytesOfSlot = 64;  // two nodes
  std::vector<EntryPtr> entries;
  {
    MutexLock lock(mutex_);
    entries = entries_;
  }
  metrics::Footprint all{.name = "keys", .items = entries.size(), .bytes = 0};
  for (const EntryPtr& entry : entries) {
    const SlotRange prepared = entry->key.key->prepared_slots();
    all.bytes += sizeof(Entry) + prepared.size() * kBytesOfSlot;
  }
  return all;
}

void KeyPreparer::Stop() {
  std::vector<std::shared_ptr<SigningKey>> keys;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    for (const EntryPtr& entry : entries_) keys.push_back(entry->key.key);
  }
  work_or_stop_.NotifyAll();
  for (const std::shared_ptr<SigningKey>& key : keys) key->Cancel();
}

void KeyPreparer::WarnOfEnds(uint64_t slot, milliseconds slot_duration) {
  std::vector<const ValidatorKey*> ended;
  std::vector<const ValidatorKey*> ending;
  for (const EntryPtr& entry : entries_) {
    const uint64_t end = entry->key.key->active_slots().end;
    if (slot >= end) {
      if (!entry->end_reported) ended.push_back(&entry->key);
      entry->end_reported = true;
      continue;
    }
    const milliseconds left = TimeLeft(end - slot, slot_duration);
    if (left > entry->warn_at_left) continue;
    ending.push_back(&entry->key);
    entry->warn_at_left = NextWarning(left);
  }
  if (!ended.empty()) {
    logger_->error("key has ended validator={} last_slot={} keys={}: it cannot sign any more", ended.front()->index,
                   ended.front()->key->active_slots().end - 1, ended.size());
  }
  if (!ending.empty()) {
    const uint64_t end = ending.front()->key->active_slots().end;
    const milliseconds left = TimeLeft(end - slot, slot_duration);
    logger_->warn("key ends soon validator={} days_left={} hours_left={} slots_left={} last_slot={} keys={}",
                  ending.front()->index, left / kDay, left % kDay / kHour, end - slot, end - 1, ending.size());
  }
}

void KeyPreparer::LogProgress(const ValidatorKey& key, double fraction, int& quarters_logged) {
  const int quarters = static_cast<int>(fraction * 4);
  if (quarters <= quarters_logged || quarters >= 4) return;
  quarters_logged = quarters;
  if (!Admit(kPreparing[quarters - 1])) return;
  logger_->info("key preparing validator={} percent={}", key.index, quarters * 25);
}

void KeyPreparer::Work() {
  while (true) {
    Job job;
    ValidatorKey key;
    {
      MutexLock lock(mutex_);
      work_or_stop_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopped_ || !jobs_.empty(); });
      if (stopped_) return;
      job = jobs_.front();
      jobs_.pop_front();
      if (job.entry->removed) continue;
      key = job.entry->key;
    }
    const auto begin = clock_.Steady();
    int quarters_logged = 0;
    const absl::Status status =
        key.key->Prepare(job.slot, [&](double fraction) { LogProgress(key, fraction, quarters_logged); });
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - begin);
    const SlotRange prepared = key.key->prepared_slots();
    MutexLock lock(mutex_);
    job.entry->queued = false;
    if (status.ok()) {
      ++prepared_in_a_row_;
      if (Admit("key_prepared")) {
        logger_->info("key prepared validator={} first_slot={} end_slot={} ms={} waiting={}", key.index, prepared.first,
                      prepared.end, took.count(), jobs_.size());
      }
    } else if (!stopped_ && !job.entry->removed && Admit("key_not_prepared")) {
      logger_->error("key not prepared validator={} keystore={} reason=\"{}\"", key.index, key.origin,
                     StatusText(status));
    }
    if (!jobs_.empty()) continue;
    if (prepared_in_a_row_ > 1) logger_->info("keys prepared keys={}", prepared_in_a_row_);
    prepared_in_a_row_ = 0;
  }
}

void KeepPrepared(Clock& clock, const SlotClock& slots, KeyPreparer& preparer) {
  while (true) {
    const int64_t now_ms = clock.WallMs();
    const SlotTime now = slots.At(now_ms);
    const int64_t next = now.interval < kCheckInterval ? now.slot : now.slot + 1;
    if (!clock.WaitUntil(clock.Steady() + milliseconds(slots.StartMs(next, kCheckInterval) - now_ms))) return;
    const int64_t slot = slots.At(clock.WallMs()).slot;
    preparer.Check(static_cast<uint64_t>(std::max<int64_t>(slot + 1, 0)),
                   milliseconds(static_cast<int64_t>(slots.slot_duration_ms())));
  }
}

}  // namespace lean::validator
