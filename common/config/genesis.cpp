#include "common/config/genesis.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/signature_scheme.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean {

absl::StatusOr<Genesis> MakeGenesis(const GenesisConfig& config) {
  if (config.validators.empty()) return absl::InvalidArgumentError("a genesis needs at least one validator");
  std::vector<Validator> validators;
  validators.reserve(config.validators.size());
  for (const PublicKeyBytes& key : config.validators) {
    validators.push_back({.pubkey = key, .index = validators.size()});
  }
  ASSIGN_OR_RETURN(Validators registry, Validators::FromVector(std::move(validators)));

  auto state = std::make_shared<State>();
  state->config.genesis_time = config.genesis_time;
  state->latest_block_header.body_root = ssz::HashTreeRoot(BlockBody());
  state->validators = registry;

  Genesis genesis;
  genesis.state_root = ssz::HashTreeRoot(*state);
  auto block = std::make_shared<Block>();
  block->state_root = genesis.state_root;
  genesis.block_root = ssz::HashTreeRoot(*block);
  genesis.state = std::move(state);
  genesis.block = std::move(block);
  return genesis;
}

absl::Status CheckPublicKeys(const GenesisConfig& config, const crypto::SignatureScheme& scheme) {
  for (size_t i = 0; i < config.validators.size(); ++i) {
    const PublicKeyBytes& key = config.validators[i];
    RETURN_IF_ERROR(scheme.CheckPublicKey(key),
                    absl::InvalidArgumentError(absl::StrCat("GENESIS_VALIDATORS[", i, "] (", ShortHex(key.span()),
                                                            ") is not a public key of this network: ", _.message())));
  }
  return absl::OkStatus();
}

}  // namespace lean
