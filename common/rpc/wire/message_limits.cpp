#include "common/rpc/wire/message_limits.h"

#include "absl/strings/str_cat.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace lean::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

class Walker {
 public:
  explicit Walker(CodedInputStream& input) : input_(input) {}

  absl::Status Walk(const Descriptor* type, int depth) {
    if (depth > kMaxMessageDepth) return MalformedRequest("sub-messages are nested too deep");
    while (const uint32_t tag = input_.ReadTag()) {
      RETURN_IF_ERROR(Count(1));
      RETURN_IF_ERROR(Field(tag, type, depth));
    }
    return input_.ConsumedEntireMessage() ? absl::OkStatus() : NotAMessage();
  }

 private:
  static absl::Status NotAMessage() { return MalformedRequest("the bytes are not a message of the call's type"); }

  absl::Status Count(size_t fields) {
    fields_ += fields;
    if (fields_ <= kMaxMessageFields) return absl::OkStatus();
    return MalformedRequest(absl::StrCat("the message has more than ", kMaxMessageFields, " fields"));
  }

  absl::Status Field(uint32_t tag, const Descriptor* type, int depth) {
    uint64_t ignored = 0;
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        return input_.ReadVarint64(&ignored) ? absl::OkStatus() : NotAMessage();
      case WireFormatLite::WIRETYPE_FIXED32:
        return input_.Skip(4) ? absl::OkStatus() : NotAMessage();
      case WireFormatLite::WIRETYPE_FIXED64:
        return input_.Skip(8) ? absl::OkStatus() : NotAMessage();
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return Delimited(type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag)), depth);
      default:
        return NotAMessage();  // groups, which proto3 does not have
    }
  }

  absl::Status Delimited(const FieldDescriptor* field, int depth) {
    int length = 0;
    if (!input_.ReadVarintSizeAsInt(&length)) return NotAMessage();
    if (field != nullptr && field->is_packable()) {
      // Packed numbers: one byte on the wire may take eight bytes in memory.
      RETURN_IF_ERROR(Count(static_cast<size_t>(length)));
    }
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE) {
      return input_.Skip(length) ? absl::OkStatus() : NotAMessage();
    }
    const CodedInputStream::Limit outer = input_.PushLimit(length);
    RETURN_IF_ERROR(Walk(field->message_type(), depth + 1));
    if (input_.BytesUntilLimit() != 0) return NotAMessage();
    input_.PopLimit(outer);
    return absl::OkStatus();
  }

  CodedInputStream& input_;
  size_t fields_ = 0;
};

}  // namespace

absl::Status CheckWireLimits(google::protobuf::io::ZeroCopyInputStream& bytes, const Descriptor& type) {
  CodedInputStream input(&bytes);
  return Walker(input).Walk(&type, 1);
}

}  // namespace lean::rpc
