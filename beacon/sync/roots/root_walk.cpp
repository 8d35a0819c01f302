#include "beacon/sync/roots/root_walk.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

std::vector<Root> RootWalk::Next() {
  if (!asked_.empty() || finished()) return {};
  if (!connected_) {
    asked_ = {wanted_};
    return asked_;
  }
  size_t bytes = 0;
  for (size_t i = path_.size() - held_; i > 0 && asked_.size() < options_.roots_per_request; --i) {
    const Step& step = path_[i - 1];
    const bool fits =
        bytes + step.bytes <= options_.request_bytes && bytes_held_ + bytes + step.bytes <= options_.max_bytes_held;
    if (!fits && (held_ > 0 || !asked_.empty())) break;
    asked_.push_back(step.root);
    bytes += step.bytes;
  }
  return asked_;
}

absl::Status RootWalk::Answered(const std::vector<SignedBlockPtr>& blocks, const Known& known) {
  const std::vector<Root> asked = std::exchange(asked_, {});
  std::map<Root, SignedBlockPtr> came;
  for (const SignedBlockPtr& block : blocks) came[ssz::HashTreeRoot(block->message.block)] = block;
  const auto needed = asked.empty() ? came.end() : came.find(asked.front());
  if (needed == came.end()) return absl::NotFoundError("the peer does not have the next block");
  if (!connected_) return AnsweredBackward(needed->second, known);
  for (const Root& root : asked) {
    const auto found = came.find(root);
    if (found == came.end()) break;
    Step& step = path_[path_.size() - held_ - 1];
    step.block = found->second;
    bytes_held_ += step.bytes;
    ++held_;
  }
  return absl::OkStatus();
}

absl::Status RootWalk::AnsweredBackward(const SignedBlockPtr& block, const Known& known) {
  const Block& content = block->message.block;
  if (content.slot >= lowest_slot_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the block of slot ", content.slot, " is below one of slot ", lowest_slot_));
  }
  if (content.slot <= floor_) {
    return absl::OutOfRangeError(absl::StrCat("its chain leaves ours below slot ", floor_, ", which is finalized"));
  }
  lowest_slot_ = content.slot;
  const size_t bytes = BytesOf(*block);
  path_.push_back({.root = wanted_, .bytes = bytes, .block = block});
  ++held_;
  bytes_held_ += bytes;
  LetGo();
  wanted_ = content.parent_root;
  connected_ = known(wanted_);
  return absl::OkStatus();
}

void RootWalk::LetGo() {
  while (bytes_held_ > options_.max_bytes_held && held_ > 1) {
    Step& step = path_[path_.size() - held_];
    step.block = nullptr;
    bytes_held_ -= step.bytes;
    --held_;
  }
}

std::vector<SignedBlockPtr> RootWalk::Take(size_t max_bytes) {
  std::vector<SignedBlockPtr> blocks;
  size_t bytes = 0;
  while (connected_ && held_ > 0 && (blocks.empty() || bytes + path_.back().bytes <= max_bytes)) {
    bytes += path_.back().bytes;
    blocks.push_back(std::move(path_.back().block));
    path_.pop_back();
    --held_;
  }
  bytes_held_ -= bytes;
  return blocks;
}

}  // namespace lean::beacon
