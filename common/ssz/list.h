// List of at most Limit elements of fixed size, held like a vector. Hashing it costs its whole length: lists that are
// hashed again and again are persistent ones (root_list.h, bitlist.h, shared_list.h). Thread compatible, as std::vector
// is.
#ifndef LEAN_COMMON_SSZ_LIST_H_
#define LEAN_COMMON_SSZ_LIST_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::ssz {

template <typename T, uint64_t Limit>
class List {
 public:
  using value_type = T;
  using const_iterator = typename std::vector<T>::const_iterator;

  static constexpr uint64_t kLimit = Limit;

  List() = default;

  // InvalidArgument: more elements than the limit.
  static absl::StatusOr<List> FromVector(std::vector<T> elements) {
    if (elements.size() > Limit) return OverLimitError(Limit, elements.size());
    List list;
    list.elements_ = std::move(elements);
    return list;
  }

  size_t size() const { return elements_.size(); }
  bool empty() const { return elements_.empty(); }
  bool full() const { return elements_.size() >= Limit; }
  const T& operator[](size_t index) const { return elements_[index]; }
  T& operator[](size_t index) { return elements_[index]; }
  const T& back() const { return elements_.back(); }
  auto begin() const { return elements_.begin(); }
  auto end() const { return elements_.end(); }
  auto begin() { return elements_.begin(); }
  auto end() { return elements_.end(); }
  const std::vector<T>& elements() const { return elements_; }

  void reserve(size_t count) { elements_.reserve(count); }
  void clear() { elements_.clear(); }
  void pop_back() { elements_.pop_back(); }

  // False, and nothing is added, when the list is full.
  [[nodiscard]] bool push_back(T element) {
    if (full()) return false;
    elements_.push_back(std::move(element));
    return true;
  }

  friend bool operator==(const List&, const List&) = default;

 private:
  std::vector<T> elements_;
};

// Coding of elements of fixed size, shared by the kinds of lists.
template <typename T, uint64_t Limit>
struct ElementsCodec {
  static constexpr size_t kElementSize = Codec<T>::kFixedSize;
  static_assert(kElementSize != 0, "no list of this protocol has elements of variable size");

  template <typename Elements>
  static uint8_t* Encode(const Elements& elements, uint8_t* out) {
    for (const T& element : elements) out = Codec<T>::Encode(element, out);
    return out;
  }

  static absl::Status Decode(ByteSpan in, std::vector<T>& out) {
    if (in.size() % kElementSize != 0) return NotAMultipleError(kElementSize, in.size());
    const size_t count = in.size() / kElementSize;
    if (count > Limit) return OverLimitError(Limit, count);
    out.resize(count);
    for (size_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(Codec<T>::Decode(in.subspan(i * kElementSize, kElementSize), out[i]));
    }
    return absl::OkStatus();
  }

  static Root HashTreeRoot(const std::vector<T>& elements) {
    // Numbers would be packed several to a chunk; no list of this protocol has them.
    static_assert(!std::is_integral_v<T>);
    std::vector<Root> roots;
    roots.reserve(elements.size());
    for (const T& element : elements) roots.push_back(Codec<T>::HashTreeRoot(element));
    return MixInLength(MerkleRoot(absl::MakeSpan(roots), TreeHeight(Limit)), elements.size());
  }
};

template <typename T, uint64_t Limit>
struct Codec<List<T, Limit>> {
  using Elements = ElementsCodec<T, Limit>;
  static constexpr size_t kFixedSize = 0;
  static size_t Size(const List<T, Limit>& list) { return list.size() * Elements::kElementSize; }
  static uint8_t* Encode(const List<T, Limit>& list, uint8_t* out) { return Elements::Encode(list, out); }
  static absl::Status Decode(ByteSpan in, List<T, Limit>& out) {
    std::vector<T> elements;
    RETURN_IF_ERROR(Elements::Decode(in, elements));
    out = *List<T, Limit>::FromVector(std::move(elements));  // Decode checked the limit
    return absl::OkStatus();
  }
  static Root HashTreeRoot(const List<T, Limit>& list) { return Elements::HashTreeRoot(list.elements()); }
};

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_LIST_H_
