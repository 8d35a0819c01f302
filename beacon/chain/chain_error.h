// Why the chain refuses an item, as a typed part of an absl::Status, so that callers can tell the kinds apart without
// parsing messages.
//
//   kind          status code          what a caller does
//   kInvalid      INVALID_ARGUMENT     drop it: it stays invalid
//   kMissingRoot  NOT_FOUND            wait for or fetch MissingRoot(), then submit it again
//   kFuture       OUT_OF_RANGE         submit it again when its slot begins
//   kTooOld       FAILED_PRECONDITION  drop it: the chain has dropped what it builds on
//   kNeedsState   UNAVAILABLE          provide the post-state of NeededState() (LeanChain::AddState), then retry
#ifndef LEAN_BEACON_CHAIN_CHAIN_ERROR_H_
#define LEAN_BEACON_CHAIN_CHAIN_ERROR_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

enum class ChainErrorKind { kInvalid, kMissingRoot, kFuture, kTooOld, kNeedsState };

absl::Status InvalidError(absl::string_view message);
// `what` names the missing part: "parent block", "vote's target".
absl::Status MissingRootError(absl::string_view what, const Root& root);
absl::Status FutureError(absl::string_view message);
absl::Status TooOldError(absl::string_view message);
// `root` is a block of the chain whose post-state is not in memory.
absl::Status NeedsStateError(const Root& root);

// The kind of a status that the functions above have made; nullopt for any other status, OK included.
std::optional<ChainErrorKind> KindOf(const absl::Status& status);

// The root that a kMissingRoot names; nullopt for any other status.
std::optional<Root> MissingRoot(const absl::Status& status);

// The root that a kNeedsState names; nullopt for any other status.
std::optional<Root> NeededState(const absl::Status& status);

// The same error with "context: " before its message; OK stays OK.
absl::Status WithContext(absl::string_view context, const absl::Status& status);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_CHAIN_ERROR_H_
