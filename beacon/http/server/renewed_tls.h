// RenewedTls: what HttpServer needs to encrypt its connections.
#ifndef LEAN_BEACON_HTTP_SERVER_RENEWED_TLS_H_
#define LEAN_BEACON_HTTP_SERVER_RENEWED_TLS_H_

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/tls_files.h"

namespace lean::beacon {

// TLS 1.2 or later with a certificate and its key, which are taken anew when their files change. For one thread.
class RenewedTls {
 public:
  // InvalidArgument: OpenSSL does not take the files' content.
  static absl::StatusOr<std::unique_ptr<RenewedTls>> Make(std::shared_ptr<rpc::TlsFiles> files);

  // For the next connection. Connections that exist keep theirs. The reference is valid until the next call.
  boost::asio::ssl::context& Newest();

 private:
  using Content = std::shared_ptr<const rpc::TlsFiles::Content>;

  RenewedTls(std::shared_ptr<rpc::TlsFiles> files, Content content, boost::asio::ssl::context context)
      : files_(std::move(files)), content_(std::move(content)), context_(std::move(context)) {}

  const std::shared_ptr<rpc::TlsFiles> files_;
  Content content_;  // that context_ has, or that OpenSSL has refused since
  boost::asio::ssl::context context_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_SERVER_RENEWED_TLS_H_
