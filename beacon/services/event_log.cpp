#include "beacon/services/event_log.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {
namespace {

spdlog::level::level_enum LevelOf(ImportMode mode) {
  return mode == ImportMode::kLive ? spdlog::level::info : spdlog::level::debug;
}

spdlog::string_view_t View(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string OriginName(const Origin& origin) {
  return origin.kind == Origin::kLocal ? "local" : absl::StrCat("peer-", origin.peer);
}

void EventLog::BlockAccepted(const SignedBlockWithAttestation& block, const Root& root, const Origin& origin,
                             std::chrono::milliseconds import_time, ImportMode mode) const {
  ++counts_->blocks_accepted;
  log_->log(LevelOf(mode), "block_accepted slot={} root={} proposer={} votes={} import_ms={} origin={}",
            block.message.block.slot, ShortHex(root.span()), block.message.block.proposer_index,
            block.message.block.body.attestations.size(), import_time.count(), OriginName(origin));
}

void EventLog::VotesAccepted(size_t accepted, size_t submitted, const Origin& origin) const {
  counts_->votes_accepted += accepted;
  log_->debug("votes_accepted accepted={} submitted={} origin={}", accepted, submitted, OriginName(origin));
}

void EventLog::Refused(const WaitingItem& item, absl::string_view reason, absl::string_view message) const {
  ++(item.is_block() ? counts_->blocks_refused : counts_->votes_refused);
  const bool own = item.origin.kind == Origin::kLocal;
  Line(own ? spdlog::level::warn : spdlog::level::debug, item, "refused", reason, message);
}

void EventLog::Equivocation(const WaitingItem& item) const {
  ++(item.is_block() ? counts_->block_equivocations : counts_->vote_equivocations);
  Line(spdlog::level::warn, item, "equivocation", "SIGNED_TWICE", "its validator has signed another one for this slot");
}

void EventLog::Queued(const WaitingItem& item, absl::string_view reason, absl::string_view message) const {
  Line(item.is_block() ? spdlog::level::info : spdlog::level::debug, item, "queued", reason, message);
}

void EventLog::Dropped(const WaitingItem& item, absl::string_view why) const {
  Line(item.is_block() ? spdlog::level::info : spdlog::level::debug, item, "dropped", why, "");
  ++counts_->items_dropped;
}

void EventLog::Line(spdlog::level::level_enum level, const WaitingItem& item, absl::string_view what,
                    absl::string_view reason, absl::string_view message) const {
  if (!log_->should_log(level)) return;
  const absl::string_view kind = item.is_block() ? "block_" : "vote_";
  if (level > spdlog::level::debug && !Admit(absl::StrCat(kind, what, "/", reason))) return;
  std::string detail = message.empty() ? "" : absl::StrCat(" message=\"", message, "\"");
  if (const auto* block = std::get_if<SignedBlockPtr>(&item.content)) {
    log_->log(level, "block_{} slot={} root={} proposer={} origin={} reason={}{}", View(what), item.slot(),
              ShortHex(item.root.span()), (*block)->message.block.proposer_index, OriginName(item.origin), View(reason),
              detail);
  } else {
    log_->log(level, "vote_{} slot={} validator={} origin={} reason={}{}", View(what), item.slot(),
              std::get<SignedVotePtr>(item.content)->message.validator_id, OriginName(item.origin), View(reason),
              detail);
  }
}

void EventLog::Head(const Checkpoint& head, ImportMode mode) const { CheckpointLine("head", head, mode); }

void EventLog::Reorg(const Checkpoint& old_head, const Checkpoint& new_head, uint64_t depth) const {
  ++counts_->reorgs;
  log_->warn("reorg depth={} old_slot={} old_root={} new_slot={} new_root={}", depth, old_head.slot,
             ShortHex(old_head.root.span()), new_head.slot, ShortHex(new_head.root.span()));
}

void EventLog::Justified(const Checkpoint& justified, ImportMode mode) const {
  CheckpointLine("justified", justified, mode);
}

void EventLog::Finalized(const Checkpoint& finalized, ImportMode mode) const {
  CheckpointLine("finalized", finalized, mode);
}

void EventLog::CheckpointLine(absl::string_view what, const Checkpoint& checkpoint, ImportMode mode) const {
  log_->log(LevelOf(mode), "{} slot={} root={}", View(what), checkpoint.slot, ShortHex(checkpoint.root.span()));
}

void EventLog::TimeJumped(uint64_t from_slot, uint64_t to_slot) const {
  log_->warn("time_jumped from_slot={} to_slot={}", from_slot, to_slot);
}

void EventLog::TimeSetBack(uint64_t from_slot, uint64_t to_slot) const {
  log_->warn("time_set_back from_slot={} to_slot={} message=\"the clock was ahead\"", from_slot, to_slot);
}

void EventLog::NotPublished(const OutboundItem& item) const {
  const size_t blocks = item.block == nullptr ? 0 : 1;
  counts_->blocks_unpublished += blocks;
  counts_->votes_unpublished += item.votes.size();
  if (!Admit(blocks > 0 ? "block_not_published" : "votes_not_published")) return;
  log_->warn("not_published blocks={} votes={} origin={} reason=NETWORK_CHANNEL_FULL", blocks, item.votes.size(),
             OriginName(item.origin));
}

void EventLog::Overloaded(size_t items, const Origin& origin) const {
  counts_->items_overloaded += items;
  if (!Admit("overloaded")) return;
  log_->warn("overloaded items={} origin={} message=\"too much is in flight\"", items, OriginName(origin));
}

}  // namespace lean::beacon
