// What the values of all options of a command line have in common.
#ifndef LEAN_COMMON_PROCESS_OPTION_VALUES_H_
#define LEAN_COMMON_PROCESS_OPTION_VALUES_H_

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace lean {

// Adds these rules to every option of `app`, its subcommands and its option groups. Call it when all options are there.
// - A value is not empty, and is not the next option: an unset shell variable must not count as an absent option.
// - A number (an option whose type is an unsigned integer) has decimal digits alone and at most 64 bits: CLI11 takes
//   "-1" and "99999999999999999999" for 2^64 - 1, and "010" for 8.
// - A flag takes no value.
void CheckOptionValues(CLI::App& app);

// Adds an option of several values, which are separated by commas or by naming the option again. The default is what
// `values` holds. An empty element is refused (CLI11's own delimiter drops it), as is one of which `error` tells one.
CLI::Option* AddListOption(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                           const std::string& description, const std::function<std::string(const std::string&)>& error);

// What is wrong with the arguments of a program before they are parsed; empty: nothing. "--name=" is refused here,
// since CLI11 takes the next argument for its value.
std::string EmptyOptionError(const std::vector<std::string>& arguments);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_OPTION_VALUES_H_
