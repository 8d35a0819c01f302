// A folder in memory, for what is only read from files.
#ifndef LEAN_TESTS_FUZZ_SCRATCH_FOLDER_H_
#define LEAN_TESTS_FUZZ_SCRATCH_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::fuzz {

// Removed with all it holds.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
    pattern += "/lean_fuzz_XXXXXX";
    Require(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::string Write(const std::string& name, absl::string_view text) const {
    std::ofstream(File(name), std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
    return File(name);
  }

 private:
  std::string path_;
};

}  // namespace lean::fuzz

#endif  // LEAN_TESTS_FUZZ_SCRATCH_FOLDER_H_
