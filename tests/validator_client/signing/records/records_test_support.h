// Functions for the tests of signing records.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_TEST_SUPPORT_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_TEST_SUPPORT_H_

#include <memory>
#include <string>

#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {

inline PublicKeyBytes TestPubkey(uint8_t fill) {
  PublicKeyBytes pubkey;
  pubkey.data.fill(fill);
  return pubkey;
}

inline Root TestRoot(uint8_t fill) {
  Root root;
  root.data.fill(fill);
  return root;
}

inline std::unique_ptr<SqliteSigningRecords> OpenOrFail(const std::string& path, Machine machine = Machine::This()) {
  auto records = SqliteSigningRecords::Open({.path = path, .create = true, .machine = std::move(machine)});
  EXPECT_TRUE(records.ok()) << records.status();
  return records.ok() ? *std::move(records) : nullptr;
}

// The answer to one request.
inline absl::Status Ask(SqliteSigningRecords& records, uint8_t key, uint64_t slot, uint8_t root) {
  ASSIGN_OR_RETURN(const auto results, records.Reserve({{TestPubkey(key), slot, TestRoot(root)}}));
  return results.size() == 1 ? results.front() : absl::InternalError("not one answer");
}

inline bool Granted(SqliteSigningRecords& records, uint8_t key, uint64_t slot, uint8_t root) {
  const absl::Status status = Ask(records, key, slot, root);
  EXPECT_TRUE(status.ok() || absl::IsFailedPrecondition(status)) << status;
  return status.ok();
}

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_TEST_SUPPORT_H_
