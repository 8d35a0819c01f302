#include "validator_client/keys/live_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"

namespace lean::validator {

LiveKeys::LiveKeys(Signer& signer, KeyPreparer& preparer) : signer_(signer), preparer_(preparer) {}

std::vector<LiveKeys::Entry>::iterator LiveKeys::FindWaiting(const SigningKey& key) {
  return std::find_if(candidates_.begin(), candidates_.end(), [&key](const Entry& entry) {
    return entry.key.key.get() == &key && entry.state == State::kWaiting;
  });
}

absl::Status LiveKeys::Add(ValidatorKey key, bool never_signed) {
  MutexLock lock(mutex_);
  const KeySetPtr active = signer_.keys();
  const PublicKeyBytes pubkey = key.key->pubkey();
  const bool there = active->Find(key.index) != nullptr || active->Find(pubkey) != nullptr ||
                     std::any_of(candidates_.begin(), candidates_.end(), [&](const Entry& entry) {
                       return entry.key.index == key.index || entry.key.key->pubkey() == pubkey;
                     });
  if (there) {
    return absl::AlreadyExistsError(
        absl::StrFormat("this client has validator %u, or the key %s, already", key.index, ShortHex(pubkey.span())));
  }
  preparer_.Add(key);
  candidates_.push_back(Entry{.key = std::move(key), .never_signed = never_signed, .reason = ""});
  return absl::OkStatus();
}

std::optional<LiveKeys::Entry> LiveKeys::Remove(const PublicKeyBytes& pubkey) {
  MutexLock lock(mutex_);
  const auto candidate = std::find_if(candidates_.begin(), candidates_.end(),
                                      [&pubkey](const Entry& entry) { return entry.key.key->pubkey() == pubkey; });
  if (candidate != candidates_.end()) {
    Entry entry = std::move(*candidate);
    candidates_.erase(candidate);
    return entry;
  }
  std::optional<ValidatorKey> active = signer_.Remove(pubkey);
  if (!active.has_value()) return std::nullopt;
  return Entry{.key = *std::move(active), .state = State::kActive, .reason = ""};
}

void LiveKeys::PutBack(const Entry& removed) {
  MutexLock lock(mutex_);
  if (removed.state == State::kActive) {
    signer_.Add(removed.key).IgnoreError();  // its place was free, and Add takes it from nobody else
  } else {
    candidates_.push_back(removed);
  }
}

std::vector<LiveKeys::Entry> LiveKeys::List() const {
  MutexLock lock(mutex_);
  std::vector<Entry> all;
  const KeySetPtr active = signer_.keys();
  for (const ValidatorKey& key : active->all()) all.push_back(Entry{.key = key, .state = State::kActive, .reason = ""});
  all.insert(all.end(), candidates_.begin(), candidates_.end());
  return all;
}

std::vector<LiveKeys::Entry> LiveKeys::Waiting() const {
  MutexLock lock(mutex_);
  std::vector<Entry> waiting;
  std::copy_if(candidates_.begin(), candidates_.end(), std::back_inserter(waiting),
               [](const Entry& entry) { return entry.state == State::kWaiting; });
  return waiting;
}

bool LiveKeys::Admit(const SigningKey& key) {
  MutexLock lock(mutex_);
  const auto candidate = FindWaiting(key);
  if (candidate == candidates_.end()) return false;
  const bool added = signer_.Add(candidate->key).ok();
  if (added) candidates_.erase(candidate);
  return added;
}

bool LiveKeys::Refuse(const SigningKey& key, const absl::Status& why) {
  MutexLock lock(mutex_);
  const auto candidate = FindWaiting(key);
  if (candidate == candidates_.end()) return false;
  candidate->state = State::kRefused;
  candidate->reason = StatusText(why);
  return true;
}

bool LiveKeys::Stop(const PublicKeyBytes& pubkey, const absl::Status& why) {
  MutexLock lock(mutex_);
  std::optional<ValidatorKey> stopped = signer_.Remove(pubkey);
  if (!stopped.has_value()) return false;
  candidates_.push_back(Entry{.key = *std::move(stopped), .state = State::kRefused, .reason = StatusText(why)});
  return true;
}

}  // namespace lean::validator
