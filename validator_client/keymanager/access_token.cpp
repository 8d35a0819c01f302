#include "validator_client/keymanager/access_token.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/sha.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

constexpr size_t kRandomBytes = 32;

Root DigestOf(absl::string_view token) { return crypto::Sha256(BytesOfText(token)); }

absl::Status Make(const std::string& path, RandomSource& random) {
  Bytes<kRandomBytes> bytes;
  RETURN_IF_ERROR(random.Fill(bytes.mutable_span()));
  std::string text = absl::StrCat(ToHex(bytes.span()).substr(2), "\n");
  absl::Status status = WritePrivateFile(path, BytesOfText(text), IfExists::kFail);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(bytes.data.data(), bytes.data.size());
  return status;
}

}  // namespace

absl::StatusOr<std::string> ReadAccessToken(const std::string& path) {
  ASSIGN_OR_RETURN(const WipedBytes content, ReadSecretFile(path, kMaxTokenBytes, SecretFileKind::kRegular));
  const ByteSpan bytes = content.span();
  const std::string token(absl::StripAsciiWhitespace({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  if (token.size() < kMinTokenBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": a token has at least ", kMinTokenBytes, " characters; remove the file to have one made"));
  }
  if (!std::all_of(token.begin(), token.end(), [](char c) { return absl::ascii_isgraph(c); })) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": a token has printable ASCII characters and no spaces"));
  }
  return token;
}

absl::StatusOr<AccessToken> AccessToken::ReadOrMake(const std::string& path, RandomSource& random) {
  absl::StatusOr<std::string> token = ReadAccessToken(path);
  if (absl::IsNotFound(token.status())) {
    RETURN_IF_ERROR(Make(path, random));
    token = ReadAccessToken(path);
  }
  RETURN_IF_ERROR(token.status());
  const AccessToken made(DigestOf(*token));
  OPENSSL_cleanse(token->data(), token->size());
  return made;
}

bool AccessToken::Matches(absl::string_view shown) const {
  // Compares digests, which have equal lengths.
  const Root digest = DigestOf(shown);
  return CRYPTO_memcmp(digest.data.data(), digest_.data.data(), digest_.data.size()) == 0;
}

}  // namespace lean::validator
