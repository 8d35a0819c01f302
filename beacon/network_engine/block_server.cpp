#include "beacon/network_engine/block_server.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip_codec.h"

namespace lean::beacon {
namespace {

// Counts one of a peer's requests as long as it lives.
std::shared_ptr<void> CountRequest(const EnginePeerPtr& peer) {
  ++peer->answers_under_way;
  return {nullptr, [peer](void*) { --peer->answers_under_way; }};
}

}  // namespace

class BlockServer::Reader {
 public:
  // Both outlive it. `max_bytes`: of a piece, unless it is a single block.
  Reader(const BlockSource& source, const AskedBlocks& asked, size_t max_bytes)
      : source_(source), asked_(asked), max_bytes_(max_bytes), next_slot_(asked.first_slot) {}

  // The next blocks that are held; none: that was all.
  std::vector<SignedBlockPtr> Next() { return asked_.by_root() ? NextByRoot() : NextByRange(); }

 private:
  std::vector<SignedBlockPtr> NextByRoot() {
    std::vector<SignedBlockPtr> blocks;
    size_t bytes = 0;
    for (; next_root_ < asked_.roots.size(); ++next_root_) {
      const Root& root = asked_.roots[next_root_];
      if (found_.contains(root)) continue;
      SignedBlockPtr block = source_.ByRoot(root);
      if (block == nullptr) continue;
      bytes += BytesOf(*block);
      if (bytes > max_bytes_ && !blocks.empty()) break;
      found_.insert(root);
      blocks.push_back(std::move(block));
    }
    return blocks;
  }

  std::vector<SignedBlockPtr> NextByRange() {
    const uint64_t passed = next_slot_ - asked_.first_slot;
    if (passed >= asked_.count) return {};
    std::vector<SignedBlockPtr> blocks = source_.CanonicalRange(next_slot_, asked_.count - passed, max_bytes_);
    if (!blocks.empty()) next_slot_ = blocks.back()->message.block.slot + 1;
    return blocks;
  }

  const BlockSource& source_;
  const AskedBlocks& asked_;
  const size_t max_bytes_;
  size_t next_root_ = 0;
  std::set<Root> found_;
  uint64_t next_slot_;
};

void BlockServer::OnRequest(const EnginePeerPtr& peer, uint64_t id, AskedBlocks asked) {
  ++peer->requests_in;
  if (!peer->rates.TakeRequest(clock_.Steady())) {
    peers_.Blame(peer->id, Offence::kTooMuch, "requests come too fast");
    return Refuse(*peer, id, "requests come too fast");
  }
  if (peer->answers_under_way >= limits_.per_peer) return Refuse(*peer, id, "too many requests are under way");
  auto task = [this, peer, id, asked = std::move(asked), counted = CountRequest(peer)] {
    if (peers_.Find(peer->id) != nullptr) Serve(*peer, id, asked);  // else nobody waits for it any more
  };
  if (pool_.TrySubmit(std::move(task)) != PushResult::kPushed) Refuse(*peer, id, "too many requests are under way");
}

void BlockServer::Serve(EnginePeer& peer, uint64_t id, const AskedBlocks& asked) {
  if (output_.queued_bytes() > limits_.queued_bytes) return Refuse(peer, id, "answers wait to be sent");
  Reader reader(source_, asked, limits_.message_bytes);
  size_t sent = 0;
  for (;;) {
    const std::vector<SignedBlockPtr> blocks = reader.Next();
    size_t bytes = 0;
    for (const SignedBlockPtr& block : blocks) bytes += BytesOf(*block);
    if (blocks.empty() || (sent > 0 && sent + bytes > limits_.answer_bytes)) break;
    if (!peer.rates.TakeServed(bytes, clock_.Steady())) {
      if (sent == 0) return Refuse(peer, id, "too many blocks were asked for");
      break;
    }
    v1::BlockAnswer piece;
    for (const SignedBlockPtr& block : blocks) piece.add_blocks(SerializeBlock(*block));
    Send(peer, id, std::move(piece), v1::BlockAnswer::MORE);
    sent += bytes;
  }
  Send(peer, id, v1::BlockAnswer(), v1::BlockAnswer::COMPLETE);
}

void BlockServer::Send(const EnginePeer& peer, uint64_t id, v1::BlockAnswer answer, v1::BlockAnswer::End end) {
  answer.set_id(id);
  answer.set_end(end);
  output_.send(peer.stream, std::move(answer));
}

void BlockServer::Refuse(const EnginePeer& peer, uint64_t id, absl::string_view why) {
  v1::BlockAnswer answer;
  answer.set_message(std::string(why));
  Send(peer, id, std::move(answer), v1::BlockAnswer::OVERLOADED);
}

}  // namespace lean::beacon
