#include "beacon/chain/chain_error.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {
namespace {

// The payload is the kind as one byte, followed by the root for kMissingRoot and kNeedsState.
constexpr absl::string_view kPayloadUrl = "lean.beacon/ChainError";

absl::Status MakeError(absl::StatusCode code, ChainErrorKind kind, absl::string_view message, ByteSpan detail = {}) {
  absl::Status status(code, message);
  std::string payload(1, static_cast<char>(kind));
  payload.append(detail.begin(), detail.end());
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
  return status;
}

std::optional<Root> RootIn(const absl::Status& status, ChainErrorKind kind) {
  if (KindOf(status) != kind) return std::nullopt;
  const std::string payload(*status.GetPayload(kPayloadUrl));
  if (payload.size() != 1 + Root::kSize) return std::nullopt;
  Root root;
  std::copy(payload.begin() + 1, payload.end(), root.data.begin());
  return root;
}

}  // namespace

absl::Status InvalidError(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, ChainErrorKind::kInvalid, message);
}

absl::Status MissingRootError(absl::string_view what, const Root& root) {
  return MakeError(absl::StatusCode::kNotFound, ChainErrorKind::kMissingRoot,
                   absl::StrCat(what, " ", ShortHex(root.span()), " is not known"), root.span());
}

absl::Status FutureError(absl::string_view message) {
  return MakeError(absl::StatusCode::kOutOfRange, ChainErrorKind::kFuture, message);
}

absl::Status TooOldError(absl::string_view message) {
  return MakeError(absl::StatusCode::kFailedPrecondition, ChainErrorKind::kTooOld, message);
}

absl::Status NeedsStateError(const Root& root) {
  return MakeError(absl::StatusCode::kUnavailable, ChainErrorKind::kNeedsState,
                   absl::StrCat("the post-state of block ", ShortHex(root.span()), " is not in memory"), root.span());
}

std::optional<ChainErrorKind> KindOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value() || payload->empty()) return std::nullopt;
  return static_cast<ChainErrorKind>((*payload)[0]);
}

std::optional<Root> MissingRoot(const absl::Status& status) { return RootIn(status, ChainErrorKind::kMissingRoot); }

std::optional<Root> NeededState(const absl::Status& status) { return RootIn(status, ChainErrorKind::kNeedsState); }

absl::Status WithContext(absl::string_view context, const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status result(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

}  // namespace lean::beacon
