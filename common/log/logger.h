// What every file that logs includes in place of spdlog's header. fmt's formatting is in its library and in its
// headers, and a file that logs one line compiled all of the latter again, for five seconds; here it is told to call
// the library.

#ifndef LEAN_COMMON_LOG_LOGGER_H_
#define LEAN_COMMON_LOG_LOGGER_H_

#include "spdlog/logger.h"

#if FMT_VERSION < 100000  // later ones say so themselves
namespace fmt::detail {
extern template void vformat_to<char>(buffer<char>&, basic_string_view<char>, basic_format_args<buffer_context<char>>,
                                      locale_ref);
}  // namespace fmt::detail
#endif

#endif  // LEAN_COMMON_LOG_LOGGER_H_
