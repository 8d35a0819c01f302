// The files of the page that shows the chain in a browser (docs/page.md). They are compiled into the program, so the
// page needs no other files and no network but the beacon's.
#ifndef LEAN_BEACON_HTTP_PAGE_PAGE_FILES_H_
#define LEAN_BEACON_HTTP_PAGE_PAGE_FILES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lean::beacon {

inline constexpr absl::string_view kPageIndex = "index.html";

struct PageFile {
  absl::string_view name;  // "page.js"
  absl::string_view content_type;
  absl::string_view content;
};

absl::Span<const PageFile> PageFiles();

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_PAGE_PAGE_FILES_H_
