// Where test vectors lie, and reading them.
#ifndef LEAN_TESTS_SPEC_SUPPORT_VECTOR_FILES_H_
#define LEAN_TESTS_SPEC_SUPPORT_VECTOR_FILES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace lean::spec {

// The sub-folder (ssz, consensus, traces, three_sf_mini, leansig, keystores) of the vectors: below LEAN_VECTORS if that
// is set, else below the repository's tests/vectors.
std::filesystem::path VectorFolder(absl::string_view sub_folder);

// Every file below the sub-folder whose name ends in one of the suffixes, sorted by path; none if there is no such
// folder.
std::vector<std::filesystem::path> VectorFiles(absl::string_view sub_folder,
                                               const std::vector<std::string>& suffixes = {".json", ".json.gz"});

// A file's bytes; a name that ends in .gz is unpacked. NotFound, or InvalidArgument for broken gzip.
absl::StatusOr<std::string> ReadVectorFile(const std::filesystem::path& path);

// The same, parsed. InvalidArgument: not JSON.
absl::StatusOr<nlohmann::json> ReadJson(const std::filesystem::path& path);

// Names a test after its file, for INSTANTIATE_TEST_SUITE_P over VectorFiles:
//   INSTANTIATE_TEST_SUITE_P(Files, SszVectors, testing::ValuesIn(VectorFiles("ssz")), VectorTestName);
std::string VectorTestName(const testing::TestParamInfo<std::filesystem::path>& info);

}  // namespace lean::spec

#endif  // LEAN_TESTS_SPEC_SUPPORT_VECTOR_FILES_H_
