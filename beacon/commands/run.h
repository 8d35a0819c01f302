// `lean-beacon run`: a beacon from a genesis folder, until it is told to stop.
#ifndef LEAN_BEACON_COMMANDS_RUN_H_
#define LEAN_BEACON_COMMANDS_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "beacon/network/peer_channels.h"
#include "common/log/logger.h"
#include "common/process/stop_signals.h"
#include "common/rpc/tls.h"

namespace lean::beacon {

struct RunOptions {
  std::string genesis_dir;
  std::string name = "beacon";         // letters, digits, '-', '_', '.'
  std::string data_dir;                // empty: the chain is kept in memory alone
  std::optional<uint64_t> keep_slots;  // of data_dir: blocks further behind finality are dropped; nullopt: none
  std::string checkpoint;              // file or address to begin from; empty: genesis
  std::string checkpoint_root;         // hex; of its block
  std::string rpc_address = "127.0.0.1:5052";
  rpc::ServerTlsFiles tls;
  std::string metrics_address;     // HOST:PORT or PORT; empty: none is served
  std::vector<std::string> peers;  // HOST:PORT of beacons to link to
  std::string peers_file;          // more of them; empty: none
  std::string peer_address;        // HOST:PORT to serve peers on; empty: this beacon only dials
  PeerTlsFiles peer_tls;
};

// Returns when the process was asked to stop and everything has ended, or with what kept it from starting.
absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_RUN_H_
