#include "validator_client/signing/remote_signer.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock/clock.h"
#include "common/log/log_text.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "grpcpp/client_context.h"
#include "lean/v1/signer.grpc.pb.h"

namespace lean::validator {
namespace {

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr std::chrono::seconds kSignTimeout{1};
constexpr int kMaxKeys = 4096;

// A key whose secret is in another process, which also prepares it.
class RemoteKey : public SigningKey {
 public:
  RemoteKey(const PublicKeyBytes& pubkey, uint32_t log_lifetime, SlotRange active)
      : pubkey_(pubkey), log_lifetime_(log_lifetime), active_(active) {}

  const PublicKeyBytes& pubkey() const override { return pubkey_; }
  uint32_t log_lifetime() const override { return log_lifetime_; }
  SlotRange active_slots() const override { return active_; }
  SlotRange prepared_slots() const override { return active_; }
  absl::StatusOr<SignatureBytes> Sign(uint64_t, const Root&) const override {
    return absl::FailedPreconditionError("a remote key signs whole votes only");
  }
  absl::Status Prepare(uint64_t, const PrepareProgress&) override { return absl::OkStatus(); }
  void Cancel() override {}

 private:
  const PublicKeyBytes pubkey_;
  const uint32_t log_lifetime_;
  const SlotRange active_;
};

absl::StatusOr<ValidatorKey> KeyOf(const v1::SignerKey& listed, int position) {
  const std::string field = absl::StrCat("keys[", position, "]");
  ASSIGN_OR_RETURN(const auto pubkey,
                   rpc::FixedBytesFromProto<PublicKeyBytes>(listed.pubkey(), absl::StrCat(field, ".pubkey")));
  if (listed.last_slot() < listed.first_slot() || listed.last_slot() >= (uint64_t{1} << 32)) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": active from slot ", listed.first_slot(), " to slot ", listed.last_slot()));
  }
  const SlotRange active{listed.first_slot(), listed.last_slot() + 1};
  return ValidatorKey{listed.validator_index(), std::make_shared<RemoteKey>(pubkey, listed.xmss_log_lifetime(), active),
                      absl::StrCat("signer: ", field)};
}

absl::StatusOr<std::vector<ValidatorKey>> KeysOf(const v1::ListKeysResponse& response, RemoteRecords& records) {
  if (response.keys_size() < 1 || response.keys_size() > kMaxKeys) {
    return absl::InvalidArgumentError(absl::StrCat(response.keys_size(), " keys, expected 1 to ", kMaxKeys));
  }
  std::vector<ValidatorKey> keys;
  std::set<uint64_t> indices;
  std::set<PublicKeyBytes> pubkeys;
  for (int i = 0; i < response.keys_size(); ++i) {
    const v1::SignerKey& listed = response.keys(i);
    ASSIGN_OR_RETURN(ValidatorKey key, KeyOf(listed, i));
    if (!indices.insert(key.index).second) {
      return absl::InvalidArgumentError(absl::StrCat("two keys of validator ", key.index));
    }
    if (!pubkeys.insert(key.key->pubkey()).second) {
      return absl::InvalidArgumentError(absl::StrCat("keys[", i, "].pubkey: appears twice"));
    }
    if (listed.xmss_log_lifetime() != response.keys(0).xmss_log_lifetime()) {
      return absl::InvalidArgumentError("keys of different lifetimes");
    }
    if (listed.has_highest_signed_slot()) records.NoteHighest(key.key->pubkey(), listed.highest_signed_slot());
    keys.push_back(std::move(key));
  }
  return keys;
}

absl::StatusOr<SignatureBytes> SignatureOf(const v1::SignResult& result) {
  if (!result.reason().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the signer refused: ", Printable(result.reason()), ": ", Printable(result.message())));
  }
  ASSIGN_OR_RETURN(const auto signature, rpc::FixedBytesFromProto<SignatureBytes>(result.signature(), "signature"),
                   absl::InternalError(absl::StrCat("the signer's answer: ", _.message())));
  return signature;
}

}  // namespace

absl::StatusOr<std::vector<absl::Status>> RemoteRecords::Reserve(const std::vector<SigningRequest>&) {
  return absl::FailedPreconditionError("the records are the signer's");
}

absl::StatusOr<std::optional<uint64_t>> RemoteRecords::HighestSlot(const PublicKeyBytes& pubkey) {
  MutexLock lock(mutex_);
  const auto found = keys_.find(pubkey);
  return found == keys_.end() ? std::nullopt : std::optional<uint64_t>(found->second.highest);
}

absl::StatusOr<bool> RemoteRecords::MayHaveSigned(const SigningRequest& vote) {
  MutexLock lock(mutex_);
  const auto key = keys_.find(vote.pubkey);
  if (key == keys_.end()) return false;
  if (key->second.before.has_value() && vote.slot <= *key->second.before) return true;
  const auto roots = roots_.find(vote.slot);
  if (roots != roots_.end() && roots->second.contains(vote.root)) return true;
  return vote.slot <= key->second.highest && !roots_.empty() && vote.slot < roots_.begin()->first;  // forgotten
}

absl::StatusOr<std::vector<Root>> RemoteRecords::SignedRoots(uint64_t from_slot, size_t limit) {
  MutexLock lock(mutex_);
  std::vector<Root> all;
  for (auto slot = roots_.lower_bound(from_slot); slot != roots_.end(); ++slot) {
    for (const Root& root : slot->second) {
      if (all.size() == limit) return all;
      all.push_back(root);
    }
  }
  return all;
}

void RemoteRecords::NoteHighest(const PublicKeyBytes& pubkey, uint64_t slot) {
  MutexLock lock(mutex_);
  keys_[pubkey] = {.before = slot, .highest = slot};
}

void RemoteRecords::Note(const SigningRequest& vote) {
  MutexLock lock(mutex_);
  Known& known = keys_[vote.pubkey];
  known.highest = std::max(known.highest, vote.slot);
  roots_[vote.slot].insert(vote.root);
  while (roots_.begin()->first + kKeptSlots <= roots_.rbegin()->first) roots_.erase(roots_.begin());
}

absl::StatusOr<std::unique_ptr<RemoteSigner>> RemoteSigner::Connect(rpc::ChannelSource channels, RemoteRecords& records,
                                                                    SlotLimit& limit) {
  grpc::ClientContext context;
  context.set_deadline(SystemTime() + kConnectTimeout);
  context.set_wait_for_ready(true);
  v1::ListKeysResponse response;
  const grpc::Status status = v1::Signer::NewStub(channels())->ListKeys(&context, v1::ListKeysRequest(), &response);
  if (!status.ok()) {
    const absl::Status error = rpc::FromGrpcStatus(status);
    return absl::Status(error.code(), absl::StrCat("no keys from the signer: ", error.message()));
  }
  ASSIGN_OR_RETURN(std::vector<ValidatorKey> keys, KeysOf(response, records),
                   absl::InvalidArgumentError(absl::StrCat("the signer's answer: ", _.message())));
  return std::unique_ptr<RemoteSigner>(new RemoteSigner(std::move(channels), std::move(keys), records, limit));
}

RemoteSigner::RemoteSigner(rpc::ChannelSource channels, std::vector<ValidatorKey> keys, RemoteRecords& records,
                           SlotLimit& limit)
    // Runs tasks at once, since this process computes no signatures.
    : Signer(std::move(keys), records, limit, [](std::function<void()> task) { task(); }),
      channels_(std::move(channels)),
      records_(records) {}

std::vector<absl::StatusOr<SignatureBytes>> RemoteSigner::SignWith(const KeySet& keys, uint64_t slot,
                                                                   const std::vector<Attestation>& votes) {
  std::vector<absl::StatusOr<SignatureBytes>> results(votes.size(), absl::InternalError("not signed"));
  if (votes.empty()) return results;
  v1::SignVotesRequest request;
  request.set_slot(slot);
  for (const Attestation& vote : votes) {
    v1::VoteToSign& item = *request.add_votes();
    item.set_pubkey(rpc::BytesToProto(keys.Find(vote.validator_id)->key->pubkey()));
    *item.mutable_attestation() = rpc::ToProto(vote);
  }

  grpc::ClientContext context;
  context.set_deadline(SystemTime() + kSignTimeout);
  v1::SignVotesResponse response;
  absl::Status status = rpc::FromGrpcStatus(v1::Signer::NewStub(channels_())->SignVotes(&context, request, &response));
  if (status.ok() && response.results_size() != request.votes_size()) {
    status = absl::InternalError(
        absl::StrCat("the signer answered for ", response.results_size(), " votes of ", request.votes_size()));
  }
  for (size_t i = 0; i < votes.size(); ++i) {
    if (status.ok()) {
      results[i] = SignatureOf(response.results(static_cast<int>(i)));
    } else {
      results[i] = absl::Status(status.code(), absl::StrCat("the signer: ", status.message()));
    }
    // Notes the vote also after an error: the signer may have used the leaf although its answer was lost.
    if (results[i].ok() || !status.ok()) {
      records_.Note({keys.Find(votes[i].validator_id)->key->pubkey(), slot, ssz::HashTreeRoot(votes[i])});
    }
  }
  return results;
}

}  // namespace lean::validator
