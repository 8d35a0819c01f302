#include "beacon/network/requests/block_server.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/item_codec.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {

absl::Status BlockServer::OnRequest(const v1::BlockRequest& message) {
  ASSIGN_OR_RETURN(const PeerPtr found, peers_.OfHandle(message.peer()),
                   absl::InvalidArgumentError(absl::StrCat("request.", _.message())));
  ASSIGN_OR_RETURN(AskedBlocks asked, FromProto(message));
  if (found == nullptr) return absl::OkStatus();  // it has gone
  ++requests_;
  const uint64_t id = message.id();
  const size_t bytes = kTaskBytes + asked.roots.size() * sizeof(Root);
  auto task = [this, peer = found, id, bytes, asked = std::move(asked)] {
    waiting_bytes_ -= bytes;
    Serve(*peer, id, asked);
  };
  waiting_bytes_ += bytes;
  if (pool_.TrySubmit(std::move(task)) != PushResult::kPushed) {
    waiting_bytes_ -= bytes;
    Refuse(*found, id, "too many requests are under way");
  }
  return absl::OkStatus();
}

void BlockServer::Serve(const Peer& peer, uint64_t id, const AskedBlocks& asked) {
  if (peers_.Find(peer.id) == nullptr) return;  // nobody waits for the answer
  if (queued_bytes_() > kQueuedBytes) return Refuse(peer, id, "answers wait to be sent");
  v1::BlockAnswer piece;
  size_t bytes = 0;
  for (const SignedBlockPtr& block : Find(asked)) {
    bytes += BytesOf(*block);
    if (bytes > kMessageBytes && !piece.blocks().empty()) {
      Send(peer, id, std::exchange(piece, {}), v1::BlockAnswer::MORE);
      bytes = BytesOf(*block);
    }
    piece.add_blocks(ssz::SerializeToString(*block));
  }
  Send(peer, id, std::move(piece), v1::BlockAnswer::COMPLETE);
}

std::vector<SignedBlockPtr> BlockServer::Find(const AskedBlocks& asked) const {
  if (!asked.by_root()) return source_.CanonicalRange(asked.first_slot, asked.count, kAnswerBytes);
  std::vector<SignedBlockPtr> blocks;
  std::set<Root> found;
  size_t bytes = 0;
  for (const Root& root : asked.roots) {
    SignedBlockPtr block = found.contains(root) ? nullptr : source_.ByRoot(root);
    if (block == nullptr) continue;
    bytes += BytesOf(*block);
    if (bytes > kAnswerBytes && !blocks.empty()) break;
    found.insert(root);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

void BlockServer::Send(const Peer& peer, uint64_t id, v1::BlockAnswer answer, v1::BlockAnswer::End end) {
  answer.set_id(id);
  answer.set_end(end);
  v1::BeaconToEngine message;
  *message.mutable_answer() = std::move(answer);
  send_(peer.stream, std::move(message));
}

void BlockServer::Refuse(const Peer& peer, uint64_t id, const std::string& why) {
  v1::BlockAnswer answer;
  answer.set_message(why);
  Send(peer, id, std::move(answer), v1::BlockAnswer::OVERLOADED);
}

}  // namespace lean::beacon
