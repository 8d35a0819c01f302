#include "validator_client/keys/keystore/keystore_json.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/json_document.h"
#include "common/status/status_macros.h"
#include "nlohmann/json.hpp"
#include "validator_client/keys/keystore/json_fields.h"

namespace lean::validator {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint64_t kVersion = 5;     // of EIP-8310
constexpr uint64_t kOldVersion = 4;  // of EIP-2335
constexpr size_t kMaxDepth = 8;
constexpr char kOldSchemeFunction[] = "leansig-xmss";
constexpr char kChecksumFunction[] = "sha256";
constexpr char kPrf[] = "hmac-sha256";
constexpr char kAes256Gcm[] = "aes-256-gcm";
constexpr char kAes128Ctr[] = "aes-128-ctr";

// `scheme` of version 5. The hash stands for leanSig f10dcbe's Poseidon2 with the lengths of
// common/crypto/xmss/scheme.h.
constexpr char kSchemeName[] = "leanxmss";
constexpr char kHash[] = "poseidon2-koalabear";
constexpr char kEncoding[] = "target_sum";
constexpr char kIndexMode[] = "synchronized";
constexpr char kSeedForm[] = "leansig-chacha12";
constexpr char kExplicitForm[] = "leansig-explicit";

std::string Hex(ByteSpan bytes) { return ToHex(bytes).substr(2); }

DerivationCost ReadCost(JsonFields& fields, bool old) {
  DerivationCost cost;
  const std::string params = "crypto.kdf.params.";
  const std::string function = fields.Text("crypto.kdf.function");
  if (function == "scrypt") {
    cost = ScryptCost{
        .n = fields.Number(params + "n"), .r = fields.Number(params + "r"), .p = fields.Number(params + "p")};
  } else if (function == "pbkdf2") {
    fields.Expect(params + "prf", kPrf);
    cost = Pbkdf2Cost{.c = fields.Number(params + "c")};
  } else if (function == "argon2id" && !old) {
    cost = Argon2Cost{
        .t = fields.Number(params + "t"), .m = fields.Number(params + "m"), .p = fields.Number(params + "p")};
  } else {
    fields.Fail("crypto.kdf.function",
                old ? "is neither \"scrypt\" nor \"pbkdf2\"" : "is none of \"scrypt\", \"pbkdf2\" and \"argon2id\"");
  }
  fields.Expect(params + "dklen", kDerivedKeyBytes);
  if (const absl::Status status = CheckCost(cost); !status.ok()) fields.Fail("crypto.kdf.params", status.message());
  return cost;
}

ordered_json CostParams(const ScryptCost& cost) { return {{"n", cost.n}, {"r", cost.r}, {"p", cost.p}}; }
ordered_json CostParams(const Pbkdf2Cost& cost) { return {{"c", cost.c}, {"prf", kPrf}}; }
ordered_json CostParams(const Argon2Cost& cost) { return {{"t", cost.t}, {"m", cost.m}, {"p", cost.p}}; }

const char* CostFunction(const DerivationCost& cost) {
  if (std::holds_alternative<ScryptCost>(cost)) return "scrypt";
  return std::holds_alternative<Pbkdf2Cost>(cost) ? "pbkdf2" : "argon2id";
}

void ReadCrypto(JsonFields& fields, bool old, EncryptedSecret& secret) {
  secret.cost = ReadCost(fields, old);
  secret.salt = fields.Bytes("crypto.kdf.params.salt");
  if (secret.salt.empty() || secret.salt.size() > kMaxSaltBytes) {
    fields.Fail("crypto.kdf.params.salt", absl::StrCat("has not 1 to ", kMaxSaltBytes, " bytes"));
  }
  fields.Expect("crypto.kdf.message", "");
  // A tag checks the password as well, so version 5 can do without the checksum.
  if (old || fields.Has("crypto.checksum")) {
    fields.Expect("crypto.checksum.function", kChecksumFunction);
    fields.ExpectEmpty("crypto.checksum.params");
    secret.checksum.emplace();
    fields.FixedBytes("crypto.checksum.message", secret.checksum->mutable_span());
  }
  if (!old && fields.Text("crypto.cipher.function") == kAes128Ctr) {
    fields.Fail("crypto.cipher.function", absl::StrCat("is \"", kAes128Ctr, "\", which version 5 forbids"));
  }
  fields.Expect("crypto.cipher.function", old ? kAes128Ctr : kAes256Gcm);
  secret.cipher = old ? Cipher::kAes128Ctr : Cipher::kAes256Gcm;
  secret.iv.resize(InitialVectorBytes(secret.cipher));
  fields.FixedBytes("crypto.cipher.params.iv", absl::MakeSpan(secret.iv));
  secret.ciphertext = fields.Bytes("crypto.cipher.message");
}

bool IsUuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

void ReadOldScheme(JsonFields& fields, EncryptedKeystore& keystore) {
  fields.Expect("scheme.function", kOldSchemeFunction);
  const uint64_t log_lifetime = fields.Number("scheme.params.log_lifetime");
  if (log_lifetime > xmss::kMaxLogLifetime) fields.Fail("scheme.params.log_lifetime", "is above 32");
  keystore.log_lifetime = static_cast<uint32_t>(log_lifetime);
  keystore.active = {.first = fields.Number("scheme.params.active_first_slot"),
                     .end = fields.Number("scheme.params.active_end_slot")};
  keystore.form = SecretForm::kKeyFile;
}

void ReadScheme(JsonFields& fields, EncryptedKeystore& keystore) {
  fields.Expect("scheme.name", kSchemeName);
  const std::string params = "scheme.params.";
  fields.Expect(params + "hash", kHash);
  fields.Expect(params + "hypertree_layers", 1);
  fields.Expect(params + "encoding", kEncoding);
  fields.Expect(params + "winternitz_w", xmss::kBase);
  fields.Expect(params + "dimension", xmss::kDimension);
  fields.Expect(params + "target_sum", xmss::kTargetSum);
  fields.Expect(params + "index_mode", kIndexMode);
  const uint64_t height = fields.Number(params + "tree_height");
  const absl::StatusOr<xmss::Scheme> scheme =
      xmss::Scheme::Create(height <= xmss::kMaxLogLifetime ? static_cast<uint32_t>(height) : 0);
  if (!scheme.ok()) return fields.Fail(params + "tree_height", "is none of 32, 16 and 8");
  keystore.log_lifetime = scheme->log_lifetime();
  if (fields.Number(params + "lifetime_leaves") != scheme->lifetime()) {
    fields.Fail(params + "lifetime_leaves", "is not 2^tree_height");
  }
  // Without num_active_epochs, which the draft lacks, the key has all leaves from its activation on.
  const uint64_t first = fields.Number(params + "activation_epoch");
  const uint64_t rest = first < scheme->lifetime() ? scheme->lifetime() - first : 0;
  const std::string count_field = params + "num_active_epochs";
  const uint64_t count = fields.Has(count_field) ? fields.Number(count_field) : rest;
  if (count == 0 || count > rest) fields.Fail("scheme.params", "its active epochs are not within its lifetime");
  keystore.active = {.first = first, .end = first + count};
  const std::string form_field = params + "seed_derivation";
  const std::string form = fields.Has(form_field) ? fields.Text(form_field) : kSeedForm;
  if (form != kSeedForm && form != kExplicitForm) {
    fields.Fail(form_field, absl::StrCat("is neither \"", kSeedForm, "\" nor \"", kExplicitForm, "\""));
  }
  keystore.form = form == kSeedForm ? SecretForm::kSeed : SecretForm::kExplicitSeed;
}

}  // namespace

absl::StatusOr<EncryptedKeystore> ReadKeystore(const json& root) {
  JsonFields fields(root);
  const uint64_t version = fields.Number("version");
  if (version != kVersion && version != kOldVersion) {
    fields.Fail("version", absl::StrCat("is ", version, ", and only 5 (EIP-8310) and 4 are known here"));
  }
  const bool old = version == kOldVersion;
  EncryptedKeystore keystore;
  old ? ReadOldScheme(fields, keystore) : ReadScheme(fields, keystore);
  keystore.uuid = fields.Text("uuid");
  if (!IsUuid(keystore.uuid)) fields.Fail("uuid", "is no UUID");
  keystore.path = fields.Text("path");
  if (fields.Has("description")) keystore.description = fields.Text("description");
  fields.FixedBytes("pubkey", keystore.pubkey.mutable_span());
  if (!old) keystore.state = ReadKeyState(fields);
  ReadCrypto(fields, old, keystore.secret);
  fields.ExpectNothingElse();
  RETURN_IF_ERROR(fields.status());
  return keystore;
}

absl::StatusOr<EncryptedKeystore> ParseKeystore(absl::string_view text) {
  const auto too_long = [&text](size_t most) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", text.size(), " bytes, more than the ", most, " a keystore can have"));
  };
  if (text.size() > kMaxOldKeystoreBytes) return too_long(kMaxOldKeystoreBytes);
  ASSIGN_OR_RETURN(const json root, ParseJson(text, kMaxDepth));
  ASSIGN_OR_RETURN(EncryptedKeystore keystore, ReadKeystore(root));
  if (keystore.form != SecretForm::kKeyFile && text.size() > kMaxKeystoreBytes) return too_long(kMaxKeystoreBytes);
  return keystore;
}

ordered_json KeystoreToJson(const EncryptedKeystore& keystore) {
  const EncryptedSecret& secret = keystore.secret;
  ordered_json kdf_params = std::visit([](const auto& cost) { return CostParams(cost); }, secret.cost);
  kdf_params["dklen"] = kDerivedKeyBytes;
  kdf_params["salt"] = Hex(secret.salt);
  ordered_json crypto = {{"kdf", {{"function", CostFunction(secret.cost)}, {"params", kdf_params}, {"message", ""}}}};
  if (secret.checksum.has_value()) {
    crypto["checksum"] = {
        {"function", kChecksumFunction}, {"params", ordered_json::object()}, {"message", Hex(secret.checksum->span())}};
  }
  crypto["cipher"] = {
      {"function", kAes256Gcm}, {"params", {{"iv", Hex(secret.iv)}}}, {"message", Hex(secret.ciphertext)}};
  return {{"version", kVersion},
          {"uuid", keystore.uuid},
          {"description", keystore.description},
          {"path", keystore.path},
          {"pubkey", Hex(keystore.pubkey.span())},
          {"scheme",
           {{"name", kSchemeName},
            {"params",
             {{"hash", kHash},
              {"tree_height", keystore.log_lifetime},
              {"hypertree_layers", 1},
              {"encoding", kEncoding},
              {"winternitz_w", xmss::kBase},
              {"dimension", xmss::kDimension},
              {"target_sum", xmss::kTargetSum},
              {"index_mode", kIndexMode},
              {"activation_epoch", keystore.active.first},
              {"lifetime_leaves", uint64_t{1} << keystore.log_lifetime},
              {"num_active_epochs", keystore.active.size()},
              {"seed_derivation", keystore.form == SecretForm::kSeed ? kSeedForm : kExplicitForm}}}}},
          {"state", FormatKeyState(keystore.state, keystore.active)},
          {"crypto", std::move(crypto)}};
}

std::string FormatKeystore(const EncryptedKeystore& keystore) {
  return KeystoreToJson(keystore).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
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
