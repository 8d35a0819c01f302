// An immutable list: copies share its elements and its root, which is computed at its creation. Thread safe to read and
// to copy.
#ifndef LEAN_COMMON_SSZ_SHARED_LIST_H_
#define LEAN_COMMON_SSZ_SHARED_LIST_H_

#include <memory>
#include <utility>
#include <vector>

#include "common/ssz/list.h"
#include "common/status/status_macros.h"

namespace lean::ssz {

template <typename T, uint64_t Limit>
class SharedList {
 public:
  using value_type = T;
  using const_iterator = typename std::vector<T>::const_iterator;

  static constexpr uint64_t kLimit = Limit;

  SharedList() : content_(Empty()) {}
  // No move: it would leave a list without content, to save one reference count.
  SharedList(const SharedList&) = default;
  SharedList& operator=(const SharedList&) = default;

  // InvalidArgument: more elements than the limit.
  static absl::StatusOr<SharedList> FromVector(std::vector<T> elements) {
    if (elements.size() > Limit) return OverLimitError(Limit, elements.size());
    return SharedList(MakeContent(std::move(elements)));
  }

  size_t size() const { return content_->elements.size(); }
  bool empty() const { return content_->elements.empty(); }
  const T& operator[](size_t index) const { return content_->elements[index]; }
  auto begin() const { return content_->elements.begin(); }
  auto end() const { return content_->elements.end(); }
  const std::vector<T>& elements() const { return content_->elements; }

  // hash_tree_root, at no cost.
  const Root& root() const { return content_->root; }

  friend bool operator==(const SharedList& a, const SharedList& b) {
    return a.content_ == b.content_ || a.content_->root == b.content_->root;
  }

 private:
  struct Content {
    std::vector<T> elements;
    Root root;
  };
  using ContentPtr = std::shared_ptr<const Content>;

  explicit SharedList(ContentPtr content) : content_(std::move(content)) {}

  static ContentPtr MakeContent(std::vector<T> elements) {
    const Root root = ElementsCodec<T, Limit>::HashTreeRoot(elements);
    return std::make_shared<const Content>(Content{std::move(elements), root});
  }
  static const ContentPtr& Empty() {
    static const ContentPtr empty = MakeContent({});
    return empty;
  }

  ContentPtr content_;  // never null
};

template <typename T, uint64_t Limit>
struct Codec<SharedList<T, Limit>> {
  using Elements = ElementsCodec<T, Limit>;
  static constexpr size_t kFixedSize = 0;
  static size_t Size(const SharedList<T, Limit>& list) { return list.size() * Elements::kElementSize; }
  static uint8_t* Encode(const SharedList<T, Limit>& list, uint8_t* out) { return Elements::Encode(list, out); }
  static absl::Status Decode(ByteSpan in, SharedList<T, Limit>& out) {
    std::vector<T> elements;
    RETURN_IF_ERROR(Elements::Decode(in, elements));
    out = *SharedList<T, Limit>::FromVector(std::move(elements));  // Decode checked the limit
    return absl::OkStatus();
  }
  static Root HashTreeRoot(const SharedList<T, Limit>& list) { return list.root(); }
};

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_SHARED_LIST_H_
