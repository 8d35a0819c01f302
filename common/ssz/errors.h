// Errors of bytes that are no encoding of a type; all are InvalidArgument.
#ifndef LEAN_COMMON_SSZ_ERRORS_H_
#define LEAN_COMMON_SSZ_ERRORS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lean::ssz {

absl::Status WrongSizeError(size_t expected, size_t actual);
absl::Status TooShortError(size_t least, size_t actual);
absl::Status FirstOffsetError(size_t expected, size_t actual);
absl::Status OffsetError(size_t begin, size_t end, size_t size);
absl::Status NotAMultipleError(size_t element_size, size_t actual);
absl::Status OverLimitError(uint64_t limit, uint64_t actual);
absl::Status BitlistEndError();

// The same error with the field's name before it ("message: block: slot: ..."); ok stays ok.
absl::Status InField(absl::string_view name, absl::Status status);

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_ERRORS_H_
