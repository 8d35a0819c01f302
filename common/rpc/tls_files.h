// The PEM files of one side of TLS, read again when they change.
#ifndef LEAN_COMMON_RPC_TLS_FILES_H_
#define LEAN_COMMON_RPC_TLS_FILES_H_

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean::rpc {

inline constexpr size_t kMaxTlsFileBytes = 1 << 20;

// Paths from the command line; an empty path means that the option was not given.
struct ServerTlsFiles {
  std::string cert;       // certificate chain
  std::string key;        // its private key; CheckSecretFile (common/secrets) checks the file
  std::string client_ca;  // if given, every client must show a certificate of this authority (mTLS)

  bool empty() const { return cert.empty() && key.empty() && client_ca.empty(); }

  // The files of a node's folder (common/certificates/certificate_folder.h).
  static ServerTlsFiles Of(const std::string& folder);
};

struct ClientTlsFiles {
  std::string server_ca;  // authority of the server's certificate
  std::string cert;       // certificate chain of the client, for mTLS; needs `key`
  std::string key;

  bool empty() const { return server_ca.empty() && cert.empty() && key.empty(); }

  static ClientTlsFiles Of(const std::string& folder);
};

// The same for both sides.
struct TlsPaths {
  std::string authority;  // certificates of the authority of the other side
  std::string cert;       // own certificate chain
  std::string key;        // its private key; CheckSecretFile (common/secrets) checks the file
};

// Checks at most once every kPause whether the files have changed. Content that does not fit together is not taken: the
// earlier one stays in use, and a line says why once it has been so for two checks. Thread-safe.
class TlsFiles {
 public:
  static constexpr std::chrono::milliseconds kPause{1000};

  struct Content {
    std::string authority;
    std::string cert;
    std::string key;
    absl::Time end;          // when the first of these certificates ends
    std::string ends_first;  // the file that has it
  };

  // `name`: in logs and metrics, such as "rpc". Errors name the file: it is unreadable or not PEM;
  // the key does not belong to the certificate; CheckSecretFile refuses the key file; a certificate without a key, or a
  // key without a certificate.
  static absl::StatusOr<std::shared_ptr<TlsFiles>> Open(std::string name, TlsPaths paths,
                                                        std::shared_ptr<spdlog::logger> log);

  // The newest content that fits together. The same pointer as long as the files do not change.
  std::shared_ptr<const Content> Get();

  const std::string& name() const { return name_; }
  const TlsPaths& paths() const { return paths_; }

 private:
  // What tells one version of a file from another.
  struct Version {
    ino_t file = 0;
    int64_t bytes = 0;
    int64_t changed_ns = 0;

    bool operator==(const Version&) const = default;
  };
  using Versions = std::array<Version, 3>;

  TlsFiles(std::string name, TlsPaths paths, std::shared_ptr<spdlog::logger> log);

  static absl::StatusOr<std::shared_ptr<const Content>> Read(const TlsPaths& paths);
  Versions VersionsNow() const;
  void Reload(const Versions& found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const TlsPaths paths_;
  const RealClock clock_;  // other programs change files in real time
  const std::shared_ptr<spdlog::logger> log_;
  Mutex mutex_;
  std::shared_ptr<const Content> content_ ABSL_GUARDED_BY(mutex_);
  Versions versions_ ABSL_GUARDED_BY(mutex_);  // of content_
  SteadyTime next_check_ ABSL_GUARDED_BY(mutex_);
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // of reading, one after the other
};

// Null without files: connections are not encrypted. Errors of TlsFiles::Open; a server needs a certificate and a key,
// a client the authority of the server.
absl::StatusOr<std::shared_ptr<TlsFiles>> OpenTlsFiles(std::string name, const ServerTlsFiles& files,
                                                       std::shared_ptr<spdlog::logger> log);
absl::StatusOr<std::shared_ptr<TlsFiles>> OpenTlsFiles(std::string name, const ClientTlsFiles& files,
                                                       std::shared_ptr<spdlog::logger> log);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_TLS_FILES_H_
