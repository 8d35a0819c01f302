#include "common/rpc/wire/status.h"

#include <optional>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/error_details.h"

namespace lean::rpc {
namespace {

constexpr absl::string_view kErrorInfoUrl = "type.googleapis.com/google.rpc.ErrorInfo";

// Cuts to at most kMaxErrorMessageBytes, not inside a UTF-8 sequence.
std::string Bounded(absl::string_view message) {
  if (message.size() <= kMaxErrorMessageBytes) return std::string(message);
  size_t size = kMaxErrorMessageBytes;
  while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  return std::string(message.substr(0, size));
}

std::optional<google::rpc::ErrorInfo> InfoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoUrl);
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  if (info.domain() != kErrorDomain) return std::nullopt;
  return info;
}

std::string DefaultReason(absl::StatusCode code) {
  return code == absl::StatusCode::kInvalidArgument ? "MALFORMED_REQUEST" : absl::StatusCodeToString(code);
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const ErrorMetadata& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  absl::Status status(code, message);
  status.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

absl::Status MalformedRequest(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_REQUEST", message);
}

std::string ReasonOf(const absl::Status& status) {
  const auto info = InfoOf(status);
  return info.has_value() ? info->reason() : "";
}

ErrorMetadata MetadataOf(const absl::Status& status) {
  const auto info = InfoOf(status);
  if (!info.has_value()) return {};
  return ErrorMetadata(info->metadata().begin(), info->metadata().end());
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::ErrorInfo info;
  if (auto own = InfoOf(status); own.has_value()) {
    info = *std::move(own);
  } else {
    info.set_reason(DefaultReason(status.code()));
    info.set_domain(std::string(kErrorDomain));
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Bounded(status.message()));
  details.add_details()->PackFrom(info);
  grpc::Status result;
  grpc::SetErrorDetails(details, &result);
  return result;
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!grpc::ExtractErrorDetails(status, &details).ok()) return result;
  for (const auto& detail : details.details()) {
    if (detail.type_url() == kErrorInfoUrl) result.SetPayload(kErrorInfoUrl, absl::Cord(detail.value()));
  }
  return result;
}

}  // namespace lean::rpc
