// Addresses as values of options.
#ifndef LEAN_COMMON_RPC_ADDRESS_OPTION_H_
#define LEAN_COMMON_RPC_ADDRESS_OPTION_H_

#include <string>

#include "common/rpc/address.h"

namespace lean::rpc {

// What is wrong with the value of an option; empty: nothing.
inline std::string AddressError(const std::string& text) { return std::string(ParseAddress(text).status().message()); }

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_ADDRESS_OPTION_H_
