// The part of BeaconPool that builds votes and blocks.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"
#include "validator_client/beacons/beacon_calls.h"
#include "validator_client/beacons/beacon_pool.h"

namespace lean::validator {
namespace {

// If at most one beacon is wrong, this many beacons that contradict another one are not all wrong.
constexpr size_t kCertainDenials = 2;

absl::Status BuildError(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrFormat("build: %s", status.message()));
}

absl::Status NotCorroborated(const VoteCandidate& vote) {
  return absl::FailedPreconditionError(
      absl::StrFormat("the head %s of slot %u, the target or the source of its vote is known to no other beacon",
                      ShortHex(vote.data.head.root.span()), vote.data.head.slot));
}

// True when this client knows a block that is more than kMaxLagSlots newer.
bool IsStale(uint64_t head_slot, uint64_t known_slot) { return head_slot + kMaxLagSlots < known_slot; }

// The union of two lists, in order, without duplicates.
std::vector<size_t> Joined(std::vector<size_t> first, const std::vector<size_t>& second) {
  std::copy_if(second.begin(), second.end(), std::back_inserter(first),
               [&](size_t i) { return std::find(first.begin(), first.end(), i) == first.end(); });
  return first;
}

// The candidates with a recent head, or those with an old head.
std::vector<VoteCandidate> WhereStaleIs(bool stale, const std::vector<VoteCandidate>& candidates, uint64_t known_slot) {
  std::vector<VoteCandidate> some;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(some),
               [&](const VoteCandidate& vote) { return IsStale(vote.data.head.slot, known_slot) == stale; });
  return some;
}

// Of the candidates whose blocks are all corroborated, the first one with the newest head.
std::optional<VoteCandidate> NewestCorroborated(const std::vector<VoteCandidate>& votes,
                                                const BlockWitnesses& witnesses) {
  std::optional<VoteCandidate> best;
  for (const VoteCandidate& vote : votes) {
    if (!witnesses.IsCorroborated(vote)) continue;
    if (!best.has_value() || vote.data.head.slot > best->data.head.slot) best = vote;
  }
  return best;
}

// True when two beacons have built the same vote on a recent head.
bool TwoAgree(const Gathering<absl::StatusOr<VoteDataAnswer>>::Results& answers, uint64_t known_slot) {
  std::vector<VoteCandidate> candidates;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].has_value() && answers[i]->ok()) candidates.push_back({i, (*answers[i])->data});
  }
  return AgreedVote(WhereStaleIs(false, candidates, known_slot)).has_value();
}

}  // namespace

absl::StatusOr<BuiltVote> BeaconPool::BuildVote(uint64_t slot, const Remaining& remaining, const CheckVote& check) {
  BeaconErrors errors;
  const BeaconOrder order = Order();
  // A single beacon gets all of the time. Several get half of it, which leaves time for a second round.
  const Timeout left = remaining();
  const bool alone = order.good.size() + order.reserve.size() < 2;
  if (!order.good.empty()) {
    const std::optional<BuiltVote> vote =
        BuildVoteWith(order.good, slot, alone ? left : left / 2, 0, remaining, check, errors);
    if (vote.has_value()) return *vote;
    if (alone) return Failure(errors);
  }
  // The good beacons gave no answer, or contradict each other.
  std::vector<size_t> second = Joined(order.good, order.reserve);
  std::erase_if(second, [this](size_t i) { return !sessions_[i]->ready().ok(); });
  const Timeout rest = remaining();
  if (!second.empty() && (rest > Timeout::zero() || order.good.empty())) {
    const std::optional<BuiltVote> vote =
        BuildVoteWith(second, slot, second.size() > 1 ? rest / 2 : rest, kCertainDenials - 1, remaining, check, errors);
    if (vote.has_value()) return *vote;
  }
  return Failure(errors);
}

std::optional<BuiltVote> BeaconPool::BuildVoteWith(const std::vector<size_t>& beacons, uint64_t slot, Timeout timeout,
                                                   size_t max_denials, const Remaining& remaining,
                                                   const CheckVote& check, BeaconErrors& errors) {
  const std::vector<VoteCandidate> candidates = AskForVotes(beacons, slot, timeout, check, errors);
  const std::optional<VoteCandidate> chosen = ChooseVote(candidates, max_denials, remaining);
  bool before_chosen = true;
  for (const VoteCandidate& vote : candidates) {
    if (chosen.has_value() && vote.beacon == chosen->beacon) before_chosen = false;
    if (chosen.has_value() && vote.data == chosen->data) continue;
    const bool known = known_.Contains(vote.data.head);
    if (!known) standings_[vote.beacon].Claim(vote.data.head);
    if (!chosen.has_value() || (!known && before_chosen)) PassOver(vote.beacon, slot, NotCorroborated(vote), errors);
  }
  if (!chosen.has_value()) return std::nullopt;
  return BuiltVote{chosen->data, chosen->beacon};
}

std::vector<VoteCandidate> BeaconPool::AskForVotes(const std::vector<size_t>& beacons, uint64_t slot, Timeout timeout,
                                                   const CheckVote& check, BeaconErrors& errors) {
  using Answer = absl::StatusOr<VoteDataAnswer>;
  const auto gathering = std::make_shared<Gathering<Answer>>(beacons.size());
  for (size_t i = 0; i < beacons.size(); ++i) {
    const auto ask = [gathering, i, slot, timeout, root = network()->genesis_block_root,
                      client = &sessions_[beacons[i]]->client()] {
      gathering->Put(i, client->BuildVote(slot, root, timeout));
    };
    if (!run_(beacons[i], ask)) gathering->Put(i, BeaconIsBusy());
  }
  const auto agree = [this](const auto& answers) { return TwoAgree(answers, known_.newest_slot()); };
  const auto answers = gathering->Await(absl::FromChrono(timeout), agree);
  const bool agreed = agree(answers);
  std::vector<VoteCandidate> candidates;
  for (size_t i = 0; i < beacons.size(); ++i) {
    const size_t beacon = beacons[i];
    if (!answers[i].has_value() && agreed) continue;  // it was not waited for
    const Answer answer = answers[i].value_or(absl::DeadlineExceededError("no answer in time"));
    if (!answer.ok()) {
      const absl::Status status = BuildError(answer.status());
      MarkFailed(*sessions_[beacon], answer.status());
      PassOver(beacon, slot, status, errors);
      standings_[beacon].DutyFailed(slot);
    } else if (const absl::Status status = check(*sessions_[beacon], *answer); !status.ok()) {
      PassOver(beacon, slot, status, errors);
      standings_[beacon].DutyFailed(slot);
    } else {
      standings_[beacon].DutyAnswered();
      candidates.push_back({beacon, answer->data});
    }
  }
  return candidates;
}

bool BeaconPool::IsAloneOfTwo(size_t beacon) const {
  return sessions_.size() == 2 && !sessions_[1 - beacon]->ready().ok();
}

std::optional<VoteCandidate> BeaconPool::ChooseVote(const std::vector<VoteCandidate>& candidates, size_t max_denials,
                                                    const Remaining& remaining) {
  // Takes a vote whose blocks are all corroborated, and adds them to the known blocks.
  const auto take = [this](const VoteCandidate& vote) {
    for (const Checkpoint& block : BlocksOf(vote.data)) {
      if (!known_.Contains(block)) known_.Add(block);
    }
    return vote;
  };
  const std::vector<VoteCandidate> fresh = WhereStaleIs(false, candidates, known_.newest_slot());
  const std::vector<VoteCandidate> stale = WhereStaleIs(true, candidates, known_.newest_slot());
  if (const std::optional<size_t> agreed = AgreedVote(fresh); agreed.has_value()) {
    for (const Checkpoint& block : BlocksOf(fresh[*agreed].data)) known_.Add(block);
    return fresh[*agreed];
  }

  BlockWitnesses witnesses(known_);
  std::vector<Root> unknown;
  for (const VoteCandidate& vote : candidates) witnesses.Built(vote);
  for (const VoteCandidate& vote : candidates) {
    for (const Checkpoint& block : BlocksOf(vote.data)) {
      if (!witnesses.IsCorroborated(vote.beacon, block)) unknown.push_back(block.root);
    }
  }
  AskForBlocks(unknown, remaining() / 2, UnlessStale(), witnesses);
  // A beacon that builds on another new head and does not say that it knows this one contradicts it.
  for (const VoteCandidate& vote : fresh) {
    for (const Root& root : unknown) {
      if (!witnesses.HasSpoken(vote.beacon, root)) witnesses.Lacks(vote.beacon, root);
    }
  }
  if (const auto best = NewestCorroborated(fresh, witnesses); best.has_value()) return take(*best);
  for (size_t denials = 0; denials <= max_denials; ++denials) {
    for (const VoteCandidate& vote : fresh) {
      if (witnesses.Denials(vote) != denials) continue;
      if (IsAloneOfTwo(vote.beacon)) {
        // Notes the blocks of the beacon that is used: the other one may lag after its return.
        for (const Checkpoint& block : BlocksOf(vote.data)) known_.AddUnconfirmed(block);
        alone_ = vote.beacon;
        alone_slot_ = probed_slot_;
      }
      return vote;
    }
    // Prefers a confirmed old block to a contradicted one.
    if (max_denials == 0) continue;
    if (const auto best = NewestCorroborated(stale, witnesses); best.has_value()) return take(*best);
  }
  return std::nullopt;
}

BeaconPool::MayDeny BeaconPool::UnlessStale() const {
  return [newest = known_.newest_slot()](const BeaconSession& beacon, const Root&) {
    return !IsStale(beacon.head_slot(), newest);
  };
}

void BeaconPool::AskForBlocks(const std::vector<Root>& blocks, Timeout timeout, const MayDeny& may_deny,
                              BlockWitnesses& witnesses) {
  if (blocks.empty() || timeout <= Timeout::zero()) return;
  struct Asked {
    size_t beacon = 0;
    std::set<Root> roots;
  };
  std::vector<Asked> all;
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (!sessions_[i]->ready().ok() || standings_[i].has_lost_place(probed_slot_)) continue;
    Asked asked{i, {}};
    for (const Root& root : blocks) {
      if (!witnesses.HasSpoken(i, root)) asked.roots.insert(root);
    }
    if (!asked.roots.empty()) all.push_back(std::move(asked));
  }
  const auto gathering = std::make_shared<Gathering<Slots>>(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const auto ask = [gathering, i, roots = all[i].roots, timeout, client = &sessions_[all[i].beacon]->client()] {
      Slots slots;
      for (const Root& root : roots) {
        slots.emplace(root, client->GetBlockSlot(root, timeout / static_cast<int64_t>(roots.size())));
      }
      gathering->Put(i, std::move(slots));
    };
    if (!run_(all[i].beacon, ask)) gathering->Put(i, {});
  }
  const auto answers = gathering->Await(absl::FromChrono(timeout), [](const auto&) { return false; });
  for (size_t i = 0; i < all.size(); ++i) {
    if (!answers[i].has_value()) continue;
    for (const auto& [root, slot] : *answers[i]) {
      if (slot.ok()) witnesses.Knows(all[i].beacon, {root, *slot});
      if (absl::IsNotFound(slot.status()) && may_deny(*sessions_[all[i].beacon], root)) {
        witnesses.Lacks(all[i].beacon, root);
      }
    }
  }
}

absl::StatusOr<BuiltBlock> BeaconPool::BuildBlock(uint64_t slot, uint64_t proposer_index, const Remaining& remaining,
                                                  const CheckBlock& check) {
  BeaconErrors errors;
  const BeaconOrder order = Order();
  const std::vector<size_t> to_ask = Joined(order.good, order.reserve);
  // The best block so far that does not end the search: an uncontradicted one, then one on an old head, then one that
  // one beacon contradicts.
  enum class Rank { kUncontradicted, kStale, kContradicted, kNone };
  std::optional<BuiltBlock> fallback;
  Rank fallback_rank = Rank::kNone;
  for (size_t tried = 0; tried < to_ask.size(); ++tried) {
    const size_t beacon = to_ask[tried];
    BeaconSession& session = *sessions_[beacon];
    const Timeout left = remaining();
    if (tried > 0 && left <= Timeout::zero()) break;
    absl::StatusOr<BuiltBlockAnswer> answer = session.client().BuildBlock(
        slot, proposer_index, network()->genesis_block_root,
        sessions_.size() == 1 ? BlockForm::kHeader : BlockForm::kWhole, AttemptTimeout(left, to_ask.size() - tried));
    if (!answer.ok()) {
      MarkFailed(session, answer.status());
      PassOver(beacon, slot, BuildError(answer.status()), errors);
      standings_[beacon].DutyFailed(slot);
      continue;
    }
    if (const absl::Status status = check(session, *answer); !status.ok()) {
      PassOver(beacon, slot, status, errors);
      standings_[beacon].DutyFailed(slot);
      continue;
    }
    standings_[beacon].DutyAnswered();
    BuiltBlock built{*std::move(answer), beacon};
    const std::optional<size_t> denials = DenialsOf(built, remaining);
    const uint64_t parent_slot = known_.SlotOf(built.answer.block.parent_root).value_or(slot);
    const bool stale = IsStale(parent_slot, known_.newest_slot());
    // With at most one other beacon, no better result is possible.
    if (!stale && (!denials.has_value() || (*denials == 0 && to_ask.size() <= kCertainDenials))) return built;
    PassOver(
        beacon, slot,
        absl::FailedPreconditionError(absl::StrFormat(
            "the parent %s of its block is an old one, or that or a checkpoint of its vote is known to no other beacon",
            ShortHex(built.answer.block.parent_root.span()))),
        errors);
    if (denials.value_or(0) >= kCertainDenials) continue;
    const Rank rank = denials.value_or(0) > 0 ? Rank::kContradicted : stale ? Rank::kStale : Rank::kUncontradicted;
    if (rank >= fallback_rank) continue;
    fallback = std::move(built);
    fallback_rank = rank;
  }
  if (fallback.has_value()) return *std::move(fallback);
  return Failure(errors);
}

std::optional<size_t> BeaconPool::DenialsOf(const BuiltBlock& block, const Remaining& remaining) {
  const Root& parent = block.answer.block.parent_root;
  const AttestationData& vote = block.answer.proposer_attestation.data;
  BlockWitnesses witnesses(known_);
  const auto is_corroborated = [&] {
    return witnesses.IsCorroborated(block.builder, parent) && witnesses.IsCorroborated(block.builder, vote.target) &&
           witnesses.IsCorroborated(block.builder, vote.source);
  };
  if (is_corroborated()) return std::nullopt;
  std::vector<Root> unknown;
  for (const Root& root : {parent, vote.target.root, vote.source.root}) {
    // The builder of the block is not asked.
    witnesses.Knows(block.builder, {root, block.answer.block.slot});
    if (!witnesses.IsCorroborated(block.builder, root)) unknown.push_back(root);
  }
  AskForBlocks(unknown, remaining() / 2, UnlessStale(), witnesses);
  if (is_corroborated()) return std::nullopt;
  return std::max({witnesses.Denials(block.builder, parent), witnesses.Denials(block.builder, vote.target),
                   witnesses.Denials(block.builder, vote.source)});
}

void BeaconPool::SettleClaims(Timeout timeout) {
  BlockWitnesses witnesses(known_);
  std::map<Root, uint64_t> claimed;
  for (size_t i = 0; i < sessions_.size(); ++i) {
    const std::optional<Checkpoint>& claim = standings_[i].claim();
    if (!claim.has_value()) continue;
    witnesses.Knows(i, *claim);
    uint64_t& slot = claimed[claim->root];
    slot = std::max(slot, claim->slot);
  }
  std::vector<Root> roots;
  for (const auto& [root, slot] : claimed) roots.push_back(root);
  // A beacon with an older head may still receive the block.
  const auto is_as_far = [&claimed](const BeaconSession& beacon, const Root& root) {
    return beacon.head_slot() >= claimed.at(root);
  };
  AskForBlocks(roots, timeout, is_as_far, witnesses);
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (!standings_[i].claim().has_value()) continue;
    const Checkpoint claim = *standings_[i].claim();
    if (witnesses.IsCorroborated(i, claim)) {
      if (!known_.Contains(claim)) known_.Add(claim);
      standings_[i].DropClaim();
    } else if (witnesses.Denials(i, claim) >= kCertainDenials) {
      // A single denial is not enough: the other beacon may have a problem of its own.
      standings_[i].ClaimDisproved(probed_slot_);
      logger_->warn(
          "beacon loses its place beacon={} slots={} reason=\"no other beacon has the block {} of slot {}, which it "
          "named "
          "as its head or built\"",
          sessions_[i]->client().name(), kDisprovedSlots, ShortHex(claim.root.span()), claim.slot);
    } else if (probed_slot_ > claim.slot + kHeadMemorySlots) {
      standings_[i].DropClaim();
    }
  }
  ReportChoice();
}

void BeaconPool::PassOver(size_t beacon, uint64_t slot, const absl::Status& status, BeaconErrors& errors) {
  errors.Add(*sessions_[beacon], status);
  if (sessions_.size() == 1) return;
  logger_->warn("beacon passed over beacon={} slot={} reason=\"{}\"", sessions_[beacon]->client().name(), slot,
                StatusText(status));
}

}  // namespace lean::validator
