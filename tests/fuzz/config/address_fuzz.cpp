// Addresses of servers from arbitrary text: parsed strictly or refused, and the same again from their own text.
#include "common/rpc/connections/address.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  using lean::rpc::Address;
  const absl::string_view text = TextOf(data, size);
  const absl::StatusOr<Address> address = lean::rpc::ParseAddress(text);
  if (!address.ok()) {
    Require(address.status().code() == absl::StatusCode::kInvalidArgument);
    return 0;
  }
  Require(address->IsUnix() ? address->unix_path.front() == '/' : !address->host.empty());
  const absl::StatusOr<Address> again = lean::rpc::ParseAddress(address->ToString());
  Require(again.ok() && again->host == address->host && again->port == address->port &&
          again->unix_path == address->unix_path && again->IsLoopback() == address->IsLoopback());
  return 0;
}
