#include "validator_client/keys/keystore/keystore_json.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/json_document.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"
#include "nlohmann/json.hpp"

namespace lean::validator {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint64_t kVersion = 4;  // of EIP-2335
constexpr size_t kMaxDepth = 8;
constexpr char kSchemeFunction[] = "leansig-xmss";
constexpr char kCipherFunction[] = "aes-128-ctr";
constexpr char kChecksumFunction[] = "sha256";
constexpr char kPrf[] = "hmac-sha256";

std::string Hex(ByteSpan bytes) { return ToHex(bytes).substr(2); }

// Reads fields of nested objects by their path, for example "crypto.kdf.params.n". Keeps the first error in status();
// later reads return empty values.
class Fields {
 public:
  explicit Fields(const json& root) : root_(root) {}

  const absl::Status& status() const { return status_; }
  void Fail(const char* path, absl::string_view what) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
  }

  uint64_t Number(const char* path) {
    const json* value = Find(path);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned()) return value->get<uint64_t>();
    Fail(path, "is not a number from 0 to 2^64 - 1");
    return 0;
  }
  std::string Text(const char* path) {
    const json* value = Find(path);
    if (value == nullptr) return "";
    if (value->is_string()) return value->get<std::string>();
    Fail(path, "is not a text");
    return "";
  }
  std::vector<uint8_t> Bytes(const char* path) {
    const std::string text = Text(path);
    absl::StatusOr<std::vector<uint8_t>> bytes = ParseHex(text);
    if (bytes.ok()) return *std::move(bytes);
    Fail(path, bytes.status().message());
    return {};
  }
  void FixedBytes(const char* path, absl::Span<uint8_t> out) {
    if (absl::Status status = ParseHexInto(Text(path), out); !status.ok()) Fail(path, status.message());
  }
  // Refuses all fields that were not read, since their meaning may matter.
  void ExpectNothingElse() { ExpectKnown(root_, ""); }

  // An object without fields, or none.
  void ExpectEmpty(const char* path) {
    const json* value = Find(path);
    if (value != nullptr && (!value->is_object() || !value->empty())) Fail(path, "is no empty object");
  }
  void Expect(const char* path, absl::string_view expected) {
    const std::string text = Text(path);
    if (text != expected) Fail(path, absl::StrCat("is not \"", expected, "\", the only one that is known here"));
  }
  void Expect(const char* path, uint64_t expected) {
    const uint64_t number = Number(path);
    if (number != expected) Fail(path, absl::StrCat("is ", number, ", and only ", expected, " is known here"));
  }

 private:
  void ExpectKnown(const json& object, const std::string& prefix) {
    for (const auto& [name, value] : object.items()) {
      const std::string path = absl::StrCat(prefix, name);
      const auto next = asked_.lower_bound(path);
      const bool is_inner = next != asked_.end() && absl::StartsWith(*next, absl::StrCat(path, "."));
      if (asked_.contains(path)) continue;
      if (!is_inner) return Fail(Printable(path).c_str(), "is not known here");
      ExpectKnown(value, absl::StrCat(path, "."));
    }
  }

  const json* Find(const char* path) {
    asked_.insert(path);
    if (!status_.ok()) return nullptr;
    const json* value = &root_;
    absl::string_view rest = path;
    while (!rest.empty()) {
      const absl::string_view name = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      const auto found = value->is_object() ? value->find(std::string(name)) : value->end();
      if (found == value->end()) {
        Fail(path, "is missing");
        return nullptr;
      }
      value = &*found;
    }
    return value;
  }

  const json& root_;
  std::set<std::string> asked_;
  absl::Status status_;
};

DerivationCost ReadCost(Fields& fields) {
  DerivationCost cost;
  const std::string function = fields.Text("crypto.kdf.function");
  if (function == "scrypt") {
    cost = ScryptCost{.n = fields.Number("crypto.kdf.params.n"),
                      .r = fields.Number("crypto.kdf.params.r"),
                      .p = fields.Number("crypto.kdf.params.p")};
  } else if (function == "pbkdf2") {
    fields.Expect("crypto.kdf.params.prf", kPrf);
    cost = Pbkdf2Cost{.c = fields.Number("crypto.kdf.params.c")};
  } else {
    fields.Fail("crypto.kdf.function", "is neither \"scrypt\" nor \"pbkdf2\"");
  }
  fields.Expect("crypto.kdf.params.dklen", kDerivedKeyBytes);
  if (const absl::Status status = CheckCost(cost); !status.ok()) fields.Fail("crypto.kdf.params", status.message());
  return cost;
}

ordered_json CostParams(const ScryptCost& cost) { return {{"n", cost.n}, {"r", cost.r}, {"p", cost.p}}; }
ordered_json CostParams(const Pbkdf2Cost& cost) { return {{"c", cost.c}, {"prf", kPrf}}; }

bool IsUuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<EncryptedKeystore> ParseKeystore(absl::string_view text) {
  if (text.size() > kMaxKeystoreBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", text.size(), " bytes, more than the ", kMaxKeystoreBytes, " a keystore can have"));
  }
  ASSIGN_OR_RETURN(const json root, ParseJson(text, kMaxDepth));
  Fields fields(root);
  fields.Expect("version", kVersion);
  fields.Expect("scheme.function", kSchemeFunction);
  EncryptedKeystore keystore;
  keystore.uuid = fields.Text("uuid");
  if (!IsUuid(keystore.uuid)) fields.Fail("uuid", "is no UUID");
  keystore.path = fields.Text("path");
  if (root.contains("description")) keystore.description = fields.Text("description");
  fields.FixedBytes("pubkey", keystore.pubkey.mutable_span());
  const uint64_t log_lifetime = fields.Number("scheme.params.log_lifetime");
  if (log_lifetime > xmss::kMaxLogLifetime) fields.Fail("scheme.params.log_lifetime", "is above 32");
  keystore.log_lifetime = static_cast<uint32_t>(log_lifetime);
  keystore.active = {.first = fields.Number("scheme.params.active_first_slot"),
                     .end = fields.Number("scheme.params.active_end_slot")};
  keystore.secret.cost = ReadCost(fields);
  keystore.secret.salt = fields.Bytes("crypto.kdf.params.salt");
  if (keystore.secret.salt.empty() || keystore.secret.salt.size() > kMaxSaltBytes) {
    fields.Fail("crypto.kdf.params.salt", absl::StrCat("has not 1 to ", kMaxSaltBytes, " bytes"));
  }
  fields.Expect("crypto.kdf.message", "");
  fields.Expect("crypto.checksum.function", kChecksumFunction);
  fields.ExpectEmpty("crypto.checksum.params");
  fields.FixedBytes("crypto.checksum.message", keystore.secret.checksum.mutable_span());
  fields.Expect("crypto.cipher.function", kCipherFunction);
  fields.FixedBytes("crypto.cipher.params.iv", absl::MakeSpan(keystore.secret.iv));
  keystore.secret.ciphertext = fields.Bytes("crypto.cipher.message");
  fields.ExpectNothingElse();
  RETURN_IF_ERROR(fields.status());
  return keystore;
}

std::string FormatKeystore(const EncryptedKeystore& keystore) {
  const EncryptedSecret& secret = keystore.secret;
  const bool scrypt = std::holds_alternative<ScryptCost>(secret.cost);
  ordered_json kdf_params = std::visit([](const auto& cost) { return CostParams(cost); }, secret.cost);
  kdf_params["dklen"] = kDerivedKeyBytes;
  kdf_params["salt"] = Hex(secret.salt);
  const ordered_json root = {
      {"version", kVersion},
      {"uuid", keystore.uuid},
      {"description", keystore.description},
      {"path", keystore.path},
      {"pubkey", Hex(keystore.pubkey.span())},
      {"scheme",
       {{"function", kSchemeFunction},
        {"params",
         {{"log_lifetime", keystore.log_lifetime},
          {"active_first_slot", keystore.active.first},
          {"active_end_slot", keystore.active.end}}}}},
      {"crypto",
       {{"kdf", {{"function", scrypt ? "scrypt" : "pbkdf2"}, {"params", kdf_params}, {"message", ""}}},
        {"checksum",
         {{"function", kChecksumFunction},
          {"params", ordered_json::object()},
          {"message", Hex(secret.checksum.span())}}},
        {"cipher",
         {{"function", kCipherFunction}, {"params", {{"iv", Hex(secret.iv)}}}, {"message", Hex(secret.ciphertext)}}}}}};
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::string> MakeUuid(RandomSource& random) {
  Bytes<16> bytes;
  RETURN_IF_ERROR(random.Fill(bytes.mutable_span()));
  bytes.data[6] = static_cast<uint8_t>((bytes.data[6] & 0x0f) | 0x40);
  bytes.data[8] = static_cast<uint8_t>((bytes.data[8] & 0x3f) | 0x80);
  const std::string text = Hex(bytes.span());
  const absl::string_view digits = text;
  return absl::StrCat(digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4), "-",
                      digits.substr(16, 4), "-", digits.substr(20));
}

}  // namespace lean::validator
