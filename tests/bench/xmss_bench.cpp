// XMSS at lifetime 2^32: what a validator (key generation, signing) and a beacon (verification) spend their time on.
// The key is leanSig's throw-away one from the vectors, since making one takes seconds. Figures: tests/bench/README.md.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "common/secrets/random_source.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr size_t kLargestBlockVotes = 4095;
constexpr size_t kVotesPerTask = 64;  // of a pool: enough to fill the lanes, small enough to share out

const xmss::Scheme& Production() {
  static const xmss::Scheme scheme = *xmss::Scheme::Create(32);
  return scheme;
}

absl::StatusOr<xmss::SecretKey> ReadProductionKey() {
  const std::string path = LEAN_SOURCE_DIR "/tests/vectors/leansig/l32_min.sk.ssz";
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return xmss::DecodeLeanSigSecretKey(Production(), bytes);
}

// Signatures of distinct messages by distinct leaves, and what checks them.
class SignedVotes {
 public:
  static absl::StatusOr<SignedVotes> Make(size_t count) {
    ASSIGN_OR_RETURN(xmss::SecretKey key, ReadProductionKey());
    ASSIGN_OR_RETURN(crypto::SignatureScheme scheme, crypto::SignatureScheme::Create(NetworkSpec{}));
    ASSIGN_OR_RETURN(PublicKeyBytes public_key, scheme.PublicKeyOf(key));
    SignedVotes votes(scheme, std::move(key), public_key);
    for (size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(SignatureBytes signature, scheme.Sign(votes.key_, SlotOf(i), MessageOf(i)));
      votes.signatures_.push_back(signature);
    }
    return votes;
  }

  // Slots and messages that differ from vote to vote and reach into both bottom trees.
  static uint64_t SlotOf(size_t i) { return i * 31 % 131072; }
  static Root MessageOf(size_t i) {
    Root message;
    for (size_t byte = 0; byte < message.data.size(); ++byte)
      message.data[byte] = static_cast<uint8_t>(i * 7 + byte * i);
    return message;
  }

  const crypto::SignatureScheme& scheme() const { return scheme_; }
  const xmss::SecretKey& key() const { return key_; }
  std::vector<crypto::VerificationItem> Items() const {
    std::vector<crypto::VerificationItem> items;
    for (size_t i = 0; i < signatures_.size(); ++i) {
      items.push_back(
          {.public_key = &public_key_, .slot = SlotOf(i), .message = MessageOf(i), .signature = &signatures_[i]});
    }
    return items;
  }

 private:
  SignedVotes(const crypto::SignatureScheme& scheme, xmss::SecretKey key, const PublicKeyBytes& public_key)
      : scheme_(scheme), key_(std::move(key)), public_key_(public_key) {}

  crypto::SignatureScheme scheme_;
  xmss::SecretKey key_;
  PublicKeyBytes public_key_;
  std::vector<SignatureBytes> signatures_;
};

bool AllOk(const std::vector<absl::Status>& results) {
  return std::all_of(results.begin(), results.end(), [](const absl::Status& status) { return status.ok(); });
}

benchmark::Counter PerSecond(double count) {
  return benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
}
// Seconds each, printed with their unit.
benchmark::Counter TimeEach(double count) {
  return benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// A whole key of 2^17 slots, two bottom trees, on as many threads as the argument says.
void KeyGeneration(benchmark::State& state) {
  for (auto _ : state) {
    SeededRandomSource random(1);
    const absl::StatusOr<xmss::SecretKey> key =
        xmss::GenerateKey(Production(), {.first = 0, .end = 1}, random,
                          {.threads = static_cast<unsigned>(state.range(0)), .progress = {}});
    if (!key.ok()) state.SkipWithError(key.status().ToString().c_str());
  }
  state.counters["per_leaf"] = TimeEach(1 << 17);
  state.counters["w16_permutations"] = PerSecond(448.0 * (1 << 17));
}
BENCHMARK(KeyGeneration)
    ->Name("xmss/keygen")
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kSecond);

void Leaves(benchmark::State& state) {
  constexpr size_t kCount = 256;
  const xmss::PrfKey prf_key;
  std::vector<uint32_t> leaves(kCount * Production().hash_len());
  for (auto _ : state) {
    xmss::HashLeaves(Production(), prf_key, xmss::Parameter{}, 0, absl::MakeSpan(leaves));
    benchmark::DoNotOptimize(leaves.data());
  }
  state.counters["per_leaf"] = TimeEach(kCount);
}
BENCHMARK(Leaves)->Name("xmss/leaves")->Unit(benchmark::kMillisecond);

double PercentileOf(std::vector<double>& values, size_t percent) {
  std::sort(values.begin(), values.end());
  return values[values.size() * percent / 100];
}

// Of the calling thread, so that other processes' share of the machine does not count.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void Sign(benchmark::State& state) {
  ASSIGN_OR_RETURN(const SignedVotes votes, SignedVotes::Make(0), state.SkipWithError(_.ToString().c_str()));
  std::vector<double> wall, cpu;
  size_t i = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = CpuSeconds();
    absl::StatusOr<SignatureBytes> signature =
        votes.scheme().Sign(votes.key(), SignedVotes::SlotOf(i), SignedVotes::MessageOf(i));
    cpu.push_back(CpuSeconds() - cpu_start);
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    benchmark::DoNotOptimize(signature);
    ++i;
  }
  state.counters["median_s"] = PercentileOf(wall, 50);
  state.counters["p99_s"] = PercentileOf(wall, 99);
  state.counters["p99_cpu_s"] = PercentileOf(cpu, 99);
}
BENCHMARK(Sign)->Name("xmss/sign")->MinTime(2)->Unit(benchmark::kMicrosecond);

void VerifyOne(benchmark::State& state) {
  ASSIGN_OR_RETURN(const SignedVotes votes, SignedVotes::Make(64), state.SkipWithError(_.ToString().c_str()));
  const std::vector<crypto::VerificationItem> items = votes.Items();
  std::vector<double> wall;
  size_t i = 0;
  for (auto _ : state) {
    const crypto::VerificationItem& item = items[i++ % items.size()];
    const auto start = std::chrono::steady_clock::now();
    const bool good = votes.scheme().Verify(*item.public_key, item.slot, item.message, *item.signature).ok();
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (!good) return state.SkipWithError("a good signature was refused");
  }
  state.counters["median_s"] = PercentileOf(wall, 50);
}
BENCHMARK(VerifyOne)->Name("xmss/verify_one")->Unit(benchmark::kMicrosecond);

void VerifyBatch(benchmark::State& state) {
  ASSIGN_OR_RETURN(const SignedVotes votes, SignedVotes::Make(static_cast<size_t>(state.range(0))),
                   state.SkipWithError(_.ToString().c_str()));
  const std::vector<crypto::VerificationItem> items = votes.Items();
  for (auto _ : state) {
    if (!AllOk(votes.scheme().VerifyBatch(items))) return state.SkipWithError("a good signature was refused");
  }
  state.counters["per_signature"] = TimeEach(static_cast<double>(items.size()));
}
BENCHMARK(VerifyBatch)
    ->Name("xmss/verify_batch")
    ->ArgName("signatures")
    ->Arg(4)
    ->Arg(16)
    ->Arg(64)
    ->Arg(512)
    ->Unit(benchmark::kMicrosecond);

// The largest block's votes on two threads, which take tasks of kVotesPerTask.
void VerifyLargestBlock(benchmark::State& state) {
  ASSIGN_OR_RETURN(const SignedVotes votes, SignedVotes::Make(kLargestBlockVotes),
                   state.SkipWithError(_.ToString().c_str()));
  const std::vector<crypto::VerificationItem> items = votes.Items();
  for (auto _ : state) {
    std::atomic<size_t> next = 0;
    std::atomic<bool> good = true;
    const auto work = [&] {
      for (size_t begin; (begin = next.fetch_add(kVotesPerTask)) < items.size();) {
        const auto task = absl::MakeConstSpan(items).subspan(begin, kVotesPerTask);
        if (!AllOk(votes.scheme().VerifyBatch(task))) good = false;
      }
    };
    std::thread helper(work);
    work();
    helper.join();
    if (!good) return state.SkipWithError("a good signature was refused");
  }
  state.counters["per_signature"] = TimeEach(kLargestBlockVotes);
}
BENCHMARK(VerifyLargestBlock)->Name("xmss/verify_block_4095")->UseRealTime()->Unit(benchmark::kMillisecond);

// A production key from its file and tree cache.
void LoadKey(benchmark::State& state) {
  ASSIGN_OR_RETURN(const xmss::SecretKey key, ReadProductionKey(), state.SkipWithError(_.ToString().c_str()));
  std::string folder = (std::filesystem::temp_directory_path() / "lean_bench_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("cannot make a temporary folder");
  const std::string path = folder + "/key";
  const absl::Status saved = xmss::SaveSecretKey(key, path);
  if (!saved.ok()) state.SkipWithError(saved.ToString().c_str());
  for (auto _ : state) {
    const absl::StatusOr<xmss::LoadedSecretKey> loaded = xmss::LoadSecretKey(Production(), path, 0);
    if (!loaded.ok() || loaded->trees_rebuilt) state.SkipWithError("the key did not load from its cache");
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(LoadKey)->Name("xmss/load_key")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lean
