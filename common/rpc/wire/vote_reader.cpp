#include "common/rpc/wire/vote_reader.h"

#include <cstdint>
#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "lean/v1/types.pb.h"
#include "lean/v1/validator.pb.h"

namespace lean::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Every function returns false if the bytes are not of the plain form.
class PlainReader {
 public:
  explicit PlainReader(CodedInputStream& input) : input_(input) {}

  // The next vote of the list. `end`: there is none.
  bool NextVote(SignedAttestation& vote, bool& end) {
    const uint32_t tag = NextTag();
    end = tag == 0 && input_.ConsumedEntireMessage();
    return end || (tag == Tag(v1::SubmitVotesRequest::kVotesFieldNumber) && Nested(vote));
  }

 private:
  static constexpr uint32_t kNoTag = ~uint32_t{0};

  // Of a field with bytes or a sub-message.
  static constexpr uint32_t Tag(int field) {
    return static_cast<uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
  }
  static constexpr uint32_t NumberTag(int field) {
    return static_cast<uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_VARINT;
  }

  // Reads fields up to the end of a message. `field` reads the one of this tag, and returns its bit, or 0 if the field
  // is wrong. Every field comes once, and those of `required` come.
  template <typename Field>
  bool Message(uint32_t required, const Field& field) {
    uint32_t seen = 0;
    while (const uint32_t tag = NextTag()) {
      const uint32_t bit = field(tag);
      if (bit == 0 || (seen & bit) != 0) return false;
      seen |= bit;
    }
    return input_.ConsumedEntireMessage() && (seen & required) == required;
  }

  template <typename T>
  bool Nested(T& value) {
    int length = 0;
    if (!Length(length)) return false;
    // PushLimit would take a message that is longer than the one around it for a shorter one.
    if (const int left = input_.BytesUntilLimit(); left >= 0 && length > left) return false;
    const CodedInputStream::Limit outer = input_.PushLimit(length);
    if (!Read(value) || input_.BytesUntilLimit() != 0) return false;
    input_.PopLimit(outer);
    return true;
  }

  template <size_t N>
  bool Fixed(Bytes<N>& bytes) {
    int length = 0;
    return Length(length) && length == static_cast<int>(N) && input_.ReadRaw(bytes.data.data(), length);
  }

  // CodedInputStream also takes numbers in more bytes than they need, which parsers may not. A number of ten bytes is
  // left to them as well: not all bits of the last byte count.
  bool Number(uint64_t& number) {
    const int begin = input_.CurrentPosition();
    return input_.ReadVarint64(&number) && input_.CurrentPosition() - begin < 10;
  }
  // Of a field, below 2^14.
  bool Length(int& length) {
    const int begin = input_.CurrentPosition();
    return input_.ReadVarintSizeAsInt(&length) && input_.CurrentPosition() - begin <= 2;
  }
  // All tags have one byte. 0: none, as at the end of a message.
  uint32_t NextTag() {
    const int begin = input_.CurrentPosition();
    const uint32_t tag = input_.ReadTag();
    return tag == 0 || input_.CurrentPosition() - begin == 1 ? tag : kNoTag;
  }

  bool Read(Checkpoint& checkpoint) {
    return Message(1, [&](uint32_t tag) -> uint32_t {
      switch (tag) {
        case Tag(v1::Checkpoint::kRootFieldNumber):
          return Fixed(checkpoint.root) ? 1 : 0;
        case NumberTag(v1::Checkpoint::kSlotFieldNumber):
          return Number(checkpoint.slot) ? 2 : 0;
        default:
          return 0;
      }
    });
  }

  bool Read(AttestationData& data) {
    return Message(1 | 2 | 4, [&](uint32_t tag) -> uint32_t {
      switch (tag) {
        case Tag(v1::AttestationData::kHeadFieldNumber):
          return Nested(data.head) ? 1 : 0;
        case Tag(v1::AttestationData::kTargetFieldNumber):
          return Nested(data.target) ? 2 : 0;
        case Tag(v1::AttestationData::kSourceFieldNumber):
          return Nested(data.source) ? 4 : 0;
        case NumberTag(v1::AttestationData::kSlotFieldNumber):
          return Number(data.slot) ? 8 : 0;
        default:
          return 0;
      }
    });
  }

  bool Read(Attestation& attestation) {
    return Message(1, [&](uint32_t tag) -> uint32_t {
      switch (tag) {
        case Tag(v1::Attestation::kDataFieldNumber):
          return Nested(attestation.data) ? 1 : 0;
        case NumberTag(v1::Attestation::kValidatorIndexFieldNumber):
          return Number(attestation.validator_id) ? 2 : 0;
        default:
          return 0;
      }
    });
  }

  bool Read(SignedAttestation& vote) {
    return Message(1 | 2, [&](uint32_t tag) -> uint32_t {
      switch (tag) {
        case Tag(v1::SignedAttestation::kAttestationFieldNumber):
          return Nested(vote.message) ? 1 : 0;
        case Tag(v1::SignedAttestation::kSignatureFieldNumber):
          return Fixed(vote.signature) ? 2 : 0;
        default:
          return 0;
      }
    });
  }

  CodedInputStream& input_;
};

}  // namespace

std::optional<VoteList> ReadPlainVotes(google::protobuf::io::ZeroCopyInputStream& bytes, size_t most) {
  CodedInputStream input(&bytes);
  PlainReader reader(input);
  VoteList votes;
  while (true) {
    auto vote = std::make_shared<SignedAttestation>();
    bool end = false;
    if (!reader.NextVote(*vote, end)) return std::nullopt;
    if (end) break;
    if (votes.size() == most) return std::nullopt;
    votes.push_back(std::move(vote));
  }
  if (votes.empty()) return std::nullopt;
  return votes;
}

}  // namespace lean::rpc
