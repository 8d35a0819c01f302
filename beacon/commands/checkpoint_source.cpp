#include "beacon/commands/checkpoint_source.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/rpc/client/calls.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "grpcpp/client_context.h"
#include "lean/v1/beacon.grpc.pb.h"

namespace lean::beacon {
namespace {

// Timeout for one page of 4 MiB.
constexpr std::chrono::seconds kPageTimeout{60};

class RemoteCheckpoint {
 public:
  RemoteCheckpoint(const std::shared_ptr<grpc::Channel>& channel, std::string address, const Root& root,
                   spdlog::logger& log)
      : stub_(v1::BeaconService::NewStub(channel)), address_(std::move(address)), root_(root), log_(log) {}

  // Callable from any thread. Current and later fetches end with CANCELLED.
  void Cancel() { calls_.Cancel(); }

  // Fetches all pages of one part.
  absl::StatusOr<std::string> Fetch(v1::GetCheckpointRequest::Part part) {
    std::string bytes;
    uint64_t total = 0;
    do {
      ASSIGN_OR_RETURN(const v1::GetCheckpointResponse page, FetchPage(part, bytes.size()));
      total = page.total_bytes();
      if (total > kMaxCheckpointPartBytes || page.data().empty() || page.data().size() > total - bytes.size()) {
        return absl::InvalidArgumentError(absl::StrCat("the checkpoint from ", address_, " is inconsistent"));
      }
      bytes += page.data();
      log_.info("checkpoint_fetched part={} bytes={} of={}", v1::GetCheckpointRequest::Part_Name(part), bytes.size(),
                total);
    } while (bytes.size() < total);
    return bytes;
  }

 private:
  absl::StatusOr<v1::GetCheckpointResponse> FetchPage(v1::GetCheckpointRequest::Part part, uint64_t offset) {
    v1::GetCheckpointRequest request;
    request.set_root(ToHex(root_.span()));
    request.set_part(part);
    request.set_offset(offset);
    grpc::ClientContext context;
    context.set_deadline(SystemTime() + kPageTimeout);
    context.set_wait_for_ready(true);
    if (!calls_.Begin(context)) return absl::CancelledError("the request was cancelled");
    v1::GetCheckpointResponse response;
    const absl::Status status = rpc::FromGrpcStatus(stub_->GetCheckpoint(&context, request, &response));
    calls_.End(context);
    if (status.ok()) return response;
    return absl::Status(status.code(), absl::StrCat("the checkpoint from ", address_, ": ", status.message()));
  }

  const std::unique_ptr<v1::BeaconService::Stub> stub_;
  const std::string address_;
  const Root root_;
  spdlog::logger& log_;
  rpc::CancellableCalls calls_;
};

template <typename T>
absl::StatusOr<T> Decode(const absl::StatusOr<std::string>& bytes, const std::string& address) {
  RETURN_IF_ERROR(bytes.status());
  absl::StatusOr<T> decoded = ssz::Deserialize<T>(BytesOfText(*bytes));
  if (decoded.ok()) return decoded;
  return absl::InvalidArgumentError(absl::StrCat("the checkpoint from ", address, ": ", decoded.status().message()));
}

absl::Status FetchParts(RemoteCheckpoint& remote, const std::string& source, CheckpointParts& parts) {
  ASSIGN_OR_RETURN(auto block,
                   Decode<SignedBlockWithAttestation>(remote.Fetch(v1::GetCheckpointRequest::BLOCK), source));
  ASSIGN_OR_RETURN(auto state, Decode<State>(remote.Fetch(v1::GetCheckpointRequest::STATE), source));
  parts = {.block = std::move(block), .state = std::move(state)};
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckpointParts> LoadCheckpoint(const std::string& source, const Root& root, const std::stop_token& stop,
                                               spdlog::logger& log) {
  std::error_code ignored;
  if (std::filesystem::exists(source, ignored)) return ReadCheckpointFile(source);
  ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(source),
                   absl::InvalidArgumentError(
                       absl::StrCat("--checkpoint ", source, " is neither a file nor an address: ", _.message())));
  RemoteCheckpoint remote(channel, source, root, log);
  const std::stop_callback cancel(stop, [&remote] { remote.Cancel(); });
  CheckpointParts parts;
  RETURN_IF_ERROR(
      FetchParts(remote, source, parts),
      stop.stop_requested() ? absl::CancelledError("the beacon was stopped before it had the checkpoint") : _);
  return parts;
}

}  // namespace lean::beacon
