#include "common/rpc/tls_files.h"

#include <openssl/x509.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/certificates/certificate.h"
#include "common/certificates/certificate_folder.h"
#include "common/certificates/openssl.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

// A program that replaces the files one after the other needs a moment.
constexpr int kFailuresToLog = 2;

absl::Status FileError(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("TLS file ", path, ": ", why));
}

std::string In(const std::string& folder, const char* file) { return absl::StrCat(folder, "/", file); }

std::string TextOf(const WipedBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.span().data()), bytes.span().size()};
}

// Also notes when the certificates end.
absl::StatusOr<std::string> ReadCertificates(const std::string& path, TlsFiles::Content& content) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadRegularFile(path, kMaxTlsFileBytes));
  std::string pem = TextOf(bytes);
  ASSIGN_OR_RETURN(const auto infos, ReadCertificateInfos(pem), FileError(path, _.message()));
  for (const CertificateInfo& info : infos) {
    if (info.end >= content.end) continue;
    content.end = info.end;
    content.ends_first = path;
  }
  return pem;
}

absl::Status ReadKeyPair(const TlsPaths& paths, TlsFiles::Content& content) {
  if (paths.cert.empty() || paths.key.empty()) {
    return absl::InvalidArgumentError("TLS needs both a certificate and its key");
  }
  ASSIGN_OR_RETURN(content.cert, ReadCertificates(paths.cert, content));
  ASSIGN_OR_RETURN(const WipedBytes key_bytes, ReadRegularFile(paths.key, kMaxTlsFileBytes));
  content.key = TextOf(key_bytes);
  const openssl::PrivateKey parsed = openssl::ReadPrivateKey(content.key);
  if (parsed == nullptr) return FileError(paths.key, "holds no unencrypted private key in PEM");
  // Reports that a file is no key before it reports its permissions.
  struct stat info {};
  if (stat(paths.key.c_str(), &info) != 0) return FileError(paths.key, std::strerror(errno));
  RETURN_IF_ERROR(CheckSecretFile(paths.key, info));
  if (X509_check_private_key(openssl::ReadCertificates(content.cert).front().get(), parsed.get()) != 1) {
    return FileError(paths.key, absl::StrCat("is not the key of ", paths.cert));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsFiles>> TlsFiles::Open(std::string name, TlsPaths paths,
                                                         std::shared_ptr<spdlog::logger> log) {
  std::shared_ptr<TlsFiles> files(new TlsFiles(std::move(name), std::move(paths), std::move(log)));
  MutexLock lock(files->mutex_);
  files->versions_ = files->VersionsNow();
  ASSIGN_OR_RETURN(files->content_, Read(files->paths_));
  files->next_check_ = files->clock_.Steady() + kPause;
  return files;
}

TlsFiles::TlsFiles(std::string name, TlsPaths paths, std::shared_ptr<spdlog::logger> log)
    : name_(std::move(name)), paths_(std::move(paths)), log_(std::move(log)) {}

std::shared_ptr<const TlsFiles::Content> TlsFiles::Get() {
  MutexLock lock(mutex_);
  if (const SteadyTime now = clock_.Steady(); now >= next_check_) {
    next_check_ = now + kPause;
    if (const Versions found = VersionsNow(); found != versions_) Reload(found);
  }
  return content_;
}

void TlsFiles::Reload(const Versions& found) {
  absl::StatusOr<std::shared_ptr<const Content>> content = Read(paths_);
  if (!content.ok()) {
    if (++failures_ == kFailuresToLog) {
      log_->error("tls_files_not_taken tls={} in_use_until={} reason=\"{}\"", name_, DayOf(content_->end),
                  std::string(content.status().message()));
    }
    return;
  }
  failures_ = 0;
  versions_ = found;
  content_ = *std::move(content);
  log_->info("tls_files_taken tls={} valid_until={} message=\"connections from now on use them\"", name_,
             DayOf(content_->end));
}

absl::StatusOr<std::shared_ptr<const TlsFiles::Content>> TlsFiles::Read(const TlsPaths& paths) {
  auto content = std::make_shared<Content>();
  content->end = absl::InfiniteFuture();
  if (!paths.cert.empty() || !paths.key.empty()) RETURN_IF_ERROR(ReadKeyPair(paths, *content));
  if (!paths.authority.empty()) {
    ASSIGN_OR_RETURN(content->authority, ReadCertificates(paths.authority, *content));
  }
  return content;
}

TlsFiles::Versions TlsFiles::VersionsNow() const {
  constexpr int64_t kSecondNs = 1'000'000'000;
  Versions versions;
  size_t place = 0;
  for (const std::string* path : {&paths_.authority, &paths_.cert, &paths_.key}) {
    Version& version = versions[place++];
    struct stat info {};
    if (path->empty() || stat(path->c_str(), &info) != 0) continue;
    version = {.file = info.st_ino,
               .bytes = info.st_size,
               .changed_ns = info.st_mtim.tv_sec * kSecondNs + info.st_mtim.tv_nsec};
  }
  return versions;
}

ServerTlsFiles ServerTlsFiles::Of(const std::string& folder) {
  return {.cert = In(folder, kCertificateFile), .key = In(folder, kKeyFile), .client_ca = In(folder, kAuthorityFile)};
}

ClientTlsFiles ClientTlsFiles::Of(const std::string& folder) {
  return {.server_ca = In(folder, kAuthorityFile), .cert = In(folder, kCertificateFile), .key = In(folder, kKeyFile)};
}

absl::StatusOr<std::shared_ptr<TlsFiles>> OpenTlsFiles(std::string name, const ServerTlsFiles& files,
                                                       std::shared_ptr<spdlog::logger> log) {
  if (files.empty()) return nullptr;
  if (files.cert.empty() || files.key.empty()) {
    return absl::InvalidArgumentError("TLS needs both a certificate and its key");
  }
  return TlsFiles::Open(std::move(name), {.authority = files.client_ca, .cert = files.cert, .key = files.key},
                        std::move(log));
}

absl::StatusOr<std::shared_ptr<TlsFiles>> OpenTlsFiles(std::string name, const ClientTlsFiles& files,
                                                       std::shared_ptr<spdlog::logger> log) {
  if (files.empty()) return nullptr;
  if (files.server_ca.empty()) {
    return absl::InvalidArgumentError("TLS to a server needs the authority of its certificate");
  }
  return TlsFiles::Open(std::move(name), {.authority = files.server_ca, .cert = files.cert, .key = files.key},
                        std::move(log));
}

}  // namespace lean::rpc
