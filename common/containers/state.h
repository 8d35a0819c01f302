// The state after a chain of blocks. Source: leanSpec 050fa4a, containers/state, config.py, validator.py.
#ifndef LEAN_COMMON_CONTAINERS_STATE_H_
#define LEAN_COMMON_CONTAINERS_STATE_H_

#include <cstdint>
#include <tuple>

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"
#include "common/containers/limits.h"
#include "common/ssz/bitlist.h"
#include "common/ssz/fields.h"
#include "common/ssz/root_list.h"
#include "common/ssz/shared_list.h"

namespace lean {

// 8 bytes.
struct Config {
  uint64_t genesis_time = 0;  // Unix time, seconds

  static constexpr auto Fields() { return std::make_tuple(ssz::Field("genesis_time", &Config::genesis_time)); }
  friend bool operator==(const Config&, const Config&) = default;
};

// 60 bytes.
struct Validator {
  PublicKeyBytes pubkey;
  uint64_t index = 0;  // not used: the index of a validator is its position in the list

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("pubkey", &Validator::pubkey), ssz::Field("index", &Validator::index));
  }
  friend bool operator==(const Validator&, const Validator&) = default;
};

using HistoricalBlockHashes = ssz::RootList<kHistoricalRootsLimit>;
using JustifiedSlots = ssz::Bitlist<kHistoricalRootsLimit>;
using Validators = ssz::SharedList<Validator, kValidatorRegistryLimit>;
using JustificationsRoots = ssz::RootList<kHistoricalRootsLimit>;
using JustificationsValidators = ssz::Bitlist<kJustificationVotesLimit>;

// Cheap to copy (the lists are shared) and to hash (their roots are cached), whatever its age; see docs/ssz.md.
// States may be copied, and the copies changed and hashed, from several threads at a time.
struct State {
  Config config;
  uint64_t slot = 0;
  BlockHeader latest_block_header;
  Checkpoint latest_justified;
  Checkpoint latest_finalized;
  HistoricalBlockHashes historical_block_hashes;  // by slot; zero for an empty slot
  JustifiedSlots justified_slots;                 // by slot
  Validators validators;
  JustificationsRoots justifications_roots;            // roots being voted on, ascending
  JustificationsValidators justifications_validators;  // for each of them one bit a validator

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("config", &State::config), ssz::Field("slot", &State::slot),
                           ssz::Field("latest_block_header", &State::latest_block_header),
                           ssz::Field("latest_justified", &State::latest_justified),
                           ssz::Field("latest_finalized", &State::latest_finalized),
                           ssz::Field("historical_block_hashes", &State::historical_block_hashes),
                           ssz::Field("justified_slots", &State::justified_slots),
                           ssz::Field("validators", &State::validators),
                           ssz::Field("justifications_roots", &State::justifications_roots),
                           ssz::Field("justifications_validators", &State::justifications_validators));
  }
  friend bool operator==(const State&, const State&) = default;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONTAINERS_STATE_H_
