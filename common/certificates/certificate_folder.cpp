#include "common/certificates/certificate_folder.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/bytes/bytes.h"
#include "common/certificates/openssl.h"
#include "common/process/whole_file.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr char kAuthorityFolder[] = "authority";
constexpr size_t kMaxPemBytes = 1 << 20;
constexpr size_t kMaxHosts = 16;
constexpr size_t kMaxHostBytes = 253;
constexpr absl::Duration kClockMargin = absl::Hours(1);

struct Authority {
  openssl::Certificate certificate;
  openssl::PrivateKey key;
};

absl::Status OpensslError(absl::string_view action) {
  return absl::InternalError(absl::StrCat("cannot ", action, ": ", openssl::NewestError()));
}

bool IsIp(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool IsHost(const std::string& host) {
  if (IsIp(host)) return true;
  return !host.empty() && host.size() <= kMaxHostBytes && absl::ascii_isalnum(host[0]) &&
         std::all_of(host.begin(), host.end(), [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.'; });
}

absl::Status CheckDays(int64_t days) {
  if (days >= 1 && days <= kMostDays) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a certificate is valid for 1 to ", kMostDays, " days"));
}

absl::Status CheckNodes(const std::vector<NodeNames>& nodes) {
  if (nodes.empty()) return absl::InvalidArgumentError("no node is named");
  std::set<std::string> names;
  for (const NodeNames& node : nodes) {
    if (node.uri.name == kAuthorityFolder) {
      return absl::InvalidArgumentError(absl::StrCat("a node cannot have the name ", kAuthorityFolder));
    }
    if (!names.insert(node.uri.name).second) {
      return absl::InvalidArgumentError(absl::StrCat(node.uri.name, " is the name of two nodes"));
    }
  }
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(path, " exists; nothing was changed"));
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the folder ", path));
}

absl::Status AddExtension(X509* certificate, X509V3_CTX& context, int id, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, openssl::Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpensslError("make a certificate");
  }
  return absl::OkStatus();
}

// Sets a new serial number and the time, which does not go beyond that of the authority.
absl::Status SetSerialAndTime(X509* certificate, absl::Time begin, absl::Time end) {
  std::array<unsigned char, 16> serial{};
  if (RAND_bytes(serial.data(), serial.size()) != 1) return OpensslError("draw a serial number");
  serial[0] &= 0x7f;  // it is positive
  const std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  if (number == nullptr || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr ||
      ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(begin)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(end)) == nullptr) {
    return OpensslError("make a certificate");
  }
  return absl::OkStatus();
}

absl::StatusOr<openssl::Certificate> Begin(const std::string& common_name, EVP_PKEY* key) {
  openssl::Certificate certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1 ||
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) != 1) {
    return OpensslError("make a certificate");
  }
  return certificate;
}

absl::Status Sign(X509* certificate, EVP_PKEY* key) {
  return X509_sign(certificate, key, EVP_sha256()) == 0 ? OpensslError("sign a certificate") : absl::OkStatus();
}

absl::StatusOr<openssl::PrivateKey> MakeKey() {
  openssl::PrivateKey key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpensslError("make a key");
  return key;
}

absl::StatusOr<Authority> MakeAuthority(absl::Time now) {
  std::array<unsigned char, 4> id{};
  if (RAND_bytes(id.data(), id.size()) != 1) return OpensslError("draw a name");
  Authority authority;
  ASSIGN_OR_RETURN(authority.key, MakeKey());
  // Two authorities have different names, so that an error can tell them apart.
  const std::string name =
      absl::StrCat("lean authority ", absl::BytesToHexString({reinterpret_cast<const char*>(id.data()), id.size()}));
  ASSIGN_OR_RETURN(authority.certificate, Begin(name, authority.key.get()));
  X509* const certificate = authority.certificate.get();
  RETURN_IF_ERROR(SetSerialAndTime(certificate, now - kClockMargin, now + kMostDays * absl::Hours(24)));
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  RETURN_IF_ERROR(AddExtension(certificate, context, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  RETURN_IF_ERROR(AddExtension(certificate, context, NID_key_usage, "critical,keyCertSign,cRLSign"));
  RETURN_IF_ERROR(AddExtension(certificate, context, NID_subject_key_identifier, "hash"));
  RETURN_IF_ERROR(Sign(certificate, authority.key.get()));
  return authority;
}

absl::StatusOr<openssl::Certificate> ReadCertificate(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(path, kMaxPemBytes));
  std::vector<openssl::Certificate> certificates = openssl::ReadCertificates(pem);
  if (certificates.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " holds no certificate in PEM"));
  return std::move(certificates.front());
}

absl::StatusOr<Authority> ReadAuthority(const std::string& folder) {
  const std::string place = absl::StrCat(folder, "/", kAuthorityFolder, "/");
  Authority authority;
  ASSIGN_OR_RETURN(authority.certificate, ReadCertificate(place + kCertificateFile));
  ASSIGN_OR_RETURN(const WipedBytes key, ReadSecretFile(place + kKeyFile, kMaxPemBytes, SecretFileKind::kRegular));
  authority.key = openssl::ReadPrivateKey({reinterpret_cast<const char*>(key.span().data()), key.span().size()});
  if (authority.key == nullptr || X509_check_private_key(authority.certificate.get(), authority.key.get()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(place, kKeyFile, " is not the key of the certificate beside it"));
  }
  return authority;
}

absl::Status WriteKey(const std::string& path, EVP_PKEY* key) {
  std::string pem = openssl::ToPem(key);
  const absl::Status written = WritePrivateFile(path, BytesOfText(pem), IfExists::kFail);
  OPENSSL_cleanse(pem.data(), pem.size());
  return written;
}

absl::StatusOr<openssl::Certificate> Issue(const NodeNames& node, EVP_PKEY* key, const Authority& authority) {
  ASSIGN_OR_RETURN(openssl::Certificate certificate, Begin(node.uri.name, key));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority.certificate.get()));
  std::string names = absl::StrCat("URI:", node.uri.ToString());
  for (const std::string& host : node.hosts) absl::StrAppend(&names, IsIp(host) ? ",IP:" : ",DNS:", host);
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority.certificate.get(), certificate.get(), nullptr, nullptr, 0);
  RETURN_IF_ERROR(AddExtension(certificate.get(), context, NID_basic_constraints, "critical,CA:FALSE"));
  RETURN_IF_ERROR(AddExtension(certificate.get(), context, NID_key_usage, "critical,digitalSignature"));
  RETURN_IF_ERROR(AddExtension(certificate.get(), context, NID_ext_key_usage,
                               node.hosts.empty() ? "clientAuth" : "serverAuth,clientAuth"));
  RETURN_IF_ERROR(AddExtension(certificate.get(), context, NID_subject_alt_name, names));
  RETURN_IF_ERROR(AddExtension(certificate.get(), context, NID_subject_key_identifier, "hash"));
  RETURN_IF_ERROR(AddExtension(certificate.get(), context, NID_authority_key_identifier, "keyid"));
  return certificate;
}

// Signs for `days` from now on, and writes the certificate. Returns when it ends.
absl::StatusOr<absl::Time> Finish(X509* certificate, const Authority& authority, int64_t days, absl::Time now,
                                  const std::string& path) {
  const absl::Time end = now + days * absl::Hours(24);
  RETURN_IF_ERROR(SetSerialAndTime(certificate, now - kClockMargin, end));
  if (ASN1_TIME_compare(X509_get0_notAfter(certificate), X509_get0_notAfter(authority.certificate.get())) > 0) {
    return absl::FailedPreconditionError(
        "the authority ends before the certificate would: ask for fewer --days, or make a new folder of certificates");
  }
  RETURN_IF_ERROR(Sign(certificate, authority.key.get()));
  RETURN_IF_ERROR(WriteWholeFile(path, openssl::ToPem(certificate), 0644, IfExists::kReplace));
  return end;
}

absl::StatusOr<IssuedCertificate> MakeNode(const CertificateRequest& request, const NodeNames& node,
                                           const Authority& authority, absl::Time now) {
  const std::string place = absl::StrCat(request.folder, "/", node.uri.name);
  RETURN_IF_ERROR(MakeFolder(place));
  ASSIGN_OR_RETURN(const openssl::PrivateKey key, MakeKey());
  ASSIGN_OR_RETURN(const openssl::Certificate certificate, Issue(node, key.get(), authority));
  RETURN_IF_ERROR(WriteKey(absl::StrCat(place, "/", kKeyFile), key.get()));
  RETURN_IF_ERROR(
      WriteNewTextFile(absl::StrCat(place, "/", kAuthorityFile), openssl::ToPem(authority.certificate.get())));
  ASSIGN_OR_RETURN(const absl::Time end,
                   Finish(certificate.get(), authority, request.days, now, absl::StrCat(place, "/", kCertificateFile)));
  return IssuedCertificate{node.uri.name, place, end};
}

// Removes what it has made if a node fails.
absl::StatusOr<std::vector<IssuedCertificate>> MakeNodes(const CertificateRequest& request, const Authority& authority,
                                                         absl::Time now) {
  std::vector<IssuedCertificate> issued;
  for (const NodeNames& node : request.nodes) {
    absl::StatusOr<IssuedCertificate> made = MakeNode(request, node, authority, now);
    if (made.ok()) {
      issued.push_back(*std::move(made));
      continue;
    }
    std::error_code ignored;
    for (const IssuedCertificate& earlier : issued) std::filesystem::remove_all(earlier.folder, ignored);
    if (!absl::IsAlreadyExists(made.status())) {
      std::filesystem::remove_all(absl::StrCat(request.folder, "/", node.uri.name), ignored);
    }
    return made.status();
  }
  return issued;
}

absl::StatusOr<std::vector<IssuedCertificate>> FillFolder(const CertificateRequest& request, absl::Time now) {
  ASSIGN_OR_RETURN(const Authority authority, MakeAuthority(now));
  const std::string place = absl::StrCat(request.folder, "/", kAuthorityFolder);
  RETURN_IF_ERROR(MakeFolder(place));
  RETURN_IF_ERROR(WriteKey(absl::StrCat(place, "/", kKeyFile), authority.key.get()));
  RETURN_IF_ERROR(
      WriteNewTextFile(absl::StrCat(place, "/", kCertificateFile), openssl::ToPem(authority.certificate.get())));
  return MakeNodes(request, authority, now);
}

absl::StatusOr<std::vector<std::string>> NodesOf(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    std::error_code ignored;
    if (name != kAuthorityFolder && std::filesystem::exists(entry.path() / kCertificateFile, ignored)) {
      names.push_back(name);
    }
  }
  if (error) return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

absl::StatusOr<NodeNames> ParseNode(Role role, absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (!IsNodeName(parts.first)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\": expected NAME or NAME=HOST,...: a name has 1 to 64 letters, digits, '-', '_' "
                     "or '.' and begins with a letter or a digit"));
  }
  NodeNames node{.uri = {role, std::string(parts.first)}, .hosts = {}};
  if (parts.first.size() != text.size()) node.hosts = absl::StrSplit(parts.second, ',');
  if (node.hosts.size() > kMaxHosts) {
    return absl::InvalidArgumentError(absl::StrCat(parts.first, ": at most ", kMaxHosts, " hosts"));
  }
  for (const std::string& host : node.hosts) {
    if (IsHost(host)) continue;
    return absl::InvalidArgumentError(absl::StrCat(parts.first, ": \"", host,
                                                   "\" is neither a DNS name nor an IP address (without port and "
                                                   "brackets)"));
  }
  const bool is_server = role == Role::kBeacon || role == Role::kSigner || !node.hosts.empty();
  if (is_server) node.hosts.insert(node.hosts.end(), {"localhost", "127.0.0.1", "::1"});
  return node;
}

absl::StatusOr<std::vector<IssuedCertificate>> MakeCertificateFolder(const CertificateRequest& request,
                                                                     absl::Time now) {
  RETURN_IF_ERROR(CheckDays(request.days));
  RETURN_IF_ERROR(CheckNodes(request.nodes));
  // Making the folder claims it, so that two runs at the same time cannot mix their files.
  RETURN_IF_ERROR(MakeFolder(request.folder));
  absl::StatusOr<std::vector<IssuedCertificate>> issued = FillFolder(request, now);
  std::error_code ignored;
  if (!issued.ok()) std::filesystem::remove_all(request.folder, ignored);
  return issued;
}

absl::StatusOr<std::vector<IssuedCertificate>> AddCertificates(const CertificateRequest& request, absl::Time now) {
  RETURN_IF_ERROR(CheckDays(request.days));
  RETURN_IF_ERROR(CheckNodes(request.nodes));
  ASSIGN_OR_RETURN(const Authority authority, ReadAuthority(request.folder));
  return MakeNodes(request, authority, now);
}

absl::StatusOr<std::vector<IssuedCertificate>> RenewCertificates(const std::string& folder,
                                                                 const std::vector<std::string>& names, int64_t days,
                                                                 absl::Time now) {
  RETURN_IF_ERROR(CheckDays(days));
  ASSIGN_OR_RETURN(const Authority authority, ReadAuthority(folder));
  std::vector<std::string> nodes = names;
  if (nodes.empty()) {
    ASSIGN_OR_RETURN(nodes, NodesOf(folder));
  }
  std::vector<IssuedCertificate> issued;
  for (const std::string& name : nodes) {
    const std::string place = absl::StrCat(folder, "/", name);
    const std::string path = absl::StrCat(place, "/", kCertificateFile);
    ASSIGN_OR_RETURN(const openssl::Certificate old, ReadCertificate(path));
    const openssl::Certificate certificate(X509_dup(old.get()));
    if (certificate == nullptr) return OpensslError("copy a certificate");
    ASSIGN_OR_RETURN(const absl::Time end, Finish(certificate.get(), authority, days, now, path));
    issued.push_back({name, place, end});
  }
  return issued;
}

}  // namespace lean
