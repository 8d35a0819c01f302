// XMSS's hash functions one value at a time, from the scalar Poseidon2 and SHAKE128: what the kernels must agree with.
#ifndef LEAN_TESTS_COMMON_CRYPTO_LANES_REFERENCE_H_
#define LEAN_TESTS_COMMON_CRYPTO_LANES_REFERENCE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "common/crypto/lanes/kernels.h"

namespace lean::crypto::lanes::reference {

using Words = std::vector<uint32_t>;  // canonical field elements
using Parameter = std::array<uint32_t, kParameterWords>;

// The first output_words of the compression of `input`, which is padded to `width` (16 or 24) with zeros.
Words Compress(size_t width, const Words& input, size_t output_words);
Words Permute(size_t width, const Words& input);

// A chain's value `steps` further than `from`.
Words WalkChain(const Parameter& parameter, uint32_t slot, uint32_t chain, uint32_t from, uint32_t to, Words value);

// `ends` are kChains values.
Words Leaf(const Parameter& parameter, const std::array<uint32_t, kCapacityWords>& capacity, uint32_t slot,
           const std::vector<Words>& ends);
Words Parent(const Parameter& parameter, uint64_t level, uint64_t index, const Words& left, const Words& right);

// Domain, use, key and slot: what the start of a chain is derived from, but for the chain's number.
std::vector<uint8_t> ChainStartPrefix(const std::array<uint8_t, 32>& key, uint32_t slot);

// SHAKE128(prefix || counter) as field elements.
Words Derive(std::vector<uint8_t> prefix, uint64_t counter, size_t words);

}  // namespace lean::crypto::lanes::reference

#endif  // LEAN_TESTS_COMMON_CRYPTO_LANES_REFERENCE_H_
