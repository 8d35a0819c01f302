// Calls a beacon over gRPC: lean.v1.DutyService, and lean.v1.BeaconService for the registry and for blocks.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_GRPC_BEACON_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_GRPC_BEACON_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/rpc/client/calls.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/client/connection_check.h"
#include "common/rpc/tls_files.h"
#include "google/protobuf/message.h"
#include "validator_client/beacons/beacon_client.h"

namespace lean::validator {

// A timer of this process ends each call, whatever the beacon sends. Errors keep the beacon's code, message and reason
// (common/rpc/wire/status.h). kInternal: the answer is malformed.
class GrpcBeaconClient : public BeaconClient {
 public:
  // `channels` makes channels to `address`, with `tls`. The address is the name in logs.
  GrpcBeaconClient(std::string address, rpc::ChannelSource channels, const rpc::ClientTlsFiles& tls = {});

  const std::string& name() const override { return name_; }
  absl::StatusOr<DutiesAnswer> GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                         Timeout timeout) override;
  absl::StatusOr<Registry> GetRegistry(Timeout timeout) override;
  absl::StatusOr<BuiltBlockAnswer> BuildBlock(uint64_t slot, uint64_t proposer_index, const Root& genesis_block_root,
                                              Timeout timeout) override;
  absl::StatusOr<VoteDataAnswer> BuildVote(uint64_t slot, const Root& genesis_block_root, Timeout timeout) override;
  absl::StatusOr<SubmitResult> SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) override;
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(const std::vector<SignedAttestation>& votes,
                                                        Timeout timeout) override;
  absl::StatusOr<std::vector<Liveness>> GetLiveness(const LivenessQuery& query, Timeout timeout) override;
  absl::StatusOr<uint64_t> GetBlockSlot(const Root& root, Timeout timeout) override;
  void Cancel() override { calls_.Cancel(); }

 private:
  // One unary call of a service of lean.v1, from the encoded request to the decoded answer.
  absl::Status Call(const char* method, const google::protobuf::Message& request, google::protobuf::Message& response,
                    Timeout timeout, const char* service = "DutyService");

  const std::string name_;
  rpc::ConnectionCheck check_;
  rpc::BoundedCalls calls_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_GRPC_BEACON_CLIENT_H_
