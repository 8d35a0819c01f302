// The files of a genesis folder: read strictly or refused, and what is read comes back from the file that we write.
#include <set>
#include <string>

#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"
#include "tests/fuzz/fuzzing.h"
#include "tests/fuzz/scratch_folder.h"

namespace lean::fuzz {
namespace {

void CheckConfig(const ScratchFolder& in, const ScratchFolder& out) {
  const absl::StatusOr<GenesisConfig> config = ReadGenesisConfig(in.path());
  if (!config.ok()) {
    Require(config.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  Require(!config->validators.empty() && config->validators.size() <= kMaxGenesisValidators);
  Require(config->genesis_time <= kMaxGenesisTime);
  Require(WriteGenesisConfig(*config, out.path()).ok());
  Require(ReadGenesisConfig(out.path()) == config);
}

void CheckAssignment(const ScratchFolder& in, const ScratchFolder& out) {
  constexpr uint64_t kValidators = 100;
  const absl::StatusOr<ValidatorAssignment> assignment = ReadValidatorAssignment(in.path(), kValidators);
  if (!assignment.ok()) {
    Require(assignment.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  std::set<uint64_t> seen;
  bool is_plain = true;
  for (const auto& [name, indices] : *assignment) {
    is_plain = is_plain && IsPlainName(name) && !indices.empty();
    for (const uint64_t index : indices) Require(index < kValidators && seen.insert(index).second);
  }
  if (!is_plain || assignment->empty()) return;
  Require(WriteValidatorAssignment(*assignment, out.path()).ok());
  Require(ReadValidatorAssignment(out.path(), kValidators) == assignment);
}

void CheckSpec(const ScratchFolder& in, const ScratchFolder& out) {
  const absl::StatusOr<NetworkSpec> spec = ReadNetworkSpec(in.path());
  if (!spec.ok()) {
    Require(spec.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  Require(CheckNetworkSpec(*spec).ok());
  Require(WriteNetworkSpec(*spec, out.path()).ok());
  Require(ReadNetworkSpec(out.path()) == spec);
}

}  // namespace
}  // namespace lean::fuzz

// The first byte chooses the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  if (size == 0) return 0;
  const absl::string_view text = TextOf(data + 1, size - 1);
  const ScratchFolder in;
  const ScratchFolder out;
  switch (data[0] % 4) {
    case 0:
      in.Write("config.yaml", text);
      CheckConfig(in, out);
      break;
    case 1:
      in.Write("annotated_validators.yaml", text);
      CheckAssignment(in, out);
      break;
    case 2:
      in.Write("validators.yaml", text);
      CheckAssignment(in, out);
      break;
    default:
      in.Write("network.yaml", text);
      CheckSpec(in, out);
  }
  return 0;
}
