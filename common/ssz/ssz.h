// Simple Serialize: bytes and roots of containers. Written here because no C++ library of Debian has SSZ, and because
// states have to share unchanged subtrees.
#ifndef LEAN_COMMON_SSZ_SSZ_H_
#define LEAN_COMMON_SSZ_SSZ_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/ssz/errors.h"
#include "common/ssz/fields.h"
#include "common/ssz/merkle.h"
#include "common/ssz/uint64_le.h"
#include "common/status/status_macros.h"

namespace lean::ssz {

inline constexpr size_t kOffsetSize = 4;

// Codec<T>: the coding and hashing of one type. Specialized here for uint64, byte arrays and containers; lists bring
// their own.
//
//   kFixedSize        encoded size in bytes, 0 for a type of variable size
//   Size(value)       encoded size in bytes of this value
//   Encode(value, out)   writes the Size(value) bytes of the encoding to `out` and returns their end
//   Decode(in, out)   InvalidArgument unless `in` is exactly one canonical encoding; `out` is unspecified then.
//                     Allocates in proportion to in.size(), whatever counts and offsets the bytes claim.
//   HashTreeRoot(value)
//
// Source of the format: leanSpec 050fa4a, types/; stricter than it where it is lax (trailing bytes, gaps behind
// offsets).
template <typename T>
struct Codec;

template <>
struct Codec<uint64_t> {
  static constexpr size_t kFixedSize = 8;
  static size_t Size(uint64_t) { return kFixedSize; }
  static uint8_t* Encode(uint64_t value, uint8_t* out) {
    StoreUint64(value, out);
    return out + kFixedSize;
  }
  static absl::Status Decode(ByteSpan in, uint64_t& out) {
    if (in.size() != kFixedSize) return WrongSizeError(kFixedSize, in.size());
    out = LoadUint64(in.data());
    return absl::OkStatus();
  }
  static Root HashTreeRoot(uint64_t value) {
    Root chunk;
    StoreUint64(value, chunk.data.data());
    return chunk;
  }
};

template <size_t N>
struct Codec<Bytes<N>> {
  static constexpr size_t kFixedSize = N;
  static size_t Size(const Bytes<N>&) { return N; }
  static uint8_t* Encode(const Bytes<N>& value, uint8_t* out) {
    return std::copy(value.data.begin(), value.data.end(), out);
  }
  static absl::Status Decode(ByteSpan in, Bytes<N>& out) {
    if (in.size() != N) return WrongSizeError(N, in.size());
    std::copy(in.begin(), in.end(), out.data.begin());
    return absl::OkStatus();
  }
  static Root HashTreeRoot(const Bytes<N>& value) {
    if constexpr (N == Root::kSize) {
      return value;
    } else {
      return MerkleRootOfBytes(value.span());
    }
  }
};

template <Container T>
struct Codec<T> {
 private:
  template <typename F>
  using CodecOf = Codec<typename F::Type>;

  // Size of the fixed part: fields of fixed size and one offset for each other field.
  static constexpr size_t FixedPartSize() {
    return std::apply(
        [](const auto&... field) { return (FieldSlotSize<std::remove_cvref_t<decltype(field)>>() + ...); },
        T::Fields());
  }
  template <typename F>
  static constexpr size_t FieldSlotSize() {
    return CodecOf<F>::kFixedSize == 0 ? kOffsetSize : CodecOf<F>::kFixedSize;
  }
  static constexpr size_t VariableFieldCount() {
    return std::apply(
        [](const auto&... field) {
          return ((CodecOf<std::remove_cvref_t<decltype(field)>>::kFixedSize == 0 ? size_t{1} : size_t{0}) + ...);
        },
        T::Fields());
  }

 public:
  static constexpr size_t kFixedPartSize = FixedPartSize();
  static constexpr size_t kFixedSize = VariableFieldCount() == 0 ? kFixedPartSize : 0;

  static size_t Size(const T& value) {
    if constexpr (kFixedSize != 0) {
      return kFixedSize;
    } else {
      size_t size = kFixedPartSize;
      ForEachField<T>([&](const auto& field) {
        using C = CodecOf<std::remove_cvref_t<decltype(field)>>;
        if constexpr (C::kFixedSize == 0) size += C::Size(value.*field.member);
      });
      return size;
    }
  }

  static uint8_t* Encode(const T& value, uint8_t* out) {
    size_t offset = kFixedPartSize;
    ForEachField<T>([&](const auto& field) {
      using C = CodecOf<std::remove_cvref_t<decltype(field)>>;
      if constexpr (C::kFixedSize != 0) {
        out = C::Encode(value.*field.member, out);
      } else {
        for (size_t i = 0; i < kOffsetSize; ++i) *out++ = static_cast<uint8_t>(offset >> (8 * i));
        offset += C::Size(value.*field.member);
      }
    });
    if constexpr (kFixedSize == 0) {
      ForEachField<T>([&](const auto& field) {
        using C = CodecOf<std::remove_cvref_t<decltype(field)>>;
        if constexpr (C::kFixedSize == 0) out = C::Encode(value.*field.member, out);
      });
    }
    return out;
  }

  static absl::Status Decode(ByteSpan in, T& out) {
    if constexpr (kFixedSize != 0) {
      if (in.size() != kFixedSize) return WrongSizeError(kFixedSize, in.size());
    } else {
      if (in.size() < kFixedPartSize) return TooShortError(kFixedPartSize, in.size());
    }
    absl::Status status;
    std::array<size_t, VariableFieldCount() + 1> bounds{};
    size_t position = 0;
    size_t variable = 0;
    ForEachField<T>([&](const auto& field) {
      using F = std::remove_cvref_t<decltype(field)>;
      if (!status.ok()) return;
      if constexpr (CodecOf<F>::kFixedSize != 0) {
        status = InField(field.name, CodecOf<F>::Decode(in.subspan(position, FieldSlotSize<F>()), out.*field.member));
      } else {
        bounds[variable++] = LoadOffset(in.data() + position);
      }
      position += FieldSlotSize<F>();
    });
    if constexpr (kFixedSize == 0) {
      RETURN_IF_ERROR(status);
      bounds.back() = in.size();
      if (bounds.front() != kFixedPartSize) return FirstOffsetError(kFixedPartSize, bounds.front());
      variable = 0;
      ForEachField<T>([&](const auto& field) {
        using C = CodecOf<std::remove_cvref_t<decltype(field)>>;
        if constexpr (C::kFixedSize == 0) {
          if (!status.ok()) return;
          const size_t begin = bounds[variable];
          const size_t end = bounds[++variable];
          // Each end is checked against the whole, so a later offset that is too small is caught as an end before its
          // begin.
          status = begin <= end && end <= in.size() ? C::Decode(in.subspan(begin, end - begin), out.*field.member)
                                                    : OffsetError(begin, end, in.size());
          status = InField(field.name, std::move(status));
        }
      });
    }
    return status;
  }

  static Root HashTreeRoot(const T& value) {
    std::array<Root, kFieldCount<T>> roots;
    size_t i = 0;
    ForEachField<T>([&](const auto& field) {
      roots[i++] = CodecOf<std::remove_cvref_t<decltype(field)>>::HashTreeRoot(value.*field.member);
    });
    return MerkleRoot(absl::MakeSpan(roots), TreeHeight(roots.size()));
  }

 private:
  static size_t LoadOffset(const uint8_t* in) {
    return size_t{in[0]} | size_t{in[1]} << 8 | size_t{in[2]} << 16 | size_t{in[3]} << 24;
  }
};

template <typename T>
std::vector<uint8_t> Serialize(const T& value) {
  std::vector<uint8_t> bytes(Codec<T>::Size(value));
  Codec<T>::Encode(value, bytes.data());
  return bytes;
}

// The same, for interfaces that take bytes as a string: protobuf and the database.
template <typename T>
std::string SerializeToString(const T& value) {
  std::string bytes(Codec<T>::Size(value), '\0');
  Codec<T>::Encode(value, reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

// InvalidArgument, naming the field: `bytes` is not exactly one canonical encoding of a T. Memory is bounded by
// bytes.size().
template <typename T>
absl::StatusOr<T> Deserialize(ByteSpan bytes) {
  T value;
  RETURN_IF_ERROR(Codec<T>::Decode(bytes, value));
  return value;
}

template <typename T>
Root HashTreeRoot(const T& value) {
  return Codec<T>::HashTreeRoot(value);
}

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_SSZ_H_
