// How far a chain was, in a file beside its database: it tells when the database comes back with less.
#ifndef LEAN_BEACON_STORAGE_DATABASE_CHAIN_TIP_H_
#define LEAN_BEACON_STORAGE_DATABASE_CHAIN_TIP_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/storage/database/chain_database.h"
#include "common/containers/checkpoint.h"

namespace lean::beacon {

// As of a batch that is on disk.
struct ChainTip {
  Checkpoint head;
  Checkpoint finalized;

  friend bool operator==(const ChainTip&, const ChainTip&) = default;
};

// The file DIR/chain_tip, of two lines: "head SLOT ROOT" and "finalized SLOT ROOT". A WholeFile.
absl::Status WriteChainTip(const std::string& data_dir, const ChainTip& tip);
// nullopt: there is none. DataLoss: it is something else.
absl::StatusOr<std::optional<ChainTip>> ReadChainTip(const std::string& data_dir);

// For people: what the database's folder had by its tip and the database has not, and how far the database is. nullopt:
// nothing. Errors as of the database; a tip that cannot be read is told as a loss.
absl::StatusOr<std::optional<std::string>> LostSinceTip(const ChainDatabase& database);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_CHAIN_TIP_H_
