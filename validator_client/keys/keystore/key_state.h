// The state in a keystore (EIP-8310, section 2.4): what was known of the key's use when the file was written. It
// permits nothing, since the signing records decide what may be signed. It shows records that are older than the file.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_STATE_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_STATE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/crypto/xmss/scheme.h"
#include "nlohmann/json_fwd.hpp"
#include "validator_client/keys/keystore/json_fields.h"

namespace lean::validator {

struct KeyState {
  std::optional<uint64_t> high_water;  // the highest slot that the key had signed; nullopt: none
  // The file was exported without the records of its key: it may be opened, to recover or to check the key, and no
  // client signs with it. `authority` is "none" then, which EIP-8310 does not allow for a key that signs.
  bool recovery_only = false;
  std::string reference{};  // where the records are, for people; may be empty

  friend bool operator==(const KeyState&, const KeyState&) = default;
};

// Reads `state` of a keystore. Refuses what EIP-8310 does not allow for a key whose leaf is its slot: an authoritative
// state, another authority, a capacity that does not add up, reserved ranges (which must be disjoint at that).
KeyState ReadKeyState(JsonFields& fields);

// `active`: the slots of the key, which are its capacity.
nlohmann::ordered_json FormatKeyState(const KeyState& state, const xmss::SlotRange& active);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_STATE_H_
