// Signatures that stand in for XMSS: as large, and cheap to make and to check. Whoever has no key of a validator must
// not call Sign for it, which is a rule of the simulation and not of mathematics.
#ifndef LEAN_TESTS_SIMULATION_WORLD_STAND_IN_SIGNATURES_H_
#define LEAN_TESTS_SIMULATION_WORLD_STAND_IN_SIGNATURES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis.h"
#include "common/crypto/signature_scheme.h"
#include "validator_client/signing/signing_key.h"

namespace lean::simulation {

inline PublicKeyBytes StandInPublicKey(uint64_t validator) {
  PublicKeyBytes key;
  std::memcpy(key.data.data(), &validator, sizeof(validator));
  key.data[sizeof(validator)] = 1;  // no key is zero
  return key;
}

// A genesis with so many validators, whose keys stand in.
inline Genesis StandInGenesis(uint64_t genesis_time, uint64_t validators) {
  GenesisConfig config;
  config.genesis_time = genesis_time;
  for (uint64_t index = 0; index < validators; ++index) config.validators.push_back(StandInPublicKey(index));
  return MakeGenesis(config).value();
}

// The key, the slot and the root.
inline SignatureBytes StandInSignature(const PublicKeyBytes& key, uint64_t slot, const Root& root) {
  SignatureBytes signature;
  auto* out = std::copy(key.data.begin(), key.data.end(), signature.data.data());
  std::memcpy(out, &slot, sizeof(slot));
  std::copy(root.data.begin(), root.data.end(), out + sizeof(slot));
  return signature;
}

// Whether it is StandInSignature(key, slot, root).
inline bool IsStandIn(const SignatureBytes& signature, const PublicKeyBytes& key, uint64_t slot, const Root& root) {
  constexpr size_t kUsed = PublicKeyBytes::kSize + sizeof(slot) + Root::kSize;
  static constexpr std::array<uint8_t, SignatureBytes::kSize - kUsed> kUnused = {};
  const uint8_t* at = signature.data.data();
  return std::equal(key.data.begin(), key.data.end(), at) &&
         std::memcmp(at + PublicKeyBytes::kSize, &slot, sizeof(slot)) == 0 &&
         std::equal(root.data.begin(), root.data.end(), at + PublicKeyBytes::kSize + sizeof(slot)) &&
         std::memcmp(at + kUsed, kUnused.data(), kUnused.size()) == 0;
}

// As SignatureVerifier::VerifySignatures.
inline std::vector<absl::Status> VerifyStandIns(absl::Span<const crypto::VerificationItem> items) {
  std::vector<absl::Status> results;
  results.reserve(items.size());
  for (const crypto::VerificationItem& item : items) {
    const bool right = IsStandIn(*item.signature, *item.public_key, item.slot, item.message);
    results.push_back(right ? absl::OkStatus() : absl::InvalidArgumentError("wrong signature"));
  }
  return results;
}

// A key that tells what it signs.
class StandInKey final : public validator::SigningKey {
 public:
  using Watch = std::function<void(uint64_t validator, uint64_t slot, const Root& root)>;

  StandInKey(uint64_t validator, Watch watch)
      : validator_(validator), pubkey_(StandInPublicKey(validator)), watch_(std::move(watch)) {}

  const PublicKeyBytes& pubkey() const override { return pubkey_; }
  uint32_t log_lifetime() const override { return 32; }
  validator::SlotRange active_slots() const override { return {0, uint64_t{1} << 32}; }
  validator::SlotRange prepared_slots() const override { return active_slots(); }
  absl::StatusOr<SignatureBytes> Sign(uint64_t slot, const Root& message) const override {
    watch_(validator_, slot, message);
    return StandInSignature(pubkey_, slot, message);
  }
  absl::Status Prepare(uint64_t, const validator::PrepareProgress&) override { return absl::OkStatus(); }
  void Cancel() override {}

 private:
  const uint64_t validator_;
  const PublicKeyBytes pubkey_;
  const Watch watch_;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_STAND_IN_SIGNATURES_H_
