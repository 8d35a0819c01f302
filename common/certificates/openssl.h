// Owners of OpenSSL's objects, and PEM to and from them. For files that include OpenSSL.
#ifndef LEAN_COMMON_CERTIFICATES_OPENSSL_H_
#define LEAN_COMMON_CERTIFICATES_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lean::openssl {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// All certificates of a PEM text, in order. Empty: there is none, or one of them cannot be read.
std::vector<Certificate> ReadCertificates(absl::string_view pem);
// Null: there is no private key, or it has a passphrase.
PrivateKey ReadPrivateKey(absl::string_view pem);

std::string ToPem(X509* certificate);
std::string ToPem(EVP_PKEY* key);

// "library: reason" of OpenSSL's newest error on this thread, which is removed.
std::string NewestError();

}  // namespace lean::openssl

#endif  // LEAN_COMMON_CERTIFICATES_OPENSSL_H_
