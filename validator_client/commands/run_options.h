// The options of `lean-validator run`.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_OPTIONS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/rpc/tls.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/keymanager/keymanager_server.h"

namespace lean::validator {

struct RunOptions {
  std::string keystores;      // YAML list; empty: `signer` is given
  std::string password_file;  // of encrypted key files; empty: the terminal is asked
  std::string signer;         // address of a lean.v1.Signer that has the keys; empty: `keystores` is given
  rpc::ClientTlsFiles signer_tls;
  std::vector<std::string> beacons = {"127.0.0.1:5052"};  // the best first
  bool broadcast = false;                                 // what is signed goes to all of them
  NetworkOptions network;
  uint64_t allow_slots_to = 0;  // keys may sign up to it, whatever SlotLimit says; 0: not given
  std::string records;          // signing records; empty: beside the keystores
  bool new_keys = false;        // keys without records may sign although the chain has votes of theirs
  bool watch = true;            // for a second client, before the first signature
  rpc::ClientTlsFiles tls;
  std::string metrics_address;         // HOST:PORT or PORT; empty: none is served
  KeymanagerServerOptions keymanager;  // no address: none is served
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_OPTIONS_H_
