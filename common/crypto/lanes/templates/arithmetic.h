// KoalaBear over lanes, in Montgomery form (R = 2^32). A Lane is one of the lane_*.h: its Vector holds a word of every
// lane, its Wide the even or the odd lanes widened to 64 bits. Words are below p unless a function says otherwise.
//
// Like everything that is compiled for more than one instruction set, this has internal linkage: the linker could
// otherwise keep the AVX-512 copy of a function for all. For the same reason nothing here calls the standard library
// at run time.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_ARITHMETIC_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_ARITHMETIC_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/field/koala_bear.h"

#define LEAN_LANES_INLINE [[gnu::always_inline]] inline

namespace lean::crypto::lanes {
namespace {

constexpr uint32_t kP = Fp::kModulus;
static_assert(kP == 127 * (uint32_t{1} << 24) + 1);

// For constants, at compile time: numbers below p in canonical form.
constexpr uint32_t Product(uint32_t a, uint32_t b) { return static_cast<uint32_t>(uint64_t{a} * b % kP); }
constexpr uint32_t Power(uint32_t base, uint32_t exponent) {
  uint32_t result = 1;
  for (; exponent != 0; exponent >>= 1, base = Product(base, base)) {
    if (exponent & 1) result = Product(result, base);
  }
  return result;
}
constexpr uint32_t Inverse(uint32_t value) { return Power(value, kP - 2); }
constexpr uint32_t PowerOfTwo(uint32_t exponent) { return Power(2, exponent); }
constexpr uint32_t kRadix = PowerOfTwo(32);
// Montgomery form.
constexpr uint32_t RawOf(uint32_t canonical) { return Product(canonical, kRadix); }
// What a product is multiplied by for Montgomery's quotient: 1 / p or -1 / p modulo 2^32, see Reduce.
template <typename Lane>
constexpr uint32_t kQuotientFactor = Lane::kSignedProducts ? Fp::kModulusInverse : 0u - Fp::kModulusInverse;

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Broadcast(uint32_t word) {
  return typename Lane::Vector{} + word;
}

// A constant that the compiler does not see through: it would replace multiplication by it with more operations.
template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Opaque(uint32_t word) {
  typename Lane::Vector vector = Broadcast<Lane>(word);
  asm("" : "+x"(vector));
  return vector;
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Add(typename Lane::Vector a, typename Lane::Vector b) {
  const typename Lane::Vector sum = a + b;
  return Lane::Min(sum, sum - kP);
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Sub(typename Lane::Vector a, typename Lane::Vector b) {
  const typename Lane::Vector difference = a - b;
  return Lane::Min(difference, difference + kP);
}

// A product and the multiple of p that clears its low half.
template <typename Lane>
LEAN_LANES_INLINE typename Lane::Wide Combine(typename Lane::Wide product, typename Lane::Wide multiple) {
  if constexpr (Lane::kSignedProducts) {
    return product - multiple;
  } else {
    return product + multiple;
  }
}

// product / R in the high halves. Signed: in (-p, p) for |product| < 2^31 p. Unsigned: below 2p for product < 2^32 p
// and below 2^64 - 2^32 p.
template <typename Lane>
LEAN_LANES_INLINE typename Lane::Wide Reduce(typename Lane::Wide product) {
  using Wide = typename Lane::Wide;
  return Combine<Lane>(product, Lane::Product(Lane::Product(product, Wide{} + kQuotientFactor<Lane>), Wide{} + kP));
}

// From Reduce's range to the canonical one.
template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Canonical(typename Lane::Vector reduced) {
  return Lane::Min(reduced, Lane::kSignedProducts ? reduced + kP : reduced - kP);
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Merge(typename Lane::Wide even, typename Lane::Wide odd) {
  return Canonical<Lane>(Lane::MergeHigh(even, odd));
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Wide Even(typename Lane::Vector a) {
  return reinterpret_cast<typename Lane::Wide>(a);
}

// The 64-bit products of all lanes.
template <typename Lane>
struct Products {
  typename Lane::Wide even, odd;
};

template <typename Lane>
LEAN_LANES_INLINE Products<Lane> Multiply(typename Lane::Vector a, typename Lane::Vector b) {
  return {Lane::Product(Even<Lane>(a), Even<Lane>(b)), Lane::Product(Lane::Odd(a), Lane::Odd(b))};
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector Mul(typename Lane::Vector a, typename Lane::Vector b) {
  return Merge<Lane>(Reduce<Lane>(Lane::Product(Even<Lane>(a), Even<Lane>(b))),
                     Reduce<Lane>(Lane::Product(Lane::Odd(a), Lane::Odd(b))));
}

// a * kFactor, which is canonical. The quotient comes from `a` itself, so that its product runs beside the other.
template <typename Lane, uint32_t kFactor>
LEAN_LANES_INLINE typename Lane::Vector MulByConstant(typename Lane::Vector a) {
  using Wide = typename Lane::Wide;
  constexpr uint32_t kRaw = RawOf(kFactor);
  const typename Lane::Vector quotients = a * Opaque<Lane>(kRaw * kQuotientFactor<Lane>);
  const Wide factor = Wide{} + kRaw, modulus = Wide{} + kP;
  const Wide even = Lane::Product(Even<Lane>(a), factor), odd = Lane::Product(Lane::Odd(a), factor);
  return Merge<Lane>(Combine<Lane>(even, Lane::Product(Even<Lane>(quotients), modulus)),
                     Combine<Lane>(odd, Lane::Product(Lane::Odd(quotients), modulus)));
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector ToMontgomery(typename Lane::Vector canonical) {
  return MulByConstant<Lane, kRadix>(canonical);
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector FromMontgomery(typename Lane::Vector a) {
  return MulByConstant<Lane, Inverse(kRadix)>(a);
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Wide CubeWide(typename Lane::Wide x) {
  const typename Lane::Wide square = Reduce<Lane>(Lane::Product(x, x)) >> 32;
  return Reduce<Lane>(Lane::Product(square, x));
}

// (x + constant)^3; `constant` is canonical minus p where products are signed (see ConstantsFor), which spares a
// reduction: the sum is then in [-p, p).
template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector SBox(typename Lane::Vector x, typename Lane::Vector constant) {
  typename Lane::Vector sum = x + constant;
  if constexpr (!Lane::kSignedProducts) sum = Lane::Min(sum, sum - kP);
  return Merge<Lane>(CubeWide<Lane>(Even<Lane>(sum)), CubeWide<Lane>(Lane::Odd(sum)));
}

// The least k with value * 2^k = 1, or 0 where none up to 24 has it.
constexpr unsigned InverseShift(uint32_t value) {
  for (unsigned k = 1; k <= 24; ++k) {
    if (Product(value, PowerOfTwo(k)) == 1) return k;
  }
  return 0;
}

// a * 2^-k, as (a >> k) + (low k bits of a) * 2^-k. The latter is -127 * 2^(24-k) times the low bits, since
// p = 127 * 2^24 + 1, or comes from a table where the lane has one.
template <typename Lane, unsigned kShift>
LEAN_LANES_INLINE typename Lane::Vector DivideByPowerOfTwo(typename Lane::Vector a) {
  using Vector = typename Lane::Vector;
  if constexpr (kShift <= Lane::kTableBits) {
    struct Table {
      uint32_t words[Lane::kLanes];
    };
    static constexpr Table kTable = [] {
      Table table{};
      for (uint32_t i = 0; i < Lane::kLanes; ++i) {
        const uint64_t low = i % (1u << kShift);
        // (low + m p) / 2^kShift with m = -low, since p = 1 modulo 2^kShift.
        table.words[i] = static_cast<uint32_t>((low + ((1u << kShift) - low) % (1u << kShift) * kP) >> kShift);
      }
      return table;
    }();
    Vector table;
    __builtin_memcpy(&table, kTable.words, sizeof(table));
    return (a >> kShift) + Lane::Lookup(table, a);
  } else {
    const Vector low = a & ((1u << kShift) - 1);
    const Vector quotient = (a >> kShift) - low * (127u << (24 - kShift));
    return Lane::Min(quotient, quotient + kP);
  }
}

// sum + kFactor * a, cheaply where the canonical kFactor is 1, 2 or an inverse power of two of either sign.
template <typename Lane, uint32_t kFactor>
LEAN_LANES_INLINE typename Lane::Vector AddMultiple(typename Lane::Vector sum, typename Lane::Vector a) {
  if constexpr (kFactor == 1) {
    return Add<Lane>(sum, a);
  } else if constexpr (kFactor == 2) {
    return Add<Lane>(Add<Lane>(sum, a), a);
  } else if constexpr (InverseShift(kFactor) != 0) {
    return Add<Lane>(sum, DivideByPowerOfTwo<Lane, InverseShift(kFactor)>(a));
  } else if constexpr (InverseShift(kP - kFactor) != 0) {
    return Sub<Lane>(sum, DivideByPowerOfTwo<Lane, InverseShift(kP - kFactor)>(a));
  } else {
    return Add<Lane>(sum, MulByConstant<Lane, kFactor>(a));
  }
}

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_ARITHMETIC_H_
