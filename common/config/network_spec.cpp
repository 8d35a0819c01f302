#include "common/config/network_spec.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/config/yaml.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr size_t kMaxSpecBytes = 64 * 1024;
constexpr uint64_t kMinSlotMs = 100;
constexpr uint64_t kMaxSlotMs = 60'000;

absl::Status CheckName(absl::string_view name) {
  if (!IsPlainName(name)) return absl::InvalidArgumentError("expected 1 to 64 letters, digits, '-', '_' or '.'");
  return absl::OkStatus();
}

absl::Status CheckSlotDuration(uint64_t slot_duration_ms) {
  if (slot_duration_ms < kMinSlotMs || slot_duration_ms > kMaxSlotMs || slot_duration_ms % 4 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("expected a multiple of 4 from ", kMinSlotMs, " to ", kMaxSlotMs,
                                                   " milliseconds, got ", slot_duration_ms));
  }
  return absl::OkStatus();
}

absl::Status CheckLogLifetime(uint64_t log_lifetime) {
  if (log_lifetime != 8 && log_lifetime != 16 && log_lifetime != 32) {
    return absl::InvalidArgumentError(absl::StrCat("expected 8, 16 or 32, got ", log_lifetime));
  }
  return absl::OkStatus();
}

absl::Status CheckForm(absl::string_view form) {
  if (form != SignatureFormName(SignatureForm::kFlat)) {
    return absl::InvalidArgumentError(absl::StrCat("expected flat, got \"", form, "\""));
  }
  return absl::OkStatus();
}

// Returns the error of `check` with the place of the value in the file.
absl::Status Located(const YamlValue& value, const absl::Status& check) {
  return check.ok() ? check : value.Error(check.message());
}

absl::Status ReadField(const std::string& name, const YamlValue& value, NetworkSpec& spec) {
  if (name == "NETWORK_NAME" || name == "SIGNATURE_FORM") {
    ASSIGN_OR_RETURN(std::string text, value.Text());
    if (name == "SIGNATURE_FORM") return Located(value, CheckForm(text));
    spec.name = text;
    return Located(value, CheckName(text));
  }
  if (name == "SLOT_DURATION_MS" || name == "XMSS_LOG_LIFETIME") {
    ASSIGN_OR_RETURN(uint64_t number, value.Number(0, kMaxSlotMs));
    if (name == "SLOT_DURATION_MS") {
      spec.slot_duration_ms = number;
      return Located(value, CheckSlotDuration(number));
    }
    spec.xmss_log_lifetime = static_cast<uint32_t>(number);
    return Located(value, CheckLogLifetime(number));
  }
  return value.Error("unknown field: known are NETWORK_NAME, SLOT_DURATION_MS, XMSS_LOG_LIFETIME, SIGNATURE_FORM");
}

}  // namespace

absl::string_view SignatureFormName(SignatureForm form) {
  switch (form) {
    case SignatureForm::kFlat:
      return "flat";
  }
  return "unknown";
}

absl::Status CheckNetworkSpec(const NetworkSpec& spec) {
  const std::pair<absl::string_view, absl::Status> checks[] = {
      {"network name", CheckName(spec.name)},
      {"slot duration", CheckSlotDuration(spec.slot_duration_ms)},
      {"XMSS log lifetime", CheckLogLifetime(spec.xmss_log_lifetime)},
  };
  for (const auto& [field, status] : checks) {
    RETURN_IF_ERROR(status, absl::InvalidArgumentError(absl::StrCat(field, ": ", _.message())));
  }
  return absl::OkStatus();
}

std::string NetworkSpecPath(const std::string& genesis_dir) { return absl::StrCat(genesis_dir, "/network.yaml"); }

absl::StatusOr<NetworkSpec> ReadNetworkSpec(const std::string& genesis_dir, std::vector<std::string>* warnings) {
  absl::StatusOr<YamlValue> root = YamlValue::ReadFile(NetworkSpecPath(genesis_dir), kMaxSpecBytes);
  if (absl::IsNotFound(root.status())) {
    const NetworkSpec defaults;
    if (warnings != nullptr) {
      warnings->push_back(absl::StrCat(NetworkSpecPath(genesis_dir), " is missing, so slots have ",
                                       defaults.slot_duration_ms, " ms and keys have a lifetime of 2^",
                                       defaults.xmss_log_lifetime));
    }
    return defaults;
  }
  RETURN_IF_ERROR(root.status());
  ASSIGN_OR_RETURN(auto fields, root->Fields());
  NetworkSpec spec;
  for (const auto& [name, value] : fields) {
    RETURN_IF_ERROR(ReadField(name, value, spec));
  }
  return spec;
}

absl::Status WriteNetworkSpec(const NetworkSpec& spec, const std::string& genesis_dir) {
  RETURN_IF_ERROR(CheckNetworkSpec(spec));
  std::string text = "# What distinguishes this network, beside its genesis.\n";
  absl::StrAppend(&text, "NETWORK_NAME: \"", spec.name, "\"\n");
  absl::StrAppend(&text, "SLOT_DURATION_MS: ", spec.slot_duration_ms, "\n");
  absl::StrAppend(&text, "XMSS_LOG_LIFETIME: ", spec.xmss_log_lifetime, "\n");
  absl::StrAppend(&text, "SIGNATURE_FORM: ", SignatureFormName(spec.signature_form), "\n");
  return WriteNewTextFile(NetworkSpecPath(genesis_dir), text);
}

}  // namespace lean
