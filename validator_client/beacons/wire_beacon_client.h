// Asks a beacon in the messages of proto/lean/v1. Without gRPC: GrpcBeaconClient carries the messages to another
// process, and a simulation hands them to the beacon's handlers.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_WIRE_BEACON_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_WIRE_BEACON_CLIENT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "lean/v1/validator.pb.h"
#include "validator_client/beacons/beacon_client.h"

namespace lean::validator {

// Calls lean.v1.DutyService, and lean.v1.BeaconService for the registry and for blocks. kInternal: an answer is
// malformed. Other errors are those of Call.
class WireBeaconClient : public BeaconClient {
 public:
  // `name` is the beacon's in logs.
  explicit WireBeaconClient(std::string name) : name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  absl::StatusOr<DutiesAnswer> GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                         Timeout timeout) override;
  absl::StatusOr<Registry> GetRegistry(Timeout timeout) override;
  absl::StatusOr<BuiltBlockAnswer> BuildBlock(uint64_t slot, uint64_t proposer_index, const Root& genesis_block_root,
                                              BlockForm form, Timeout timeout) override;
  absl::StatusOr<VoteDataAnswer> BuildVote(uint64_t slot, const Root& genesis_block_root, Timeout timeout) override;
  absl::StatusOr<SubmitResult> SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) override;
  absl::StatusOr<SubmitResult> SubmitKeptBlock(const Root& root, const SignatureBytes& signature,
                                               Timeout timeout) override;
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(const std::vector<SignedAttestation>& votes,
                                                        Timeout timeout) override;
  absl::StatusOr<std::vector<Liveness>> GetLiveness(const LivenessQuery& query, Timeout timeout) override;
  absl::StatusOr<uint64_t> GetBlockSlot(const Root& root, Timeout timeout) override;

 protected:
  static absl::Status BadAnswer(const char* method, const absl::Status& status);

 private:
  absl::StatusOr<SubmitResult> Submit(const v1::SubmitBlockRequest& request, Timeout timeout);
  // One unary call of a method of a service of lean.v1. Ends within the timeout.
  virtual absl::Status Call(const char* service, const char* method, const google::protobuf::Message& request,
                            google::protobuf::Message& response, Timeout timeout) = 0;

  const std::string name_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_WIRE_BEACON_CLIENT_H_
