#include "beacon/network/link.h"

#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "beacon/network/gossip_codec.h"
#include "beacon/network/messages.h"
#include "common/bytes/hex.h"
#include "common/rpc/unary_call.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::seconds kHandshakeTime{10};
// A message that has not left by then: the peer does not read.
constexpr std::chrono::seconds kWriteTime{15};
// For a goodbye to be read.
constexpr std::chrono::seconds kEndingTime{2};

// Between two lines of the log on votes that were dropped.
constexpr std::chrono::minutes kUnsentPause{1};

// The first message is a status.
constexpr size_t kMaxStatusBytes = 4096;

// What a message costs that is charged by its size, were it empty.
constexpr size_t kMessageCost = 256;

// What gRPC ends a call with that we made, when a message of more than rpc::kMaxMessageBytes comes in. The code alone
// is also that of a server short of memory.
bool IsTooLarge(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
         absl::StrContains(status.error_message(), "message larger than max");
}

}  // namespace

Link::Link(const LinkContext& context, uint64_t id, bool outbound, std::string address, const SessionId& session)
    : context_(context),
      id_(id),
      outbound_(outbound),
      address_(std::move(address)),
      session_(session),
      rates_(context.rates, context.clock.Steady()),
      known_(context.known_items),
      since_(context.clock.Steady()),
      queue_(context.queue) {}

void Link::Start(Stream* stream) {
  v1::GossipMessage first;
  if (outbound_) *first.mutable_status() = MakeStatus(context_.own, context_.chain(), SessionId());
  std::lock_guard lock(mutex_);
  stream_ = stream;
  if (outbound_) QueueLocked(std::move(first));
  stream_->Read();
  PumpLocked();
}

PeerIdentity Link::peer() const {
  std::lock_guard lock(mutex_);
  return peer_;
}

bool Link::open() const {
  std::lock_guard lock(mutex_);
  return state_ == State::kOpen;
}

std::optional<LinkEnd> Link::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

double Link::score() const {
  std::lock_guard lock(mutex_);
  return score_.At(context_.clock.Steady());
}

void Link::LowerScoreTo(double score) {
  std::lock_guard lock(mutex_);
  score_.LowerTo(score, context_.clock.Steady());
}

bool Link::broke_off() const {
  std::lock_guard lock(mutex_);
  return BrokeOffLocked();
}

bool Link::BrokeOffLocked() const {
  return opened_ms_ != 0 && !outbound_ && end_.has_value() && !end_->by_us &&
         end_->goodbye.reason == v1::PeerGoodbye::REASON_UNSPECIFIED;
}

Traffic Link::traffic() const {
  return {.bytes_in = bytes_in_,
          .bytes_out = bytes_out_,
          .blocks_in = blocks_in_,
          .blocks_out = blocks_out_,
          .votes_in = votes_in_,
          .votes_out = votes_out_,
          .requests_in = requests_in_,
          .requests_out = requests_out_,
          .dropped_out = dropped_out_};
}

void Link::Report(Offence offence, std::string why) {
  double score = 0;
  bool ban = false;
  {
    std::lock_guard lock(mutex_);
    // Also when it has left meanwhile, or it would only have to come again.
    if (state_ == State::kHandshake || banned_) return;
    score = score_.Add(offence, context_.clock.Steady());
    context_.offences.Add(offence);
    ban = banned_ = score <= PeerScore::kDisconnectAt;
  }
  context_.log->warn("peer_offence id={} name={} address={} offence={} score={:.0f} message=\"{}\"", id_, peer().name,
                     address_, std::string(OffenceName(offence)), score, why);
  if (!ban) return;
  const std::string banned = context_.owner.Ban(shared_from_this());
  End({ReasonFor(offence), absl::StrCat(why, "; not linked to for ", banned)});
}

void Link::ReportNoAnswer(SteadyTime asked) {
  {
    std::lock_guard lock(mutex_);
    if (no_answer_at_.has_value() && asked <= *no_answer_at_) return;
    no_answer_at_ = context_.clock.Steady();
  }
  Report(Offence::kUnresponsive, "no answer in time");
}

void Link::Send(const OutgoingItem& block) {
  std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) return;
  if (!queue_.PushBlock(block)) {
    return EndLocked(true, {v1::PeerGoodbye::TOO_SLOW, "blocks wait that you do not read"});
  }
  PumpLocked();
}

void Link::Send(const std::vector<OutgoingItem>& votes) {
  std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) return;
  size_t dropped = 0;
  for (const OutgoingItem& vote : votes) dropped += queue_.PushVote(vote);
  dropped_out_.fetch_add(dropped, std::memory_order_relaxed);
  PumpLocked();
}

void Link::BeginWork(size_t signatures) { work_ += signatures; }

void Link::EndWork(size_t signatures) {
  work_ -= signatures;
  std::lock_guard lock(mutex_);
  if (!paused_ || work_ >= kMaxWork || stream_ == nullptr) return;
  paused_ = false;
  stream_->Read();
}

void Link::SendChain(const PeerChain& chain) {
  std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) return;
  chain_to_send_ = chain;
  PumpLocked();
}

void Link::End(Goodbye goodbye) {
  std::lock_guard lock(mutex_);
  EndLocked(true, std::move(goodbye));
}

void Link::EndLocked(bool by_us, Goodbye goodbye) {
  if (state_ == State::kEnding || state_ == State::kClosed) return;
  state_ = State::kEnding;
  since_ = context_.clock.Steady();
  if (by_us) QueueLocked(MakeGoodbye(goodbye));
  end_ = LinkEnd{.by_us = by_us, .goodbye = std::move(goodbye)};
  PumpLocked();
}

void Link::Cancel() {
  std::lock_guard lock(mutex_);
  if (stream_ != nullptr) stream_->Cancel();
}

void Link::Tick(SteadyTime now) {
  std::shared_ptr<BlockAsker> asker;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kHandshake && now - since_ > kHandshakeTime) {
      EndLocked(true, {v1::PeerGoodbye::TOO_SLOW, "no handshake"});
    } else if (state_ == State::kOpen && writing_ && now - writing_since_ > kWriteTime) {
      EndLocked(true, {v1::PeerGoodbye::TOO_SLOW, "you do not read"});
    }
    if (state_ == State::kEnding && now - since_ > kEndingTime && stream_ != nullptr) stream_->Cancel();
    LogUnsentLocked(now);
    asker = asker_;
  }
  if (asker != nullptr) asker->Tick(now);
}

void Link::LogUnsentLocked(SteadyTime now) {
  const uint64_t unsent = dropped_out_;
  if (unsent == logged_unsent_ || (logged_unsent_ > 0 && now - logged_unsent_at_ < kUnsentPause)) return;
  context_.log->warn(
      "votes_unsent id={} name={} address={} votes={} message=\"it takes votes more slowly than they come\"", id_,
      peer_.name, address_, unsent - logged_unsent_);
  logged_unsent_ = unsent;
  logged_unsent_at_ = now;
}

void Link::SetAsker(std::shared_ptr<BlockAsker> asker) {
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kClosed) {
      asker_ = std::move(asker);
      return;
    }
  }
  asker->Close();
}

std::shared_ptr<BlockAsker> Link::asker() const {
  std::lock_guard lock(mutex_);
  return asker_;
}

void Link::CloseAsker() {
  std::shared_ptr<BlockAsker> asker;
  {
    std::lock_guard lock(mutex_);
    asker = std::move(asker_);
  }
  if (asker != nullptr) asker->Close();
}

void Link::OnRead(bool ok, const grpc::ByteBuffer& bytes) {
  if (!ok) {
    std::lock_guard lock(mutex_);
    EndLocked(false, {v1::PeerGoodbye::REASON_UNSPECIFIED, "the other end closed the stream"});
    if (stream_ != nullptr) stream_->Finish();
    return;
  }
  State state;
  {
    std::lock_guard lock(mutex_);
    state = state_;
  }
  v1::GossipMessage message;
  if (state == State::kHandshake && bytes.Length() > kMaxStatusBytes) {
    End({v1::PeerGoodbye::MALFORMED, absl::StrCat("a first message of ", bytes.Length(), " bytes")});
  } else if (const absl::Status status = rpc::DecodeRequest(bytes, message); !status.ok()) {
    if (state == State::kHandshake) {
      End({v1::PeerGoodbye::MALFORMED, std::string(status.message())});
    } else {
      Report(Offence::kMalformed, std::string(status.message()));
    }
  } else if (message.has_goodbye()) {
    OnGoodbye(message.goodbye());
  } else if (state == State::kHandshake) {
    OnStatus(message);
  } else if (state == State::kOpen) {
    OnMessage(message);
  }
  ReadOnIfIdle();
}

void Link::ReadOnIfIdle() {
  std::lock_guard lock(mutex_);
  if (stream_ == nullptr) return;
  paused_ = work_ >= kMaxWork;
  if (!paused_) stream_->Read();
}

void Link::OnStatus(const v1::GossipMessage& message) {
  if (!message.has_status()) return End({v1::PeerGoodbye::MALFORMED, "the first message is no status"});
  std::variant<PeerIdentity, Goodbye> checked = CheckStatus(context_.own, message.status(), outbound_);
  std::optional<Goodbye> refusal;
  if (auto* mismatch = std::get_if<Goodbye>(&checked)) {
    refusal = std::move(*mismatch);
  } else {
    {
      std::lock_guard lock(mutex_);
      peer_ = std::get<PeerIdentity>(std::move(checked));
    }
    refusal = context_.owner.Admit(shared_from_this());
  }
  // Even when refused, so that the other end sees for itself what does not fit.
  v1::GossipMessage answer;
  if (!outbound_) *answer.mutable_status() = MakeStatus(context_.own, context_.chain(), session_);
  std::lock_guard lock(mutex_);
  if (state_ != State::kHandshake) return;
  if (!outbound_) QueueLocked(std::move(answer));
  if (refusal.has_value()) return EndLocked(true, *std::move(refusal));
  state_ = State::kOpen;
  since_ = context_.clock.Steady();
  opened_ms_ = context_.clock.WallMs();
  context_.log->info("peer_connected id={} name={} address={} direction={} node={} head_slot={} finalized_slot={}", id_,
                     peer_.name, address_, outbound_ ? "out" : "in", ToHex(peer_.node.span()), peer_.chain.head.slot,
                     peer_.chain.finalized.slot);
  PumpLocked();
}

void Link::OnMessage(const v1::GossipMessage& message) {
  switch (message.content_case()) {
    case v1::GossipMessage::kBlock:
      bytes_in_ += message.block().size();
      ++blocks_in_;
      return context_.gossip.OnBlock(shared_from_this(), message.block());
    case v1::GossipMessage::kVotes:
      bytes_in_ += message.votes().size();
      votes_in_ += context_.gossip.OnVotes(shared_from_this(), message.votes());
      return;
    case v1::GossipMessage::kChain: {
      const absl::StatusOr<PeerChain> chain = PeerChainFromProto(message.chain());
      if (!chain.ok()) return Report(Offence::kMalformed, std::string(chain.status().message()));
      if (!rates_.TakeBytes(message.ByteSizeLong() + kMessageCost, context_.clock.Steady())) {
        return Report(Offence::kTooMuch, "chain updates come too fast");
      }
      std::lock_guard lock(mutex_);
      peer_.chain = *chain;
      return;
    }
    case v1::GossipMessage::kStatus:
      return Report(Offence::kMalformed, "a second status");
    default:
      // A newer peer's; but it is not for nothing.
      if (!rates_.TakeBytes(message.ByteSizeLong() + kMessageCost, context_.clock.Steady())) {
        Report(Offence::kTooMuch, "messages come too fast");
      }
  }
}

void Link::OnGoodbye(const v1::PeerGoodbye& goodbye) {
  std::lock_guard lock(mutex_);
  EndLocked(false, GoodbyeFromProto(goodbye));
  if (stream_ != nullptr) stream_->Finish();
}

void Link::OnWritten(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok) return;  // the end of the stream shows when reading
  PumpLocked();
}

void Link::QueueLocked(v1::GossipMessage message) { control_.push_back(std::move(message)); }

void Link::PumpLocked() {
  if (writing_ || stream_ == nullptr) return;
  const std::optional<v1::GossipMessage> message = NextLocked();
  if (!message.has_value()) {
    if (state_ == State::kEnding) stream_->Finish();
    return;
  }
  writing_ = true;
  writing_since_ = context_.clock.Steady();
  stream_->Write(ToByteBuffer(*message));
}

std::optional<v1::GossipMessage> Link::NextLocked() {
  v1::GossipMessage message;
  if (!control_.empty()) {
    message = std::move(control_.front());
    control_.pop_front();
    return message;
  }
  if (state_ != State::kOpen) return std::nullopt;
  if (chain_to_send_.has_value()) {
    *message.mutable_chain() = ToProto(*chain_to_send_);
    chain_to_send_.reset();
    return message;
  }
  SendQueue::Next next = queue_.Pop(kMaxVotesInMessage, [this](const Root& key) { return !known_.Insert(key); });
  if (const auto* block = std::get_if<SendQueue::Block>(&next)) {
    message.set_block(*block->item.bytes);
    ++blocks_out_;
    bytes_out_ += message.block().size();
    return message;
  }
  if (const auto* votes = std::get_if<SendQueue::Votes>(&next)) {
    std::string batch;
    batch.reserve(votes->size() * kVoteBytes);
    for (const OutgoingItem& vote : *votes) batch += *vote.bytes;
    message.set_votes(Compress(batch));
    votes_out_ += votes->size();
    bytes_out_ += message.votes().size();
    return message;
  }
  return std::nullopt;
}

void Link::OnClosed(const grpc::Status& status) {
  bool was_open = false;
  bool broke_off = false;
  {
    std::lock_guard lock(mutex_);
    if (!end_.has_value()) {
      end_ = LinkEnd{
          .by_us = false,
          .goodbye = {v1::PeerGoodbye::REASON_UNSPECIFIED, status.ok() ? "the stream broke" : status.error_message()}};
    } else if (!end_->by_us && end_->goodbye.reason == v1::PeerGoodbye::REASON_UNSPECIFIED && !status.ok()) {
      end_->goodbye.message = status.error_message();
    }
    was_open = opened_ms_ != 0;
    broke_off = BrokeOffLocked();
    state_ = State::kClosed;
    stream_ = nullptr;
  }
  if (was_open && IsTooLarge(status)) Report(Offence::kMalformed, status.error_message());
  if (!broke_off) CloseAsker();
  context_.owner.OnEnded(shared_from_this());
}

}  // namespace lean::beacon
