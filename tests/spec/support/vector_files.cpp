#include "tests/spec/support/vector_files.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::spec {

namespace fs = std::filesystem;

fs::path VectorFolder(absl::string_view sub_folder) {
  const char* folder = std::getenv("LEAN_VECTORS");
  const fs::path base =
      folder != nullptr && *folder != '\0' ? fs::path(folder) : fs::path(LEAN_SOURCE_DIR) / "tests/vectors";
  return base / std::string(sub_folder);
}

std::vector<fs::path> VectorFiles(absl::string_view sub_folder, const std::vector<std::string>& suffixes) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(VectorFolder(sub_folder), error), end; it != end; it.increment(error)) {
    if (error) break;
    if (!it->is_regular_file(error)) continue;
    const std::string name = it->path().filename();
    if (std::any_of(suffixes.begin(), suffixes.end(),
                    [&](const auto& suffix) { return absl::EndsWith(name, suffix); })) {
      files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<std::string> ReadVectorFile(const fs::path& path) {
  // zlib hands on what is not gzip as it is.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) return absl::NotFoundError(absl::StrCat("cannot open ", path.string()));
  std::string text;
  std::array<char, 1 << 16> buffer;
  int count = 0;
  while ((count = gzread(file.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<size_t>(count));
  if (count < 0) return absl::InvalidArgumentError(absl::StrCat(path.string(), ": broken gzip"));
  return text;
}

absl::StatusOr<nlohmann::json> ReadJson(const fs::path& path) {
  ASSIGN_OR_RETURN(std::string text, ReadVectorFile(path));
  nlohmann::json json = nlohmann::json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError(absl::StrCat(path.string(), ": not JSON"));
  return json;
}

std::string VectorTestName(const testing::TestParamInfo<fs::path>& info) {
  // The number keeps files of one name in different folders apart.
  std::string name = absl::StrCat(info.param.filename().string(), "_", info.index);
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace lean::spec
