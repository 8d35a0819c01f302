#include "validator_client/key_preparer.h"

#include <algorithm>
#include <chrono>

#include "validator_client/log_text.h"

namespace lean::validator {
namespace {

// A day of 4-second slots; a key with a short life is warned of in its last quarter.
constexpr uint64_t kWarnSlotsLeft = 21600;

bool IsDue(const SigningKey& key, uint64_t slot) {
  const SlotRange active = key.active_slots();
  if (slot >= active.end) return false;
  const SlotRange prepared = key.prepared_slots();
  if (slot < active.first) return !prepared.Contains(active.first);
  if (!prepared.Contains(slot)) return true;
  return prepared.end < active.end && slot >= prepared.first + (prepared.end - prepared.first) / 2;
}

}  // namespace

KeyPreparer::KeyPreparer(const std::vector<ValidatorKey>& keys, std::shared_ptr<spdlog::logger> logger)
    : logger_(std::move(logger)) {
  for (const ValidatorKey& key : keys) {
    const SlotRange active = key.key->active_slots();
    entries_.push_back(Entry{key, false, std::min(kWarnSlotsLeft, (active.end - active.first) / 4), false});
  }
  thread_ = std::thread([this] { Work(); });
}

KeyPreparer::~KeyPreparer() {
  Stop();
  thread_.join();
}

void KeyPreparer::Check(uint64_t slot) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    WarnOfEnd(entry, slot);
    if (entry.queued || stopped_ || !IsDue(*entry.key.key, slot)) continue;
    entry.queued = true;
    jobs_.push_back(Job{i, slot});
    work_or_stop_.notify_one();
  }
}

void KeyPreparer::Stop() {
  std::vector<std::shared_ptr<SigningKey>> keys;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const Entry& entry : entries_) keys.push_back(entry.key.key);
  }
  work_or_stop_.notify_all();
  for (const std::shared_ptr<SigningKey>& key : keys) key->Cancel();
}

void KeyPreparer::WarnOfEnd(Entry& entry, uint64_t slot) {
  const uint64_t end = entry.key.key->active_slots().end;
  if (slot >= end) {
    if (!entry.end_reported) {
      logger_->error("key has ended validator={} last_slot={}: it signs nothing any more", entry.key.index, end - 1);
    }
    entry.end_reported = true;
    return;
  }
  const uint64_t left = end - slot;
  if (left > entry.warn_at_left) return;
  logger_->warn("key ends soon validator={} slots_left={} last_slot={}", entry.key.index, left, end - 1);
  entry.warn_at_left = left / 2;
}

void KeyPreparer::LogProgress(const ValidatorKey& key, double fraction, int& quarters_logged) const {
  const int quarters = static_cast<int>(fraction * 4);
  if (quarters <= quarters_logged || quarters >= 4) return;
  quarters_logged = quarters;
  logger_->info("key preparing validator={} percent={}", key.index, quarters * 25);
}

void KeyPreparer::Work() {
  while (true) {
    Job job;
    ValidatorKey key;
    {
      std::unique_lock lock(mutex_);
      work_or_stop_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
      if (stopped_) return;
      job = jobs_.front();
      jobs_.pop_front();
      key = entries_[job.entry].key;
    }
    const auto begin = std::chrono::steady_clock::now();
    int quarters_logged = 0;
    const absl::Status status =
        key.key->Prepare(job.slot, [&](double fraction) { LogProgress(key, fraction, quarters_logged); });
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    const SlotRange prepared = key.key->prepared_slots();
    std::lock_guard lock(mutex_);
    entries_[job.entry].queued = false;
    if (status.ok()) {
      logger_->info("key prepared validator={} first_slot={} end_slot={} ms={}", key.index, prepared.first,
                    prepared.end, took.count());
    } else if (!stopped_) {
      logger_->error("key not prepared validator={} keystore={} reason=\"{}\"", key.index, key.origin,
                     StatusText(status));
    }
  }
}

}  // namespace lean::validator
