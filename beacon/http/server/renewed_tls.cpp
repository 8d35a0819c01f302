#include "beacon/http/server/renewed_tls.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

namespace ssl = boost::asio::ssl;

absl::StatusOr<ssl::context> ContextOf(const rpc::TlsFiles& files, const rpc::TlsFiles::Content& content) {
  ssl::context context(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  const auto failed = [](const std::string& file, const boost::system::error_code& error) {
    return absl::InvalidArgumentError(absl::StrCat("TLS file ", file, ": ", error.message()));
  };
  boost::system::error_code error;
  context.use_certificate_chain(boost::asio::buffer(content.cert), error);
  if (error) return failed(files.paths().cert, error);
  context.use_private_key(boost::asio::buffer(content.key), ssl::context::pem, error);
  if (error) return failed(files.paths().key, error);
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RenewedTls>> RenewedTls::Make(std::shared_ptr<rpc::TlsFiles> files) {
  Content content = files->Get();
  ASSIGN_OR_RETURN(ssl::context context, ContextOf(*files, *content));
  return std::unique_ptr<RenewedTls>(new RenewedTls(std::move(files), std::move(content), std::move(context)));
}

ssl::context& RenewedTls::Newest() {
  if (Content newest = files_->Get(); newest != content_) {
    content_ = std::move(newest);
    // TlsFiles has checked the content, so OpenSSL takes it. If it did not, the earlier context would stay in use.
    if (absl::StatusOr<ssl::context> context = ContextOf(*files_, *content_); context.ok()) {
      context_ = *std::move(context);
    }
  }
  return context_;
}

}  // namespace lean::beacon
