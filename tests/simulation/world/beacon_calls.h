// The calls of a validator client to the beacon of its node: the messages of proto/lean/v1, handed to the beacon's
// handlers without gRPC.
#ifndef LEAN_TESTS_SIMULATION_WORLD_BEACON_CALLS_H_
#define LEAN_TESTS_SIMULATION_WORLD_BEACON_CALLS_H_

#include <memory>

#include "absl/status/status.h"
#include "beacon/rpc/served_chain.h"
#include "google/protobuf/message.h"

namespace lean::simulation {

class BeaconCalls {
 public:
  virtual ~BeaconCalls() = default;

  // Calls a method of a service of lean.v1. Takes no time.
  virtual absl::Status Call(const char* method, const google::protobuf::Message& request,
                            google::protobuf::Message& response) = 0;
};

// `chain` outlives the result. Its service runs without threads.
std::unique_ptr<BeaconCalls> MakeBeaconCalls(const beacon::ServedChain& chain);

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_BEACON_CALLS_H_
