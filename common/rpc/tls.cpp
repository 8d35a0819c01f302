#include "common/rpc/tls.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

constexpr size_t kMaxPemBytes = 1 << 20;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

absl::Status FileError(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("TLS file ", path, ": ", why));
}

std::string TextOf(const WipedBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.span().data()), bytes.span().size()};
}

Bio OverText(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
}

absl::StatusOr<Certificate> ParseCertificate(const std::string& path, const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(OverText(pem).get(), nullptr, nullptr, nullptr), &X509_free);
  if (certificate == nullptr) return FileError(path, "holds no certificate in PEM");
  return certificate;
}

// A key with a passphrase is refused; OpenSSL would ask for it on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<std::string> ReadCertificates(const std::string& path) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadRegularFile(path, kMaxPemBytes));
  std::string pem = TextOf(bytes);
  RETURN_IF_ERROR(ParseCertificate(path, pem).status());
  return pem;
}

struct KeyPair {
  std::string key;
  std::string cert;
};

absl::StatusOr<KeyPair> ReadKeyPair(const std::string& cert_path, const std::string& key_path) {
  if (cert_path.empty() || key_path.empty()) {
    return absl::InvalidArgumentError("TLS needs both a certificate and its key");
  }
  ASSIGN_OR_RETURN(auto cert, ReadCertificates(cert_path));
  ASSIGN_OR_RETURN(const WipedBytes key_bytes, ReadRegularFile(key_path, kMaxPemBytes));
  std::string key = TextOf(key_bytes);
  ASSIGN_OR_RETURN(auto certificate, ParseCertificate(cert_path, cert));
  const PrivateKey parsed(PEM_read_bio_PrivateKey(OverText(key).get(), nullptr, &NoPassphrase, nullptr),
                          &EVP_PKEY_free);
  if (parsed == nullptr) return FileError(key_path, "holds no unencrypted private key in PEM");
  // Reports that a file is no key before it reports its permissions.
  struct stat info {};
  if (stat(key_path.c_str(), &info) != 0) return FileError(key_path, std::strerror(errno));
  RETURN_IF_ERROR(CheckSecretFile(key_path, info));
  if (X509_check_private_key(certificate.get(), parsed.get()) != 1) {
    return FileError(key_path, absl::StrCat("is not the key of ", cert_path));
  }
  return KeyPair{std::move(key), std::move(cert)};
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const ServerTlsFiles& files) {
  if (files.empty()) return grpc::InsecureServerCredentials();
  ASSIGN_OR_RETURN(auto pair, ReadKeyPair(files.cert, files.key));
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({std::move(pair.key), std::move(pair.cert)});
  if (!files.client_ca.empty()) {
    ASSIGN_OR_RETURN(options.pem_root_certs, ReadCertificates(files.client_ca));
    options.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeClientCredentials(const ClientTlsFiles& files) {
  if (files.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  if (files.server_ca.empty()) {
    return absl::InvalidArgumentError("TLS to a server needs the authority of its certificate");
  }
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadCertificates(files.server_ca));
  if (!files.cert.empty() || !files.key.empty()) {
    ASSIGN_OR_RETURN(auto pair, ReadKeyPair(files.cert, files.key));
    options.pem_private_key = std::move(pair.key);
    options.pem_cert_chain = std::move(pair.cert);
  }
  return grpc::SslCredentials(options);
}

}  // namespace lean::rpc
