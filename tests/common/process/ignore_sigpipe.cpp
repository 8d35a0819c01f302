// Ignores SIGPIPE in a test program, as the programs do: OpenSSL writes to sockets that a peer may have closed.
#include <csignal>

namespace lean {
namespace {

[[maybe_unused]] const auto previous_handler = std::signal(SIGPIPE, SIG_IGN);

}  // namespace
}  // namespace lean
