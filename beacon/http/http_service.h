// HttpService: the beacon's HTTP server for the tools of lean Ethereum (docs/http.md).
#ifndef LEAN_BEACON_HTTP_HTTP_SERVICE_H_
#define LEAN_BEACON_HTTP_HTTP_SERVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/http/server/http_server.h"
#include "beacon/rpc/served_chain.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/tls_files.h"

namespace lean::beacon {

struct HttpServiceOptions {
  // Neither a port of the beacon's other servers nor one that another lean client has by default.
  static constexpr absl::string_view kDefaultAddress = "127.0.0.1:5058";
  static constexpr absl::string_view kOff = "off";

  std::string address;   // HOST:PORT; empty: kDefaultAddress; kOff: no server
  std::string tls_cert;  // PEM certificate chain; empty: no TLS. Both files are read again when they change
  std::string tls_key;   // its private key
  HttpLimits limits = {};
};

// Returns what is wrong with the value of the option for the address, or an empty string.
std::string HttpAddressError(const std::string& text);

// Serves from Start until Stop. Queries run on a small pool of their own. Thread-safe, except for Stop.
class HttpService {
 public:
  // Null: the server is off, or the default address is in use, which is logged. Errors name --http-address or the TLS
  // file. What `chain` refers to outlives the service.
  static absl::StatusOr<std::unique_ptr<HttpService>> Start(ServedChain chain, const HttpServiceOptions& options,
                                                            std::shared_ptr<spdlog::logger> log);

  // As Stop().
  ~HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  // Closes all connections. ChainService must still run. May be called again.
  void Stop();

  const rpc::Address& address() const;
  // Null: no TLS.
  std::shared_ptr<rpc::TlsFiles> tls_files() const;
  HttpCounts counts() const;
  // Of the requests that wait for a thread, and of the answers that are not read yet.
  metrics::FootprintList queues() const;

 private:
  struct Parts;  // keeps gRPC out of this header

  explicit HttpService(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_HTTP_SERVICE_H_
