#include "common/rpc/client/connection_check.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/certificates/certificate.h"
#include "common/certificates/openssl.h"
#include "common/clock/clock.h"
#include "common/process/descriptors.h"
#include "common/process/whole_file.h"
#include "common/rpc/connections/address.h"
#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

constexpr std::chrono::milliseconds kExplainTimeout{1000};

using Context = std::unique_ptr<SSL_CTX, openssl::Deleter<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, openssl::Deleter<SSL_free>>;

// A socket with a deadline for all that is done with it.
class Socket {
 public:
  Socket(const Address& address, std::chrono::milliseconds timeout) : end_(clock_.Steady() + timeout) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found) != 0) return;
    const std::unique_ptr<addrinfo, openssl::Deleter<freeaddrinfo>> owned(found);
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
      fd_ = Descriptor(socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol));
      if (fd_.valid() && Connect(*info)) return;
    }
    fd_ = Descriptor();
  }

  bool connected() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }

  // False: the deadline has passed.
  bool Await(short events) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - clock_.Steady()).count();
    pollfd waiting{.fd = fd_.get(), .events = events, .revents = 0};
    return left > 0 && poll(&waiting, 1, static_cast<int>(left)) == 1;
  }

 private:
  bool Connect(const addrinfo& info) const {
    if (connect(fd_.get(), info.ai_addr, info.ai_addrlen) == 0) return true;
    int error = 0;
    socklen_t size = sizeof(error);
    return errno == EINPROGRESS && Await(POLLOUT) && getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
           error == 0;
  }

  const RealClock clock_;  // sockets wait in real time
  const SteadyTime end_;
  Descriptor fd_;
};

// What is known of the server at the end of a handshake, or of an attempt.
struct Handshake {
  bool speaks_tls = false;       // it answered with a message of TLS
  bool plain_answer = false;     // it answered with something else
  bool refused_at_end = false;   // it ended the connection when it had seen our certificate, or that there is none
  bool asked = false;            // it asked for a certificate of ours
  bool knows_our_issuer = true;  // among the authorities that it named
  long verified = X509_V_OK;
  std::string server;  // PEM of its certificate
};

// Called when the server asks for a certificate.
int NoteRequest(SSL*, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 1;
}

// Continues until `step` has succeeded, failed, or the deadline has passed. True: succeeded.
template <typename Step>
bool Drive(SSL* ssl, const Socket& socket, Step step) {
  while (true) {
    const int result = step();
    if (result > 0) return true;
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    if (!socket.Await(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return false;
  }
}

bool UseFiles(SSL_CTX* context, const ClientTlsFiles& files) {
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
  if (!files.server_ca.empty() && SSL_CTX_load_verify_file(context, files.server_ca.c_str()) != 1) return false;
  if (files.cert.empty()) return true;
  return SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1;
}

// Accepts every certificate; the result of the check is read later.
int AcceptAny(int, X509_STORE_CTX*) { return 1; }

bool KnowsIssuer(SSL* ssl) {
  const X509* own = SSL_get_certificate(ssl);
  const STACK_OF(X509_NAME)* authorities = SSL_get0_peer_CA_list(ssl);
  if (own == nullptr || authorities == nullptr || sk_X509_NAME_num(authorities) == 0) return true;
  for (int i = 0; i < sk_X509_NAME_num(authorities); ++i) {
    if (X509_NAME_cmp(sk_X509_NAME_value(authorities, i), X509_get_issuer_name(own)) == 0) return true;
  }
  return false;
}

// True: the newest error says that what came is no TLS.
bool IsNoTls(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  return ERR_GET_LIB(error) == ERR_LIB_SSL &&
         (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG);
}

Handshake Try(const Address& address, const ClientTlsFiles& files, const Socket& socket) {
  Handshake seen;
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || !UseFiles(context.get(), files)) return seen;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, &AcceptAny);
  SSL_CTX_set_cert_cb(context.get(), &NoteRequest, &seen.asked);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2));
  const Connection connection(SSL_new(context.get()));
  SSL* const ssl = connection.get();
  if (ssl == nullptr || SSL_set_fd(ssl, socket.fd()) != 1) return seen;
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, address.host.c_str()) != 1) {
    SSL_set_tlsext_host_name(ssl, address.host.c_str());
    X509_VERIFY_PARAM_set1_host(expected, address.host.c_str(), 0);
  }
  ERR_clear_error();
  const bool done = Drive(ssl, socket, [&] { return SSL_connect(ssl); });
  const unsigned long error = ERR_peek_last_error();
  if (X509* const server = SSL_get0_peer_certificate(ssl); server != nullptr) {
    seen.speaks_tls = true;
    seen.server = openssl::ToPem(server);
    seen.verified = SSL_get_verify_result(ssl);
    seen.knows_our_issuer = KnowsIssuer(ssl);
  }
  seen.plain_answer = !done && !seen.speaks_tls && IsNoTls(error);
  if (done) {
    // With TLS 1.3 the server judges our certificate after our part of the handshake. If it accepts it, it sends the
    // first frame of HTTP/2.
    std::array<char, 9> frame{};
    seen.refused_at_end = !Drive(ssl, socket, [&] { return SSL_read(ssl, frame.data(), frame.size()); }) &&
                          (SSL_get_shutdown(ssl) != 0 || socket.Await(POLLIN));
  } else {
    seen.refused_at_end = seen.speaks_tls;
  }
  ERR_clear_error();
  return seen;
}

// What is wrong with our own certificate; empty: nothing, or there is none.
std::string OwnFault(const ClientTlsFiles& files) {
  if (files.cert.empty()) return "";
  ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(files.cert, kMaxTlsFileBytes), std::string(_.message()));
  ASSIGN_OR_RETURN(const auto infos, ReadCertificateInfos(pem), absl::StrCat(files.cert, " ", _.message()));
  const CertificateInfo& own = infos.front();
  if (const absl::Time now = absl::FromUnixMillis(RealClock().WallMs()); now > own.end) {
    return absl::StrCat("our certificate ", files.cert, " ended on ", DayOf(own.end),
                        ": renew it (lean-beacon certs renew)");
  } else if (now < own.begin) {
    return absl::StrCat("our certificate ", files.cert, " begins on ", DayOf(own.begin),
                        ": check the clock of this machine");
  }
  return "";
}

std::string ServerFault(const Address& address, const ClientTlsFiles& files, const Handshake& seen) {
  const auto infos = ReadCertificateInfos(seen.server);
  const CertificateInfo server = infos.ok() ? infos->front() : CertificateInfo();
  switch (seen.verified) {
    case X509_V_OK:
      return "";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat("the server's certificate ended on ", DayOf(server.end),
                          ": renew it there (lean-beacon certs renew)");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat("the server's certificate begins on ", DayOf(server.begin),
                          ": check the clocks of both machines");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_ERR_INVALID_PURPOSE:
      if (server.hosts.empty()) {
        return "the server shows the certificate of a client: make one for it with its hosts (NAME=HOST)";
      }
      return absl::StrCat("the server's certificate is for ", absl::StrJoin(server.hosts, ", "), ", not for ",
                          address.host, ": connect to one of these, or make a certificate with this name");
    default:
      return absl::StrCat("the server's certificate is of the authority \"", server.issuer, "\", which is not in ",
                          files.server_ca, ": use the authority that issued it (",
                          X509_verify_cert_error_string(seen.verified), ")");
  }
}

std::string ClientFault(const ClientTlsFiles& files, const Handshake& seen) {
  if (!seen.refused_at_end) return "";
  if (files.cert.empty()) {
    return seen.asked ? "the server wants a certificate of this client: give it --tls-cert and --tls-key, or --tls-dir"
                      : "";
  }
  return absl::StrCat("the server refused our certificate ", files.cert,
                      seen.knows_our_issuer ? ": it may have another authority (--tls-client-ca) or another clock"
                                            : ", because it is not of the authority that the server expects "
                                              "(--tls-client-ca)");
}

bool MayBeUnconnected(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::Status With(const std::string& why, const absl::Status& status) {
  return why.empty() ? status : absl::Status(status.code(), absl::StrCat(why, " [", status.message(), "]"));
}

}  // namespace

std::string ExplainConnection(const std::string& address, const ClientTlsFiles& files,
                              std::chrono::milliseconds timeout) {
  const auto parsed = ParseAddress(address);
  if (!parsed.ok() || parsed->IsUnix()) return "";
  const Socket socket(*parsed, timeout);
  if (!socket.connected()) return "";
  const Handshake seen = Try(*parsed, files, socket);
  if (files.empty()) {
    return seen.speaks_tls ? "the server speaks TLS: give this client the files for it (--tls-dir, or --tls-ca)" : "";
  }
  if (seen.plain_answer) {
    return "the server does not speak TLS: start it with --tls-dir (or --tls-cert), or leave out the files for TLS "
           "here";
  }
  if (std::string fault = OwnFault(files); !fault.empty()) return fault;
  if (std::string fault = ServerFault(*parsed, files, seen); !fault.empty()) return fault;
  return ClientFault(files, seen);
}

absl::Status WithExplanation(const absl::Status& status, const std::string& address, const ClientTlsFiles& files) {
  return MayBeUnconnected(status) ? With(ExplainConnection(address, files, kExplainTimeout), status) : status;
}

absl::Status ConnectionCheck::Explain(const absl::Status& status) {
  if (!MayBeUnconnected(status)) return status;
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  if (!checked_.has_value() || now - *checked_ >= kPause) {
    checked_ = now;
    worker_.TrySubmit([this] { Check(); });
  }
  return With(why_, status);
}

void ConnectionCheck::Check() {
  std::string why = ExplainConnection(address_, files_, kExplainTimeout);
  MutexLock lock(mutex_);
  why_ = std::move(why);
}

}  // namespace lean::rpc
