// 192-bit unsigned integers: enough for counting the points of {0..7}^64 and for reducing a message hash to one of
// them.
#ifndef LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_WIDE_INT_H_
#define LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_WIDE_INT_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace lean::xmss {

// Arithmetic is modulo 2^192.
struct WideInt {
  std::array<uint64_t, 3> limbs{};  // least significant first

  constexpr WideInt() = default;
  constexpr explicit WideInt(uint64_t value) : limbs{value, 0, 0} {}

  friend constexpr WideInt operator+(const WideInt& a, const WideInt& b) {
    WideInt sum;
    unsigned __int128 carry = 0;
    for (size_t i = 0; i < sum.limbs.size(); ++i) {
      carry += static_cast<unsigned __int128>(a.limbs[i]) + b.limbs[i];
      sum.limbs[i] = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
    return sum;
  }

  friend constexpr WideInt operator-(const WideInt& a, const WideInt& b) {
    WideInt difference;
    uint64_t borrow = 0;
    for (size_t i = 0; i < difference.limbs.size(); ++i) {
      const unsigned __int128 limb = static_cast<unsigned __int128>(a.limbs[i]) - b.limbs[i] - borrow;
      difference.limbs[i] = static_cast<uint64_t>(limb);
      borrow = static_cast<uint64_t>(limb >> 64) & 1;
    }
    return difference;
  }

  friend constexpr WideInt operator*(const WideInt& a, uint64_t factor) {
    WideInt product;
    unsigned __int128 carry = 0;
    for (size_t i = 0; i < product.limbs.size(); ++i) {
      carry += static_cast<unsigned __int128>(a.limbs[i]) * factor;
      product.limbs[i] = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
    return product;
  }

  friend constexpr bool operator<(const WideInt& a, const WideInt& b) {
    for (size_t i = a.limbs.size(); i-- > 0;) {
      if (a.limbs[i] != b.limbs[i]) return a.limbs[i] < b.limbs[i];
    }
    return false;
  }

  friend constexpr bool operator==(const WideInt&, const WideInt&) = default;
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_WIDE_INT_H_
