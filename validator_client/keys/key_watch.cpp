#include "validator_client/keys/key_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"

namespace lean::validator {

KeyWatch::KeyWatch(ForeignVotes& votes, LiveKeys& keys, std::shared_ptr<spdlog::logger> logger)
    : votes_(votes), keys_(keys), logger_(std::move(logger)) {}

void KeyWatch::Step(const SlotTime& now, std::chrono::milliseconds timeout) {
  if (now.slot < 0) return;
  const uint64_t slot = static_cast<uint64_t>(now.slot);
  const std::vector<ValidatorKey> keys = TakeKeys(slot + 1);
  if (keys.empty()) return;
  const absl::StatusOr<Sightings> seen = votes_.Look(keys, slot - std::min<uint64_t>(slot, 1), timeout);
  if (!seen.ok()) {
    logger_->warn("slot unwatched slot={} reason=\"{}\"", slot, StatusText(seen.status()));
    return;
  }
  for (const ForeignVote& vote : seen->proved) {
    if (vote.slot < first_slots_.at(vote.key.key->pubkey())) continue;
    Stop(vote.key, absl::FailedPreconditionError(absl::StrFormat(
                       "another client signs with the key: it has signed %s in slot %u, which this client did not, as "
                       "the beacon %s shows. Stop one of the two",
                       ShortHex(vote.root.span()), vote.slot, vote.beacon)));
  }
}

std::vector<ValidatorKey> KeyWatch::TakeKeys(uint64_t next_slot) {
  const KeySetPtr active = keys_.signer().keys();
  absl::flat_hash_map<PublicKeyBytes, uint64_t> first_slots;
  for (const ValidatorKey& key : active->all()) {
    const auto known = first_slots_.find(key.key->pubkey());
    first_slots.emplace(key.key->pubkey(), known == first_slots_.end() ? next_slot : known->second);
  }
  first_slots_ = std::move(first_slots);
  return active->all();
}

void KeyWatch::Stop(const ValidatorKey& key, const absl::Status& why) {
  const PublicKeyBytes& pubkey = key.key->pubkey();
  if (!keys_.Stop(pubkey, why)) return;
  last_stop_ = absl::FailedPreconditionError(
      absl::StrFormat("validator %u (key %s): %s", key.index, ShortHex(pubkey.span()), why.message()));
  logger_->error("key stopped validator={} pubkey={} reason=\"{}\"", key.index, ShortHex(pubkey.span()),
                 StatusText(why));
  if (const absl::Status status = keys_.signer().records().ForgetWriter(); !status.ok()) {
    logger_->error("a start within 30 s may not watch again reason=\"{}\"", StatusText(status));
  }
}

absl::Status KeyWatch::KeysLeft() const {
  return keys_.signer().keys()->size() > 0 || !keys_.Waiting().empty() ? absl::OkStatus() : last_stop_;
}

}  // namespace lean::validator
