#include "beacon/sync/block_import.h"

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

void BlockImport::Begin(uint64_t peer, std::vector<SignedBlockPtr> blocks) {
  Stop();
  peer_ = peer;
  blocks_ = std::move(blocks);
}

void BlockImport::Stop() {
  ++run_;
  blocks_.clear();
  done_ = 0;
  is_submitted_ = false;
  not_before_ = {};
}

void BlockImport::Update(SteadyTime now) {
  if (!active() || is_submitted_ || now < not_before_) return;
  const auto begin = blocks_.begin() + static_cast<std::ptrdiff_t>(done_);
  auto end = begin;
  size_t bytes = 0;
  while (end != blocks_.end() && (end == begin || bytes + BytesOf(**end) <= options_.bytes)) bytes += BytesOf(**end++);
  is_submitted_ = true;
  context_.chain.SubmitHistory(
      std::vector<SignedBlockPtr>(begin, end), Origin::Peer(peer_),
      [this, inbox = context_.inbox, run = run_](std::vector<SubmitOutcome> outcomes) {
        inbox->Push([this, run, outcomes = std::move(outcomes)] { OnOutcomes(run, outcomes); });
      });
}

void BlockImport::OnOutcomes(uint64_t run, const std::vector<SubmitOutcome>& outcomes) {
  for (const SubmitOutcome& outcome : outcomes) imported_ += outcome.status == SubmitOutcome::kAccepted;
  if (run != run_) return;
  is_submitted_ = false;
  for (const SubmitOutcome& outcome : outcomes) {
    switch (outcome.status) {
      case SubmitOutcome::kAccepted:
      case SubmitOutcome::kAlreadyKnown:
      case SubmitOutcome::kQueued:
        on_block_(outcome, blocks_[done_++]->message.block.slot);
        continue;
      case SubmitOutcome::kRefused:
        if (outcome.reason == reason::kStale) return End(Result::kStale);
        if (!IsFaultOfSender(outcome)) break;
        return End(Result::kWrong, absl::StrCat("block ", ShortHex(outcome.root.span()),
                                                " that it sent is wrong: ", outcome.reason, ", ", outcome.message));
      default:
        break;
    }
    // It failed for a reason of our own.
    not_before_ = context_.clock.Steady() + options_.pause;
    return;
  }
  if (done_ == blocks_.size()) End(Result::kComplete);
}

void BlockImport::End(Result result, const std::string& why) {
  Stop();
  on_end_(result, peer_, why);
}

}  // namespace lean::beacon
