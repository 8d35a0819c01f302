#include "common/certificates/certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>
#include <utility>

#include "common/certificates/openssl.h"

namespace lean {
namespace {

std::string CommonName(const X509_NAME* name) {
  const int place = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (place < 0) return "";
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place)));
  if (size < 0) return "";
  std::string result(reinterpret_cast<char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return result;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string IpText(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return "";
  return inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) == nullptr ? "" : text.data();
}

void ReadNames(const X509* certificate, CertificateInfo& info) {
  const std::unique_ptr<GENERAL_NAMES, openssl::Deleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) info.hosts.push_back(TextOf(name->d.dNSName));
    if (name->type == GEN_IPADD) info.hosts.push_back(IpText(name->d.iPAddress));
    if (name->type != GEN_URI) continue;
    if (auto role = ParseRoleUri(TextOf(name->d.uniformResourceIdentifier)); role.has_value()) {
      info.roles.push_back(*std::move(role));
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<CertificateInfo>> ReadCertificateInfos(absl::string_view pem) {
  std::vector<CertificateInfo> infos;
  for (const openssl::Certificate& certificate : openssl::ReadCertificates(pem)) {
    CertificateInfo& info = infos.emplace_back();
    info.subject = CommonName(X509_get_subject_name(certificate.get()));
    info.issuer = CommonName(X509_get_issuer_name(certificate.get()));
    info.begin = TimeOf(X509_get0_notBefore(certificate.get()));
    info.end = TimeOf(X509_get0_notAfter(certificate.get()));
    ReadNames(certificate.get(), info);
  }
  if (infos.empty()) return absl::InvalidArgumentError("holds no certificate in PEM");
  return infos;
}

std::string DayOf(absl::Time time) { return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()); }

}  // namespace lean
