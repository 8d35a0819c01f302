#include "tests/common/rpc/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace lean::rpc {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using File = std::unique_ptr<FILE, decltype(&std::fclose)>;

constexpr long kLifetimeSeconds = 3600;

template <typename T>
T Need(T value) {
  if (!value) std::abort();
  return value;
}

File Open(const std::string& path, const char* mode) {
  return File(Need(std::fopen(path.c_str(), mode)), &std::fclose);
}

void AddExtension(X509* certificate, int id, const char* value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      Need(X509V3_EXT_conf_nid(nullptr, nullptr, id, value)), &X509_EXTENSION_free);
  Need(X509_add_ext(certificate, extension.get(), -1));
}

Certificate Unsigned(const std::string& name, EVP_PKEY* key) {
  Certificate certificate(Need(X509_new()), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kLifetimeSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLifetimeSeconds);
  X509_set_pubkey(certificate.get(), key);
  Need(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                                  reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0));
  AddExtension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  return certificate;
}

CertificateFiles Write(const std::string& dir, const std::string& name, X509* certificate, EVP_PKEY* key) {
  CertificateFiles files{dir + "/" + name + ".cert.pem", dir + "/" + name + ".key.pem"};
  Need(PEM_write_X509(Open(files.cert, "w").get(), certificate));
  Need(PEM_write_PrivateKey(Open(files.key, "w").get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  Need(chmod(files.key.c_str(), 0600) == 0);
  return files;
}

}  // namespace

CertificateFiles MakeCertificate(const std::string& dir, const std::string& name) {
  const Key key(Need(EVP_EC_gen("P-256")), &EVP_PKEY_free);
  const Certificate certificate = Unsigned(name, key.get());
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  Need(X509_sign(certificate.get(), key.get(), EVP_sha256()));
  return Write(dir, name, certificate.get(), key.get());
}

CertificateFiles MakeCertificate(const std::string& dir, const std::string& name, const CertificateFiles& authority) {
  const Certificate issuer(Need(PEM_read_X509(Open(authority.cert, "r").get(), nullptr, nullptr, nullptr)), &X509_free);
  const Key issuer_key(Need(PEM_read_PrivateKey(Open(authority.key, "r").get(), nullptr, nullptr, nullptr)),
                       &EVP_PKEY_free);
  const Key key(Need(EVP_EC_gen("P-256")), &EVP_PKEY_free);
  const Certificate certificate = Unsigned(name, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  Need(X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()));
  return Write(dir, name, certificate.get(), key.get());
}

}  // namespace lean::rpc
