// Keys and values of the database, as they may be read back from a damaged disk: what is read is what would be written.
#include <optional>
#include <string>
#include <vector>

#include "beacon/storage/database/schema.h"
#include "tests/beacon/chain/chain_testing.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::fuzz {
namespace {

void CheckKeys(absl::string_view bytes) {
  const std::optional<uint64_t> number = beacon::ParseNumberKey(bytes);
  Require(number.has_value() == (bytes.size() == 8) && (!number.has_value() || beacon::NumberKey(*number) == bytes));
  const std::optional<uint64_t> value = beacon::ParseNumberValue(bytes);
  Require(value.has_value() == (bytes.size() == 8) && (!value.has_value() || beacon::NumberValue(*value) == bytes));
  const std::optional<Root> root = beacon::ParseRootKey(bytes);
  Require(root.has_value() == (bytes.size() == 32) && (!root.has_value() || beacon::RootKey(*root) == bytes));
  const std::optional<Checkpoint> block = beacon::ParseBlockKey(bytes);
  Require(block.has_value() == (bytes.size() == 40));
  if (block.has_value()) Require(beacon::BlockKey(block->slot, block->root) == bytes);
}

// Keys sort as their numbers do.
void CheckOrder(Input input) {
  const auto number = [&input] {
    uint64_t sum = 0;
    for (int i = 0; i < 8; ++i) sum = sum << 8 | input.Byte();
    return sum;
  };
  const uint64_t a = number();
  const uint64_t b = number();
  Require((beacon::NumberKey(a) < beacon::NumberKey(b)) == (a < b));
}

void CheckSnapshot(absl::string_view bytes) {
  static const beacon::StatePtr genesis = beacon::MakeGenesisState(4);
  const std::vector<Root> history(3);
  const absl::StatusOr<State> state = beacon::RestoreState(bytes, genesis->validators, history);
  if (!state.ok()) {
    Require(absl::IsDataLoss(state.status()));
    return;
  }
  Require(state->validators == genesis->validators && state->historical_block_hashes.ToVector() == history);
  const std::string reduced = beacon::ReduceState(*state);
  const absl::StatusOr<State> again = beacon::RestoreState(reduced, genesis->validators, history);
  Require(again.ok() && ssz::HashTreeRoot(*again) == ssz::HashTreeRoot(*state));
  // The whole state, with its lists, must not pass for a reduced one.
  Require(reduced == bytes);
}

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  CheckKeys(TextOf(data, size));
  CheckOrder(Input(lean::ByteSpan(data, size)));
  CheckSnapshot(TextOf(data, size));
  return 0;
}
