// Settings of a program from a YAML file: refused, or the options that their rules allow; and the file that the program
// prints of them sets the same again.
#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/config/settings.h"
#include "tests/fuzz/fuzzing.h"
#include "tests/fuzz/scratch_folder.h"

namespace lean::fuzz {
namespace {

// With an option of every kind that our programs have.
struct Program {
  Program() : settings(app, "LEAN_FUZZ_") {
    app.fallthrough();
    app.add_option("--log-level", level)->capture_default_str()->check(CLI::IsMember({"info", "debug"}));
    run = app.add_subcommand("run", "");
    run->add_option("--rpc-address", address)->capture_default_str();
    CLI::Option* with_data = run->add_option("--data", data);
    run->add_option("--keep-slots", keep)->needs(with_data)->check(CLI::Range(uint64_t{1}, uint64_t{1} << 18));
    run->add_option("--beacon", beacons);
    run->add_flag("--broadcast", broadcast);
    run->add_flag("!--no-watch", watch);
    settings.AddTo(*run);
  }

  // Whether the file is accepted.
  bool Read(const std::string& file) {
    absl::StatusOr<std::vector<std::string>> arguments = settings.Complete({"run", "--config", file}, {});
    if (!arguments.ok()) return false;
    std::reverse(arguments->begin(), arguments->end());
    try {
      app.parse(*std::move(arguments));
    } catch (const CLI::ParseError& error) {
      settings.Origins(error.what());
      return false;
    }
    return true;
  }

  bool operator==(const Program& other) const {
    return level == other.level && address == other.address && data == other.data && keep == other.keep &&
           beacons == other.beacons && broadcast == other.broadcast && watch == other.watch;
  }

  CLI::App app;
  CLI::App* run = nullptr;
  Settings settings;
  std::string level = "info";
  std::string address = "127.0.0.1:1";
  std::string data;
  std::optional<uint64_t> keep;
  std::vector<std::string> beacons;
  bool broadcast = false;
  bool watch = true;
};

bool IsPlain(const Program& program) {
  const auto is_plain = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c != 0x7f; });
  };
  return is_plain(program.address) && is_plain(program.data) &&
         std::all_of(program.beacons.begin(), program.beacons.end(), is_plain);
}

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  static const ScratchFolder folder;
  const std::string file = folder.Write("settings.yaml", TextOf(data, size));
  Program program;
  if (!program.Read(file)) return 0;
  Require(program.level == "info" || program.level == "debug");
  Require(!program.keep.has_value() || (!program.data.empty() && *program.keep >= 1 && *program.keep <= 1 << 18));
  std::ostringstream printed;
  program.settings.Print(*program.run, printed);
  Program again;
  const bool read_again = again.Read(folder.Write("printed.yaml", printed.str()));
  // Control codes are not printed.
  if (IsPlain(program)) Require(read_again && again == program);
  return 0;
}
