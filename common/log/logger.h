// Files that log include this header instead of spdlog's. By default fmt's headers contain all of its formatting code,
// so that each file that logs takes five seconds longer to compile. This header makes them use the code in fmt's
// library.

#ifndef LEAN_COMMON_LOG_LOGGER_H_
#define LEAN_COMMON_LOG_LOGGER_H_

#include "spdlog/logger.h"

#if FMT_VERSION < 100000  // later versions do so by default
namespace fmt::detail {
extern template void vformat_to<char>(buffer<char>&, basic_string_view<char>, basic_format_args<buffer_context<char>>,
                                      locale_ref);
}  // namespace fmt::detail
#endif

#endif  // LEAN_COMMON_LOG_LOGGER_H_
