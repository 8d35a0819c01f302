// Throw-away certificates for tests, as PEM files.
#ifndef LEAN_TESTS_COMMON_RPC_CERTIFICATES_H_
#define LEAN_TESTS_COMMON_RPC_CERTIFICATES_H_

#include <string>

namespace lean::rpc {

struct CertificateFiles {
  std::string cert;
  std::string key;  // mode 0600
};

// A self-signed certificate for localhost and 127.0.0.1, its own authority. Files are DIR/NAME.cert.pem and
// DIR/NAME.key.pem. Aborts the test's process when OpenSSL fails.
CertificateFiles MakeCertificate(const std::string& dir, const std::string& name);

// The same, signed by another one.
CertificateFiles MakeCertificate(const std::string& dir, const std::string& name, const CertificateFiles& authority);

}  // namespace lean::rpc

#endif  // LEAN_TESTS_COMMON_RPC_CERTIFICATES_H_
