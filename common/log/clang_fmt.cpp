// What logger.h expects from libfmt. GCC and clang give this template different names, so that Debian's library, which
// GCC has compiled, lacks clang's.
#include "fmt/format.h"

namespace fmt::detail {
template void vformat_to<char>(buffer<char>&, basic_string_view<char>, basic_format_args<buffer_context<char>>,
                               locale_ref);
}  // namespace fmt::detail
