// The inner loops of XMSS over many values at once, built once for each instruction set and chosen at run time.
//
// All words are field elements in canonical form (uint32_t below p, which callers have checked); Montgomery form lives
// inside. A node occupies kNodeStride words unless a function says packed; its words from hash_len on are written as
// zero and not read. hash_len is 8 or 7. Any count is accepted, zero included: the last group runs with idle lanes.
// No function allocates, locks or keeps state; all are reentrant. None branches on or indexes by a value that a
// signature does not reveal, and what they leave of secrets in their own buffers is wiped.
#ifndef LEAN_COMMON_CRYPTO_LANES_KERNELS_H_
#define LEAN_COMMON_CRYPTO_LANES_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace lean::crypto::lanes {

inline constexpr size_t kNodeStride = 8;
inline constexpr size_t kChains = 64;  // of a one-time signature
inline constexpr size_t kParameterWords = 5;
inline constexpr size_t kCapacityWords = 9;

enum class Isa { kPortable, kAvx2, kAvx512 };

// One hash chain to walk from position `from` to position `to`, from <= to <= 7.
struct ChainJob {
  const uint32_t* parameter;  // kParameterWords
  uint32_t* value;            // a node, in and out
  uint32_t slot;
  uint8_t chain;  // below kChains
  uint8_t from;
  uint8_t to;
};

// One one-time public key (the ends of its chains), hashed to the leaf of `slot` and up a Merkle path.
struct RootJob {
  const uint32_t* parameter;  // kParameterWords
  const uint32_t* ends;       // kChains nodes
  const uint32_t* path;       // siblings, lowest first: `height` nodes
  uint32_t* root;             // out, a node; the leaf itself where height is 0
  uint32_t slot;
};

// What a key's leaves are derived from.
struct LeafSource {
  const uint8_t* prf_key;     // 32 secret bytes
  const uint32_t* parameter;  // kParameterWords
  const uint32_t* capacity;   // kCapacityWords: the sponge's capacity at the start, which depends on hash_len alone
  size_t hash_len;
};

struct Kernels {
  Isa isa;
  size_t lanes;  // Poseidon2 states that go together: group work by multiples of it

  // SHAKE128(prefix || counter as 8 bytes, big-endian) for `count` counters from first_counter on, each read as `words`
  // (at most 8) big-endian numbers of 16 bytes modulo p, into nodes. prefix_bytes is at most 128; it may be secret.
  void (*derive)(const uint8_t* prefix, size_t prefix_bytes, uint64_t first_counter, size_t count, size_t words,
                 uint32_t* nodes);

  // Walks chains. Lanes advance together, so neighbours should have similar lengths: see WalkChains.
  void (*walk_chains)(size_t hash_len, const ChainJob* jobs, size_t count);

  // Leaves of slots first_slot, first_slot + 1, …: the seed's chain starts, all chains to their ends, the leaf's
  // sponge. `leaves` is packed: hash_len words each.
  void (*leaves)(const LeafSource& source, uint32_t first_slot, size_t count, uint32_t* leaves);

  // Leaf and path of each job; all have the same capacity, hash_len and height (at most 32). A few jobs (one, above
  // all) take a path of their own that is made for latency.
  void (*roots)(size_t hash_len, const uint32_t* capacity, size_t height, const RootJob* jobs, size_t count);

  // Nodes first_index, first_index + 1, … of `level` (leaves are level 0) from their children, two a node; packed both.
  void (*parents)(size_t hash_len, const uint32_t* parameter, uint32_t level, uint64_t first_index,
                  const uint32_t* children, size_t count, uint32_t* nodes);

  // Poseidon2's compression: each of `count` inputs (24 words) is permuted and added to itself. outputs may be inputs.
  void (*compress24)(const uint32_t* inputs, size_t count, uint32_t* outputs);

  // Bare permutations, for tests and measurements: of `count` states of 16 or 24 words, and one after the other by
  // the path made for latency.
  void (*permute16)(uint32_t* states, size_t count);
  void (*permute24)(uint32_t* states, size_t count);
  void (*permute16_single)(uint32_t* states, size_t count);
  void (*permute24_single)(uint32_t* states, size_t count);
};

// Whether this machine (CPU and operating system) runs the kernels of `isa`. The portable ones always run.
bool IsSupported(Isa isa);

// Kernels of `isa`; those of another instruction set than asked for never come back. `isa` must be supported before
// any of its functions is called.
const Kernels& KernelsFor(Isa isa);

// The fastest kernels that this machine runs.
const Kernels& BestKernels();

// Kernels::walk_chains with the jobs put in the order of their lengths, longest first, so that few lanes idle. Those of
// many signatures in one call pack best. `jobs` is reordered.
void WalkChains(const Kernels& kernels, size_t hash_len, ChainJob* jobs, size_t count);

// The tables that KernelsFor chooses from.
extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;    // x86-64 only
extern const Kernels kAvx512Kernels;  // x86-64 only

}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_KERNELS_H_
