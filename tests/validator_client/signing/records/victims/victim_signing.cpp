#include "tests/validator_client/signing/records/victims/victim_signing.h"

#include <unistd.h>

#include <algorithm>

#include "common/ssz/ssz.h"

namespace lean::validator {

void Tell(const VictimMessage& message) {
  if (write(STDOUT_FILENO, &message, sizeof(message)) != sizeof(message)) _exit(3);
}

void TellKind(VictimMessage::Kind kind, uint64_t slot) {
  VictimMessage message;
  message.kind = kind;
  message.slot = slot;
  Tell(message);
}

void VictimSigning::AskAllOf(uint64_t slot) {
  const std::vector<Attestation> votes = NewVotes(slot);
  Ask(slot, votes);
  Ask(slot, NewVotes(slot));
  Ask(slot, votes);
  const uint64_t older = slot - random_() % std::min<uint64_t>(slot, 4);
  Ask(older, NewVotes(older));
}

std::vector<Attestation> VictimSigning::NewVotes(uint64_t slot) {
  Root head;
  for (uint8_t& byte : head.data) byte = static_cast<uint8_t>(random_());
  std::vector<Attestation> votes;
  const KeySetPtr keys = signer_.keys();
  for (const ValidatorKey& key : keys->all()) votes.push_back({key.index, {slot, {head, slot}, {}, {}}});
  return votes;
}

void VictimSigning::Ask(uint64_t slot, const std::vector<Attestation>& votes) {
  const auto signatures = signer_.Sign(slot, votes);
  for (size_t i = 0; i < votes.size(); ++i) {
    VictimMessage message;
    message.index = votes[i].validator_id;
    message.slot = slot;
    message.root = ssz::HashTreeRoot(votes[i]);
    if (signatures[i].ok()) {
      message.kind = VictimMessage::Kind::kReleased;
      message.signature = *signatures[i];
    } else if (absl::IsFailedPrecondition(signatures[i].status())) {
      message.kind = VictimMessage::Kind::kRefused;
    } else {
      message.kind = VictimMessage::Kind::kFailed;
    }
    Tell(message);
  }
}

}  // namespace lean::validator
