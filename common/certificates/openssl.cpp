#include "common/certificates/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace lean::openssl {
namespace {

Bio OverText(absl::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// OpenSSL would ask for a passphrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

// Wipes the buffer, which may hold a key.
std::string TakeText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  OPENSSL_cleanse(data, static_cast<size_t>(size));
  return text;
}

}  // namespace

std::vector<Certificate> ReadCertificates(absl::string_view pem) {
  const Bio bio = OverText(pem);
  std::vector<Certificate> certificates;
  while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr)}) {
    certificates.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) certificates.clear();
  return certificates;
}

PrivateKey ReadPrivateKey(absl::string_view pem) {
  PrivateKey key(PEM_read_bio_PrivateKey(OverText(pem).get(), nullptr, &NoPassphrase, nullptr));
  ERR_clear_error();
  return key;
}

std::string ToPem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_X509(bio.get(), certificate) == 1 ? TakeText(bio.get()) : "";
}

std::string ToPem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  return PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1 ? TakeText(bio.get())
                                                                                              : "";
}

std::string NewestError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* library = ERR_lib_error_string(code);
  const char* reason = ERR_reason_error_string(code);
  return std::string(library == nullptr ? "OpenSSL" : library) + ": " + (reason == nullptr ? "unknown" : reason);
}

}  // namespace lean::openssl
