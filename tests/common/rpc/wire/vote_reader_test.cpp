#include "common/rpc/wire/vote_reader.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "common/rpc/wire/convert.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"
#include "lean/v1/validator.pb.h"

namespace lean::rpc {
namespace {

constexpr size_t kMost = 4096;

std::optional<VoteList> Read(const std::string& bytes, int block_size = -1) {
  google::protobuf::io::ArrayInputStream input(bytes.data(), static_cast<int>(bytes.size()), block_size);
  return ReadPlainVotes(input, kMost);
}

SignedAttestation Vote(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto fill = [&](auto& bytes) {
    for (uint8_t& byte : bytes.data) byte = static_cast<uint8_t>(random());
  };
  SignedAttestation vote;
  vote.message.validator_id = seed;
  vote.message.data.slot = seed == 0 ? 0 : random() >> 1;
  for (Checkpoint* checkpoint : {&vote.message.data.head, &vote.message.data.target, &vote.message.data.source}) {
    fill(checkpoint->root);
    checkpoint->slot = seed == 0 ? 0 : random() >> (1 + random() % 63);
  }
  fill(vote.signature);
  return vote;
}

v1::SubmitVotesRequest Request(uint64_t votes) {
  v1::SubmitVotesRequest request;
  for (uint64_t i = 0; i < votes; ++i) *request.add_votes() = ToProto(Vote(i));
  return request;
}

TEST(VoteReader, ReadsWhatAnEncoderWrites) {
  const std::string bytes = Request(70).SerializeAsString();
  // In pieces, as a connection delivers them.
  for (const int block_size : {-1, 1, 7, 1000, 16384}) {
    const std::optional<VoteList> votes = Read(bytes, block_size);
    ASSERT_TRUE(votes.has_value()) << block_size;
    ASSERT_EQ(votes->size(), 70);
    for (uint64_t i = 0; i < 70; ++i) EXPECT_EQ(*(*votes)[i], Vote(i)) << i;
  }
}

TEST(VoteReader, TakesNoMoreThanTheMost) {
  EXPECT_EQ(Read(Request(kMost).SerializeAsString())->size(), kMost);
  EXPECT_FALSE(Read(Request(kMost + 1).SerializeAsString()).has_value());
}

TEST(VoteReader, LeavesWhatIsNotPlainToTheParser) {
  const v1::SubmitVotesRequest plain = Request(2);
  const std::string vote = plain.SerializeAsString();
  EXPECT_FALSE(Read("").has_value()) << "no votes";
  EXPECT_FALSE(Read(vote.substr(0, vote.size() - 1)).has_value());
  EXPECT_FALSE(Read(vote + std::string("\x10\x01", 2)).has_value()) << "an unknown field";
  EXPECT_FALSE(Read(vote + std::string("\x0a\x00", 2)).has_value()) << "an empty vote";
  const auto changed = [&](const auto& change) {
    v1::SubmitVotesRequest request = plain;
    change(*request.mutable_votes(1));
    return Read(request.SerializeAsString()).has_value();
  };
  EXPECT_TRUE(changed([](v1::SignedAttestation&) {}));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.clear_attestation(); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.mutable_attestation()->set_validator_index(~uint64_t{0}); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.clear_signature(); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.mutable_signature()->pop_back(); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.mutable_signature()->push_back('x'); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.mutable_attestation()->clear_data(); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) { v.mutable_attestation()->mutable_data()->clear_head(); }));
  EXPECT_FALSE(changed([](v1::SignedAttestation& v) {
    v.mutable_attestation()->mutable_data()->mutable_source()->mutable_root()->resize(31);
  }));
  // A message may be cut in two parts, which a parser merges.
  v1::SignedAttestation first = plain.votes(0);
  first.clear_signature();
  v1::SignedAttestation second = plain.votes(0);
  second.clear_attestation();
  const std::string both = first.SerializeAsString() + second.SerializeAsString();
  const std::string twice = both + second.SerializeAsString();
  const auto in_a_list = [](const std::string& bytes) {
    return "\x0a" + std::string{static_cast<char>((bytes.size() & 0x7f) | 0x80), static_cast<char>(bytes.size() >> 7)} +
           bytes;
  };
  EXPECT_TRUE(Read(in_a_list(both)).has_value());
  EXPECT_FALSE(Read(in_a_list(twice)).has_value());
}

// Whatever it reads, the parser reads as well.
TEST(VoteReader, AgreesWithTheParserOnDamagedBytes) {
  std::mt19937_64 random(16);
  const std::string whole = Request(3).SerializeAsString();
  size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    // Mostly outside of the signatures.
    const size_t vote = bytes.size() / 3 * (random() % 3);
    const size_t place = vote + random() % 170;
    if (i % 3 == 0) {
      bytes.erase(place, 1 + random() % 40);
    } else {
      bytes[place] = static_cast<char>(i % 2 == 0 ? bytes[place] ^ (1 << random() % 8) : random());
    }
    const std::optional<VoteList> votes = Read(bytes);
    if (!votes.has_value()) continue;
    ++read;
    v1::SubmitVotesRequest request;
    ASSERT_TRUE(request.ParseFromString(bytes)) << i;
    ASSERT_EQ(static_cast<size_t>(request.votes_size()), votes->size()) << i;
    for (size_t v = 0; v < votes->size(); ++v) {
      const absl::StatusOr<SignedAttestation> parsed = FromProto(request.votes(static_cast<int>(v)));
      ASSERT_TRUE(parsed.ok()) << i << " " << parsed.status();
      ASSERT_EQ(*(*votes)[v], *parsed) << i;
    }
  }
  EXPECT_GT(read, 1'000) << "bytes of roots may have any value";
}

}  // namespace
}  // namespace lean::rpc
