#include "common/process/option_values.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/bytes/decimal.h"

namespace lean {
namespace {

constexpr absl::string_view kUnsigned = "UINT";  // CLI11's name of the type
constexpr absl::string_view kEmpty = "the value is empty: give one, or leave the option out";

std::string PresentError(std::string& value) {
  if (absl::StripAsciiWhitespace(value).empty()) return std::string(kEmpty);
  if (absl::StartsWith(value, "--")) return absl::StrCat("the value is missing: ", value, " follows");
  return "";
}

std::string NumberError(std::string& value) {
  if (ParseDecimal(value).has_value()) return "";
  return absl::StrCat("\"", value, "\" is not a whole number from 0 to 2^64 - 1 in decimal digits");
}

}  // namespace

void CheckOptionValues(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) {
      option->disable_flag_override();
      continue;
    }
    // transform() puts a check before those that the option has already. Without a description it is not in the help.
    if (absl::StartsWith(option->get_type_name(), kUnsigned)) option->transform(CLI::Validator(NumberError, ""));
    option->transform(CLI::Validator(PresentError, ""));
  }
  for (CLI::App* part : app.get_subcommands(nullptr)) CheckOptionValues(*part);
}

CLI::Option* AddListOption(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                           const std::string& description,
                           const std::function<std::string(const std::string&)>& error) {
  const auto take = [name, &values, error](const std::vector<std::string>& given) {
    values.clear();
    for (const std::string& list : given) {
      for (const absl::string_view element : absl::StrSplit(list, ',')) {
        const absl::string_view value = absl::StripAsciiWhitespace(element);
        if (value.empty()) {
          throw CLI::ValidationError(name, absl::StrCat("an element of \"", list, "\" is empty: take it out"));
        }
        values.emplace_back(value);
        if (const std::string what = error(values.back()); !what.empty()) throw CLI::ValidationError(name, what);
      }
    }
  };
  return app.add_option_function<std::vector<std::string>>(name, take, description)
      ->default_str(absl::StrJoin(values, ","));
}

std::string EmptyOptionError(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (!absl::StartsWith(argument, "--") || equals == std::string::npos) continue;
    if (absl::StripAsciiWhitespace(argument.substr(equals + 1)).empty()) {
      return absl::StrCat(argument.substr(0, equals), ": ", kEmpty);
    }
  }
  return "";
}

}  // namespace lean
