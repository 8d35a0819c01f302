#include "validator_client/keys/keystore/key_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<WipedBytes> ReadKeyFile(const std::string& path, bool may_be_public) {
  const size_t max_bytes = std::max(kMaxKeystoreBytes, xmss::kMaxKeyFileBytes);
  absl::StatusOr<WipedBytes> file =
      may_be_public ? ReadRegularFile(path, max_bytes) : ReadSecretFile(path, max_bytes, SecretFileKind::kRegular);
  if (file.ok() && file->span().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is empty: put the key back from a copy, if there is one"));
  }
  return file;
}

// No plain key file starts like this: ours starts with LEANXMSS, and leanSig's contains zeros.
bool IsEncrypted(ByteSpan content) {
  const auto first = std::find_if(content.begin(), content.end(), [](uint8_t byte) {
    return byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t';
  });
  return first != content.end() && *first == '{' && std::find(content.begin(), content.end(), 0) == content.end();
}

absl::StatusOr<EncryptedKeystore> Parse(const std::string& path, ByteSpan content) {
  ASSIGN_OR_RETURN(EncryptedKeystore keystore,
                   ParseKeystore({reinterpret_cast<const char*>(content.data()), content.size()}), InFile(path, _));
  return keystore;
}

absl::Status CheckContent(const EncryptedKeystore& keystore, const xmss::SecretKeyInfo& info) {
  if (PublicKeyBytesOf(info.scheme, info.public_key) != keystore.pubkey) {
    return absl::InvalidArgumentError("pubkey: is not that of the secret in it: it is damaged");
  }
  if (info.scheme.log_lifetime() != keystore.log_lifetime || info.active != keystore.active) {
    return absl::InvalidArgumentError("scheme.params: are not those of the secret in it: it is damaged");
  }
  return absl::OkStatus();
}

absl::StatusOr<OpenedKeyFile> OpenEncrypted(const std::string& path, ByteSpan file, const PasswordSource& source) {
  ASSIGN_OR_RETURN(const EncryptedKeystore keystore, Parse(path, file));
  ASSIGN_OR_RETURN(const Password* password, source(), InFile(path, _));
  ASSIGN_OR_RETURN(WipedBytes content, Decrypt(keystore.secret, *password), InFile(path, _));
  return OpenDecrypted(keystore, std::move(content), path);
}

absl::StatusOr<OpenedKeyFile> Open(const std::string& path, ByteSpan file, const PasswordSource& password) {
  if (IsEncrypted(file)) return OpenEncrypted(path, file, password);
  ASSIGN_OR_RETURN(xmss::SecretKeyInfo info, xmss::InspectSecretKeyBytes(file, path));
  return OpenedKeyFile{std::move(info), std::nullopt};
}

// The key in a plain key file of ours, with the trees of its cache.
absl::StatusOr<xmss::SecretKey> ReadCached(const xmss::Scheme& scheme, ByteSpan content, const std::string& path) {
  ASSIGN_OR_RETURN(xmss::SecretKeySeed seed, xmss::DecodeSecretKeySeed(scheme, content));
  ASSIGN_OR_RETURN(const WipedBytes cache, ReadRegularFile(xmss::TreeCachePath(path), xmss::kMaxKeyFileBytes));
  ASSIGN_OR_RETURN(xmss::CachedTrees trees, xmss::DecodeTreeCache(scheme, seed, cache.span()));
  return xmss::AssembleSecretKey(scheme, std::move(seed), std::move(trees));
}

absl::StatusOr<xmss::SecretKey> ReadOrBuild(const xmss::SecretKeyInfo& info, ByteSpan content, const std::string& path,
                                            const xmss::KeyGenerationOptions& options) {
  if (!xmss::IsSecretKeySeed(content)) return xmss::DecodeLeanSigSecretKey(info.scheme, content);
  if (absl::StatusOr<xmss::SecretKey> cached = ReadCached(info.scheme, content, path); cached.ok()) return cached;
  ASSIGN_OR_RETURN(xmss::LoadedSecretKey loaded,
                   xmss::LoadSecretKeyBytes(info.scheme, content, path, info.active.first, options));
  return std::move(loaded.key);
}

// Reading the trees checks that they hash to the key's root. Their first and last leaves show that they belong to its
// seed.
absl::Status CheckLeaves(const xmss::SecretKey& key) {
  const xmss::SecretKeyParts& parts = key.parts();
  for (const xmss::Subtree* tree : {&parts.left, &parts.right}) {
    const xmss::Layer& leaves = tree->layers.front();
    const size_t hash_len = key.scheme().hash_len();
    for (const uint64_t position : {uint64_t{0}, leaves.words.size() / hash_len - 1}) {
      std::vector<uint32_t> leaf(hash_len);
      xmss::HashLeaves(key.scheme(), parts.prf_key, parts.parameter,
                       static_cast<uint32_t>(leaves.first_index + position), absl::MakeSpan(leaf));
      if (absl::MakeConstSpan(leaf) != absl::MakeConstSpan(leaves.words).subspan(position * hash_len, hash_len)) {
        return absl::InvalidArgumentError("its public key is not that of its secret: the trees are of another seed");
      }
    }
  }
  return absl::OkStatus();
}

// Encrypts a plain key file of ours into a new keystore.
absl::Status SaveSeed(const KeyFileSummary& summary, ByteSpan seed, const std::string& path, const Password& password,
                      const DerivationCost& cost, RandomSource& random) {
  ASSIGN_OR_RETURN(const std::string uuid, MakeUuid(random));
  ASSIGN_OR_RETURN(EncryptedSecret secret, Encrypt(seed, password, cost, random));
  const EncryptedKeystore keystore = {.uuid = uuid,
                                      .path = "",
                                      .description = "validator key",
                                      .pubkey = summary.pubkey,
                                      .log_lifetime = summary.log_lifetime,
                                      .active = summary.active,
                                      .secret = std::move(secret)};
  const std::string text = FormatKeystore(keystore);
  return WritePrivateFile(path, BytesOfText(text), IfExists::kFail);
}

}  // namespace

PublicKeyBytes PublicKeyBytesOf(const xmss::Scheme& scheme, const xmss::PublicKey& key) {
  const std::vector<uint8_t> encoded = xmss::EncodePublicKey(scheme, key);
  PublicKeyBytes pubkey;
  std::copy_n(encoded.begin(), std::min(encoded.size(), pubkey.data.size()), pubkey.data.begin());
  return pubkey;
}

std::string KeyFileName(uint64_t index, bool encrypted) {
  return absl::StrCat("validator_", index, encrypted ? ".json" : ".key");
}

absl::StatusOr<KeyFileSummary> SummarizeKeyFile(const std::string& path) {
  ASSIGN_OR_RETURN(const WipedBytes file, ReadKeyFile(path, /*may_be_public=*/false));
  if (IsEncrypted(file.span())) {
    ASSIGN_OR_RETURN(const EncryptedKeystore keystore, Parse(path, file.span()));
    return KeyFileSummary{keystore.pubkey, keystore.log_lifetime, keystore.active, true};
  }
  ASSIGN_OR_RETURN(const xmss::SecretKeyInfo info, xmss::InspectSecretKeyBytes(file.span(), path));
  return KeyFileSummary{PublicKeyBytesOf(info.scheme, info.public_key), info.scheme.log_lifetime(), info.active, false};
}

absl::StatusOr<OpenedKeyFile> OpenKeyFile(const std::string& path, const PasswordSource& password) {
  ASSIGN_OR_RETURN(const WipedBytes file, ReadKeyFile(path, /*may_be_public=*/false));
  return Open(path, file.span(), password);
}

absl::StatusOr<OpenedKeyFile> OpenDecrypted(const EncryptedKeystore& keystore, WipedBytes content,
                                            const std::string& name) {
  if (!xmss::IsSecretKeySeed(content.span())) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the password is right, but what it decrypts is no XMSS key: crypto.cipher is damaged"));
  }
  ASSIGN_OR_RETURN(const xmss::SecretKeyInfo info, xmss::InspectSecretKeyBytes(content.span(), name));
  RETURN_IF_ERROR(CheckContent(keystore, info), InFile(name, _));
  return OpenedKeyFile{info, std::move(content)};
}

absl::StatusOr<xmss::SecretKey> ReadWholeKey(const std::string& path, const PasswordSource& password,
                                             bool may_be_public, const xmss::KeyGenerationOptions& options) {
  ASSIGN_OR_RETURN(const WipedBytes file, ReadKeyFile(path, may_be_public));
  ASSIGN_OR_RETURN(OpenedKeyFile opened, Open(path, file.span(), password));
  const ByteSpan content = opened.content.has_value() ? opened.content->span() : file.span();
  ASSIGN_OR_RETURN(xmss::SecretKey key, ReadOrBuild(opened.info, content, path, options), InFile(path, _));
  RETURN_IF_ERROR(CheckLeaves(key), InFile(path, _));
  return key;
}

absl::Status SaveKey(const xmss::SecretKey& key, const std::string& path, const KeyProtection& protection,
                     RandomSource& random) {
  if (protection.password == nullptr) return xmss::SaveSecretKey(key, path);
  return SaveEncryptedKey(key, path, *protection.password, protection.cost, random);
}

absl::Status SaveEncryptedKey(const xmss::SecretKey& key, const std::string& path, const Password& password,
                              const DerivationCost& cost, RandomSource& random) {
  const KeyFileSummary summary = {.pubkey = PublicKeyBytesOf(key.scheme(), key.public_key()),
                                  .log_lifetime = key.scheme().log_lifetime(),
                                  .active = key.active()};
  const WipedBytes seed = xmss::EncodeSecretKeySeed(key);
  RETURN_IF_ERROR(SaveSeed(summary, seed.span(), path, password, cost, random));
  return xmss::SaveTreeCache(key, path);
}

absl::Status SaveOpenedKey(const OpenedKeyFile& key, const std::string& path, const KeyProtection& protection,
                           RandomSource& random) {
  if (!key.content.has_value() || protection.password == nullptr) {
    return absl::InternalError("neither the secret of this key nor a password for it is available");
  }
  const KeyFileSummary summary = {.pubkey = PublicKeyBytesOf(key.info.scheme, key.info.public_key),
                                  .log_lifetime = key.info.scheme.log_lifetime(),
                                  .active = key.info.active};
  return SaveSeed(summary, key.content->span(), path, *protection.password, protection.cost, random);
}

}  // namespace lean::validator
