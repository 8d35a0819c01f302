#include "beacon/commands/checkpoint_source.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "beacon/http/client/http_get.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/rpc/client/calls.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/connections/address.h"
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

constexpr absl::string_view kHttp = "http://";
constexpr absl::string_view kHttps = "https://";
// The largest block has 13.3 MB.
constexpr size_t kMaxBlockBytes = size_t{16} << 20;

// Between two questions for the latest finalized block, which changes once a slot.
constexpr std::chrono::milliseconds kHttpPause{250};

// A lean client, over HTTP.
class HttpCheckpoint {
 public:
  HttpCheckpoint(std::string source, rpc::Address address, std::stop_token stop, spdlog::logger& log)
      : source_(std::move(source)), address_(std::move(address)), stop_(std::move(stop)), log_(log) {}

  // Asks for the latest finalized block until it is `root`, and then for its state.
  absl::StatusOr<CheckpointParts> Fetch(const Root& root) {
    RealClock clock;
    const SteadyTime until = clock.Steady() + kHttpWait;
    std::optional<Root> last;
    while (true) {
      ASSIGN_OR_RETURN(auto block, Get<SignedBlockWithAttestation>("blocks", kMaxBlockBytes));
      const Root found = ssz::HashTreeRoot(block.message.block);
      if (found == root) {
        ASSIGN_OR_RETURN(State state, Get<State>("states", kMaxCheckpointPartBytes));
        log_.info("checkpoint_fetched source={} slot={}", source_, block.message.block.slot);
        return CheckpointParts{.block = std::move(block), .state = std::move(state)};
      }
      const uint64_t slot = block.message.block.slot;
      if (last != found) {
        log_.info("checkpoint_waiting source={} finalized_slot={} finalized_root={}", source_, slot,
                  ToHex(found.span()));
        last = found;
      }
      if (clock.Steady() >= until) {
        return absl::NotFoundError(absl::StrCat(
            "the checkpoint from ", source_, ": its latest finalized block is ", ToHex(found.span()), " of slot ", slot,
            ", not --checkpoint-root ", ToHex(root.span()),
            ". It gives its latest finalized block only: name the root of a block that is about to be finalized"));
      }
      if (!clock.WaitUntil(clock.Steady() + kHttpPause, stop_)) return absl::CancelledError("the beacon was stopped");
    }
  }

 private:
  template <typename T>
  absl::StatusOr<T> Get(absl::string_view what, size_t limit) {
    return Decode<T>(HttpGet(address_, absl::StrCat("/lean/v0/", what, "/finalized"), {.bytes = limit}, stop_),
                     source_);
  }

  const std::string source_;
  const rpc::Address address_;
  const std::stop_token stop_;
  spdlog::logger& log_;
};

absl::StatusOr<CheckpointParts> LoadOverHttp(const std::string& source, const Root& root, const std::stop_token& stop,
                                             spdlog::logger& log) {
  absl::string_view rest = source;
  absl::ConsumePrefix(&rest, kHttp);
  absl::ConsumeSuffix(&rest, "/");
  ASSIGN_OR_RETURN(rpc::Address address, rpc::ParseAddress(rest),
                   absl::InvalidArgumentError(absl::StrCat("--checkpoint ", source, ": ", _.message())));
  if (address.IsUnix()) {
    return absl::InvalidArgumentError(absl::StrCat("--checkpoint ", source, ": expected http://HOST:PORT"));
  }
  absl::StatusOr<CheckpointParts> parts = HttpCheckpoint(source, std::move(address), stop, log).Fetch(root);
  if (!parts.ok() && stop.stop_requested()) {
    return absl::CancelledError("the beacon was stopped before it had the checkpoint");
  }
  return parts;
}

}  // namespace

absl::StatusOr<CheckpointParts> LoadCheckpoint(const std::string& source, const rpc::ClientTlsFiles& tls,
                                               const Root& root, const std::stop_token& stop, spdlog::logger& log) {
  std::error_code ignored;
  if (std::filesystem::exists(source, ignored)) return ReadCheckpointFile(source);
  if (absl::StartsWith(source, kHttp)) return LoadOverHttp(source, root, stop, log);
  if (absl::StartsWith(source, kHttps)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--checkpoint ", source,
                     ": https is not supported; http is as safe here, since --checkpoint-root is what is trusted"));
  }
  ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(source, {.tls = tls}),
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
