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
  const size_t max_bytes = std::max(kMaxOldKeystoreBytes, xmss::kMaxKeyFileBytes);
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
  return OpenedKeyFile{.info = std::move(info)};
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

// The seed of an opened encrypted key.
absl::StatusOr<xmss::KeySeed> SeedOf(const OpenedKeyFile& key) {
  if (key.seed.has_value()) return key.seed->Clone();
  if (!key.content.has_value()) return absl::InternalError("the secret of this key is not available");
  ASSIGN_OR_RETURN(const xmss::SecretKeySeed old, xmss::DecodeSecretKeySeed(key.info.scheme, key.content->span()));
  return xmss::SeedOf(key.info.scheme, old.active, old.prf_key, old.parameter, old.top_tree);
}

absl::StatusOr<EncryptedKeystore> Encrypted(const xmss::SecretKeyInfo& info, const xmss::KeySeed& seed,
                                            const KeyState& state, const KeyProtection& protection,
                                            RandomSource& random) {
  if (protection.password == nullptr) return absl::InternalError("there is no password for this key");
  ASSIGN_OR_RETURN(const std::string uuid, MakeUuid(random));
  const bool has_master = seed.master.has_value();
  const WipedBytes explicit_seed = has_master ? WipedBytes(0) : xmss::EncodeExplicitSeed(seed);
  ASSIGN_OR_RETURN(EncryptedSecret secret, Encrypt(has_master ? ByteSpan(seed.master->bytes()) : explicit_seed.span(),
                                                   *protection.password, protection.cost, random));
  return EncryptedKeystore{
      .uuid = uuid,
      .path = "",
      .description = state.recovery_only ? "validator key without its signing records: for recovery, not for signing"
                                         : "validator key",
      .pubkey = PublicKeyBytesOf(info.scheme, info.public_key),
      .log_lifetime = info.scheme.log_lifetime(),
      .active = info.active,
      .form = has_master ? SecretForm::kSeed : SecretForm::kExplicitSeed,
      .state = state,
      .secret = std::move(secret)};
}

absl::Status WriteKeystore(const std::string& path, const EncryptedKeystore& keystore, IfExists if_exists) {
  return WritePrivateFile(path, BytesOfText(FormatKeystore(keystore)), if_exists);
}

// A key of version 4 keeps its top tree, which version 5 does not have.
absl::Status SaveTopTreeOf(const OpenedKeyFile& key, const std::string& path) {
  if (!key.content.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const xmss::SecretKeySeed old, xmss::DecodeSecretKeySeed(key.info.scheme, key.content->span()));
  return xmss::SaveTopTree(key.info.scheme, old.active, old.top_tree, path);
}

// Whether the text is a keystore of this key with this secret.
absl::Status CheckWritten(const EncryptedKeystore& written, const xmss::KeySeed& seed, const Password& password) {
  ASSIGN_OR_RETURN(const EncryptedKeystore read, ParseKeystore(FormatKeystore(written)));
  ASSIGN_OR_RETURN(WipedBytes secret, Decrypt(read.secret, password));
  ASSIGN_OR_RETURN(const OpenedKeyFile opened, OpenDecrypted(read, std::move(secret), "the new keystore"));
  if (opened.seed.has_value() &&
      xmss::EncodeExplicitSeed(*opened.seed).span() == xmss::EncodeExplicitSeed(seed).span()) {
    return absl::OkStatus();
  }
  return absl::InternalError("the new keystore does not hold the key");
}

absl::StatusOr<OpenedKeyFile> OpenSeed(const EncryptedKeystore& keystore, ByteSpan secret) {
  ASSIGN_OR_RETURN(const xmss::Scheme scheme, xmss::Scheme::Create(keystore.log_lifetime));
  RETURN_IF_ERROR(xmss::CheckActiveRange(scheme, keystore.active),
                  absl::InvalidArgumentError(absl::StrCat("scheme.params: ", _.message())));
  ASSIGN_OR_RETURN(const xmss::PublicKey public_key, xmss::DecodePublicKey(scheme, keystore.pubkey.span()),
                   absl::InvalidArgumentError(absl::StrCat("pubkey: ", _.message())));
  OpenedKeyFile opened = {.info = {scheme, public_key, keystore.active, /*has_tree_cache=*/true}};
  if (keystore.form == SecretForm::kSeed) {
    if (secret.size() != xmss::kPrfKeyBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("crypto.cipher.message: its seed has ", secret.size(), " bytes, not ", xmss::kPrfKeyBytes));
    }
    opened.seed = xmss::ExpandSeed(scheme, keystore.active, xmss::PrfKeyOf(secret));
  } else {
    ASSIGN_OR_RETURN(opened.seed, xmss::DecodeExplicitSeed(scheme, keystore.active, secret),
                     absl::InvalidArgumentError(absl::StrCat("crypto.cipher.message: ", _.message())));
  }
  if (opened.seed->parameter != public_key.parameter) {
    return absl::InvalidArgumentError("pubkey: is not that of the seed in it: it is damaged");
  }
  opened.state = keystore.state;
  return opened;
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
    return KeyFileSummary{.pubkey = keystore.pubkey,
                          .log_lifetime = keystore.log_lifetime,
                          .active = keystore.active,
                          .form = keystore.form == SecretForm::kKeyFile ? "encrypted-v4" : "encrypted-v5",
                          .encrypted = true,
                          .state = keystore.state};
  }
  ASSIGN_OR_RETURN(const xmss::SecretKeyInfo info, xmss::InspectSecretKeyBytes(file.span(), path));
  return KeyFileSummary{.pubkey = PublicKeyBytesOf(info.scheme, info.public_key),
                        .log_lifetime = info.scheme.log_lifetime(),
                        .active = info.active};
}

absl::StatusOr<OpenedKeyFile> OpenKeyFile(const std::string& path, const PasswordSource& password) {
  ASSIGN_OR_RETURN(const WipedBytes file, ReadKeyFile(path, /*may_be_public=*/false));
  return Open(path, file.span(), password);
}

absl::StatusOr<OpenedKeyFile> OpenDecrypted(const EncryptedKeystore& keystore, WipedBytes content,
                                            const std::string& name) {
  if (keystore.form != SecretForm::kKeyFile) {
    ASSIGN_OR_RETURN(OpenedKeyFile opened, OpenSeed(keystore, content.span()), InFile(name, _));
    return opened;
  }
  if (!xmss::IsSecretKeySeed(content.span())) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the password is right, but what it decrypts is no XMSS key: crypto.cipher is damaged"));
  }
  ASSIGN_OR_RETURN(const xmss::SecretKeyInfo info, xmss::InspectSecretKeyBytes(content.span(), name));
  RETURN_IF_ERROR(CheckContent(keystore, info), InFile(name, _));
  return OpenedKeyFile{.info = info, .content = std::move(content)};
}

absl::StatusOr<WholeKey> ReadWholeKey(const std::string& path, const PasswordSource& password, bool may_be_public,
                                      const xmss::KeyGenerationOptions& options) {
  ASSIGN_OR_RETURN(const WipedBytes file, ReadKeyFile(path, may_be_public));
  ASSIGN_OR_RETURN(OpenedKeyFile opened, Open(path, file.span(), password));
  if (opened.seed.has_value()) {
    ASSIGN_OR_RETURN(xmss::LoadedSecretKey loaded,
                     xmss::LoadSeededKey(opened.info, *std::move(opened.seed), path, std::nullopt, options));
    RETURN_IF_ERROR(CheckLeaves(loaded.key), InFile(path, _));
    return WholeKey{std::move(loaded.key), opened.state};
  }
  const ByteSpan content = opened.content.has_value() ? opened.content->span() : file.span();
  ASSIGN_OR_RETURN(xmss::SecretKey key, ReadOrBuild(opened.info, content, path, options), InFile(path, _));
  RETURN_IF_ERROR(CheckLeaves(key), InFile(path, _));
  return WholeKey{std::move(key), KeyState()};
}

absl::Status SaveKey(const xmss::SecretKey& key, const KeyState& state, const std::string& path,
                     const KeyProtection& protection, RandomSource& random, IfExists if_exists) {
  if (protection.password == nullptr) return xmss::SaveSecretKey(key, path, if_exists);
  return SaveEncryptedKey(key, state, path, *protection.password, protection.cost, random, if_exists);
}

absl::Status SaveEncryptedKey(const xmss::SecretKey& key, const KeyState& state, const std::string& path,
                              const Password& password, const DerivationCost& cost, RandomSource& random,
                              IfExists if_exists) {
  ASSIGN_OR_RETURN(const EncryptedKeystore keystore, MakeKeystore(key, state, {&password, cost}, random));
  RETURN_IF_ERROR(WriteKeystore(path, keystore, if_exists));
  RETURN_IF_ERROR(xmss::SaveTopTree(key.scheme(), key.active(), key.parts().top_tree, path));
  return xmss::SaveTreeCache(key, path);
}

absl::StatusOr<EncryptedKeystore> MakeKeystore(const xmss::SecretKey& key, const KeyState& state,
                                               const KeyProtection& protection, RandomSource& random) {
  return Encrypted({key.scheme(), key.public_key(), key.active()}, xmss::SeedOf(key), state, protection, random);
}

absl::Status SaveOpenedKey(const OpenedKeyFile& key, const KeyState& state, const std::string& path,
                           const KeyProtection& protection, RandomSource& random, IfExists if_exists) {
  ASSIGN_OR_RETURN(const xmss::KeySeed seed, SeedOf(key));
  ASSIGN_OR_RETURN(const EncryptedKeystore keystore, Encrypted(key.info, seed, state, protection, random));
  RETURN_IF_ERROR(WriteKeystore(path, keystore, if_exists));
  return SaveTopTreeOf(key, path);
}

absl::StatusOr<Upgrade> UpgradeKeyFile(const std::string& path, const KeyState& state, const PasswordSource& source,
                                       const DerivationCost& cost, RandomSource& random) {
  ASSIGN_OR_RETURN(const WipedBytes file, ReadKeyFile(path, /*may_be_public=*/false));
  if (!IsEncrypted(file.span())) return Upgrade::kPlain;
  ASSIGN_OR_RETURN(EncryptedKeystore old, Parse(path, file.span()));
  if (old.form != SecretForm::kKeyFile) {
    if (state.high_water <= old.state.high_water) return Upgrade::kUnchanged;
    old.state.high_water = state.high_water;
    RETURN_IF_ERROR(WriteKeystore(path, old, IfExists::kReplace));
    return Upgrade::kState;
  }
  ASSIGN_OR_RETURN(const Password* password, source(), InFile(path, _));
  ASSIGN_OR_RETURN(WipedBytes content, Decrypt(old.secret, *password), InFile(path, _));
  ASSIGN_OR_RETURN(const OpenedKeyFile opened, OpenDecrypted(old, std::move(content), path));
  ASSIGN_OR_RETURN(const xmss::KeySeed seed, SeedOf(opened));
  ASSIGN_OR_RETURN(const EncryptedKeystore upgraded, Encrypted(opened.info, seed, state, {password, cost}, random));
  RETURN_IF_ERROR(CheckWritten(upgraded, seed, *password), InFile(path, _));
  RETURN_IF_ERROR(SaveTopTreeOf(opened, path));
  RETURN_IF_ERROR(WriteKeystore(path, upgraded, IfExists::kReplace));
  return Upgrade::kConverted;
}

}  // namespace lean::validator
