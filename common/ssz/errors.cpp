#include "common/ssz/errors.h"

#include "absl/strings/str_cat.h"

namespace lean::ssz {

absl::Status WrongSizeError(size_t expected, size_t actual) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", expected, " bytes, got ", actual));
}

absl::Status TooShortError(size_t least, size_t actual) {
  return absl::InvalidArgumentError(absl::StrCat("expected at least ", least, " bytes, got ", actual));
}

absl::Status FirstOffsetError(size_t expected, size_t actual) {
  return absl::InvalidArgumentError(absl::StrCat("first offset must be ", expected, ", is ", actual));
}

absl::Status OffsetError(size_t begin, size_t end, size_t size) {
  return absl::InvalidArgumentError(absl::StrCat("offsets ", begin, " to ", end, " are not within ", size, " bytes"));
}

absl::Status NotAMultipleError(size_t element_size, size_t actual) {
  return absl::InvalidArgumentError(
      absl::StrCat(actual, " bytes are not a whole number of elements of ", element_size));
}

absl::Status OverLimitError(uint64_t limit, uint64_t actual) {
  return absl::InvalidArgumentError(absl::StrCat(actual, " elements exceed the limit of ", limit));
}

absl::Status BitlistEndError() { return absl::InvalidArgumentError("bit list does not end in its length bit"); }

absl::Status InField(absl::string_view name, absl::Status status) {
  if (status.ok()) return status;

  return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

}  // namespace lean::ssz
