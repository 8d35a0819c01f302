#include "common/rpc/tls_options.h"

namespace lean::rpc {
namespace {

template <typename Files>
void AddFolderOption(CLI::App& app, const std::string& prefix, Files& files, CLI::Option* first, CLI::Option* second,
                     CLI::Option* third) {
  app.add_option_function<std::string>(
         prefix + "-dir", [&files](const std::string& folder) { files = Files::Of(folder); },
         "folder of `lean-beacon certs` with ca.pem, cert.pem and key.pem, in place of these three options")
      ->excludes(first, second, third);
}

}  // namespace

void AddServerTlsOptions(CLI::App& app, const std::string& prefix, ServerTlsFiles& files) {
  CLI::Option* cert = app.add_option(prefix + "-cert", files.cert, "PEM certificate chain; the server uses TLS");
  CLI::Option* key = app.add_option(prefix + "-key", files.key, "PEM private key of the certificate");
  CLI::Option* authority =
      app.add_option(prefix + "-client-ca", files.client_ca,
                     "PEM certificates of the authority that issues clients' certificates, which are required then");
  AddFolderOption(app, prefix, files, cert, key, authority);
}

void AddClientTlsOptions(CLI::App& app, const std::string& prefix, const std::string& server, ClientTlsFiles& files) {
  CLI::Option* authority = app.add_option(prefix + "-ca", files.server_ca,
                                          "PEM certificates of the authority of " + server + ": connect with TLS");
  CLI::Option* cert = app.add_option(prefix + "-cert", files.cert, "PEM certificate chain to show to " + server);
  CLI::Option* key = app.add_option(prefix + "-key", files.key, "PEM private key of that certificate");
  AddFolderOption(app, prefix, files, authority, cert, key);
}

}  // namespace lean::rpc
