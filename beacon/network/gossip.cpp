#include "beacon/network/gossip.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "beacon/network/gossip_codec.h"

namespace lean::beacon {
namespace {

constexpr size_t kSeenBlocks = 4096;
// Slots of every validator's votes, and enough in a small network that a flood does not push them out at once.
constexpr size_t kSeenSlots = 16;
constexpr size_t kLeastSeenVotes = 4096;

size_t SeenVotesFor(size_t validator_count) { return kLeastSeenVotes + kSeenSlots * validator_count; }

}  // namespace

Gossip::Gossip(GossipSink sink, const Clock& clock, size_t validator_count)
    : sink_(std::move(sink)),
      clock_(clock),
      seen_blocks_(kSeenBlocks),
      seen_votes_(SeenVotesFor(validator_count)),
      forwarded_(SeenVotesFor(validator_count)) {}

void Gossip::OnBlock(const GossipPeerPtr& peer, absl::string_view payload) {
  const SteadyTime now = clock_.Steady();
  if (!peer->rates().TakeBytes(payload.size(), now) || !peer->rates().TakeBlock(now)) {
    return peer->Report(Offence::kTooMuch, "block: they come too fast");
  }
  const absl::StatusOr<std::string> ssz = Uncompress(payload, kMaxPayloadBytes);
  if (!ssz.ok()) return peer->Report(Offence::kMalformed, absl::StrCat("block: ", ssz.status().message()));
  const Root key = ItemKey(*ssz);
  peer->known().Insert(key);
  if (!seen_blocks_.Insert(key)) {
    ++duplicates_;
    return;
  }
  absl::StatusOr<SignedBlockPtr> block = ParseBlock(*ssz);
  if (!block.ok()) {
    seen_blocks_.Erase(key);  // whoever sends it as well is to hear of it
    return peer->Report(Offence::kMalformed, absl::StrCat("block: ", block.status().message()));
  }
  const size_t work = (*block)->signature.size() + 1;
  peer->BeginWork(work);
  sink_.block(*std::move(block), Origin::Peer(peer->id()), [this, peer, key, work](const SubmitOutcome& outcome) {
    Judge(*peer, key, "block", outcome);
    peer->EndWork(work);
  });
}

size_t Gossip::OnVotes(const GossipPeerPtr& peer, absl::string_view payload) {
  const auto refuse = [&peer](Offence offence, absl::string_view why) {
    peer->Report(offence, absl::StrCat("votes: ", why));
    return size_t{0};
  };
  const SteadyTime now = clock_.Steady();
  if (!peer->rates().TakeBytes(payload.size(), now)) return refuse(Offence::kTooMuch, "they come too fast");
  const absl::StatusOr<std::string> batch = Uncompress(payload, kMaxVotesInMessage * kVoteBytes);
  if (!batch.ok()) return refuse(Offence::kMalformed, batch.status().message());
  const absl::StatusOr<std::vector<absl::string_view>> parts = SplitVotes(*batch);
  if (!parts.ok()) return refuse(Offence::kMalformed, parts.status().message());
  if (!peer->rates().TakeVotes(parts->size(), now)) return refuse(Offence::kTooMuch, "they come too fast");

  std::vector<SignedVotePtr> votes;
  std::vector<Root> keys;
  for (absl::string_view part : *parts) {
    const Root key = ItemKey(part);
    peer->known().Insert(key);
    if (!seen_votes_.Insert(key)) {
      ++duplicates_;
      continue;
    }
    absl::StatusOr<SignedVotePtr> vote = ParseVote(part);
    if (!vote.ok()) {
      seen_votes_.Erase(key);
      peer->Report(Offence::kMalformed, absl::StrCat("vote: ", vote.status().message()));
      continue;
    }
    votes.push_back(*std::move(vote));
    keys.push_back(key);
  }
  if (votes.empty()) return parts->size();
  peer->BeginWork(votes.size());
  sink_.votes(std::move(votes), Origin::Peer(peer->id()),
              [this, peer, keys = std::move(keys)](const std::vector<SubmitOutcome>& outcomes) {
                for (size_t i = 0; i < keys.size() && i < outcomes.size(); ++i) {
                  Judge(*peer, keys[i], "vote", outcomes[i]);
                }
                peer->EndWork(keys.size());
              });
  return parts->size();
}

void Gossip::Judge(GossipPeer& peer, const Root& key, absl::string_view what, const SubmitOutcome& outcome) {
  switch (outcome.status) {
    case SubmitOutcome::kAccepted:
    case SubmitOutcome::kAlreadyKnown:
    case SubmitOutcome::kQueued:
      return;
    case SubmitOutcome::kRefused:
      // Whoever brings it, the signer alone is to blame, and no other copy fares better.
      if (outcome.reason == reason::kEquivocation) return;
      if (IsOffence(outcome.reason)) {
        return peer.Report(Offence::kInvalidItem, absl::StrCat(what, ": ", outcome.reason, ": ", outcome.message));
      }
      break;
    case SubmitOutcome::kOverloaded:
    case SubmitOutcome::kStorageFailed:
    case SubmitOutcome::kShuttingDown:
      break;
  }
  // Not judged, or not now: another copy may fare better.
  seen_blocks_.Erase(key);
  seen_votes_.Erase(key);
}

void Gossip::Forward(const OutboundItem& item, const std::vector<GossipPeerPtr>& peers) {
  const bool own = item.origin.kind == Origin::kLocal;
  if (item.block != nullptr) {
    const std::string ssz = SerializeBlock(*item.block);
    const OutgoingItem outgoing{.key = ItemKey(ssz), .bytes = std::make_shared<const std::string>(Compress(ssz))};
    seen_blocks_.Insert(outgoing.key);
    if (!forwarded_.Insert(outgoing.key)) return;
    ++(own ? own_blocks_ : foreign_blocks_);
    for (const GossipPeerPtr& peer : peers) {
      if (Origin::Peer(peer->id()) != item.origin) peer->Send(outgoing);
    }
  }
  std::vector<OutgoingItem> votes;
  for (const SignedVotePtr& vote : item.votes) {
    auto ssz = std::make_shared<const std::string>(SerializeVote(*vote));
    const Root key = ItemKey(*ssz);
    seen_votes_.Insert(key);
    if (forwarded_.Insert(key)) votes.push_back({.key = key, .bytes = std::move(ssz)});
  }
  if (votes.empty()) return;
  (own ? own_votes_ : foreign_votes_) += votes.size();
  for (const GossipPeerPtr& peer : peers) {
    if (Origin::Peer(peer->id()) != item.origin) peer->Send(votes);
  }
}

Gossip::Counts Gossip::counts() const {
  return {.duplicates = duplicates_,
          .own_blocks = own_blocks_,
          .own_votes = own_votes_,
          .foreign_blocks = foreign_blocks_,
          .foreign_votes = foreign_votes_};
}

}  // namespace lean::beacon
