#include "common/rpc/tls.h"

#include <utility>

#include "grpc/grpc.h"
#include "grpc/grpc_security.h"

namespace lean::rpc {
namespace {

// gRPC's C++ interface has no certificates that change; its C interface asks a function at each handshake.
class ReloadingServerCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadingServerCredentials(std::shared_ptr<TlsFiles> files) : files_(std::move(files)) {
    credentials_ =
        grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config_fetcher(
            files_->paths().authority.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                              : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
            &Fetch, this));
  }
  ~ReloadingServerCredentials() override { grpc_server_credentials_release(credentials_); }
  ReloadingServerCredentials(const ReloadingServerCredentials&) = delete;
  ReloadingServerCredentials& operator=(const ReloadingServerCredentials&) = delete;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // gRPC calls it once at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    auto& credentials = *static_cast<ReloadingServerCredentials*>(self);
    std::shared_ptr<const TlsFiles::Content> content = credentials.files_->Get();
    if (content == credentials.in_use_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{content->key.c_str(), content->cert.c_str()};
    // gRPC wants an authority even if it requests no certificate of anybody.
    const std::string& authority = content->authority.empty() ? content->cert : content->authority;
    *config = grpc_ssl_server_certificate_config_create(authority.c_str(), &pair, 1);
    credentials.in_use_ = std::move(content);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::shared_ptr<TlsFiles> files_;
  std::shared_ptr<const TlsFiles::Content> in_use_;
  grpc_server_credentials* credentials_ = nullptr;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(std::shared_ptr<TlsFiles> files) {
  if (files == nullptr) return grpc::InsecureServerCredentials();
  return std::make_shared<ReloadingServerCredentials>(std::move(files));
}

std::shared_ptr<grpc::ChannelCredentials> MakeClientCredentials(const TlsFiles::Content* content) {
  if (content == nullptr) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = content->authority;
  options.pem_private_key = content->key;
  options.pem_cert_chain = content->cert;
  return grpc::SslCredentials(options);
}

}  // namespace lean::rpc
