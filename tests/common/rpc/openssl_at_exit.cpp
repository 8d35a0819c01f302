// Keeps OpenSSL from its cleanup at the end of a test program.
//
// Threads of gRPC outlive main. OpenSSL holds a few objects for each thread and frees them when the thread ends, but
// not once its own cleanup has run. LeakSanitizer then reports them, depending on which of the two comes first.
#include <openssl/crypto.h>

namespace lean {
namespace {

// The option counts only in the first call of OpenSSL, so this is the initializer of a variable.
[[maybe_unused]] const int keeps_running = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);

}  // namespace
}  // namespace lean
