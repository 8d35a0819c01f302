// Where items that peers sent go.
#ifndef LEAN_BEACON_NETWORK_GOSSIP_SINK_H_
#define LEAN_BEACON_NETWORK_GOSSIP_SINK_H_

#include <functional>
#include <utility>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/submit.h"

namespace lean::beacon {

// ChainService's Submit calls, or a test's.
struct GossipSink {
  std::function<void(SignedBlockPtr, const Origin&, std::function<void(SubmitOutcome)>)> block;
  std::function<void(std::vector<SignedVotePtr>, const Origin&, std::function<void(std::vector<SubmitOutcome>)>)> votes;
};

// `chain` outlives it.
inline GossipSink SinkOf(ChainService& chain) {
  return {.block =
              [&chain](SignedBlockPtr block, const Origin& origin, std::function<void(SubmitOutcome)> done) {
                chain.SubmitBlock(std::move(block), origin, std::move(done));
              },
          .votes =
              [&chain](std::vector<SignedVotePtr> votes, const Origin& origin,
                       std::function<void(std::vector<SubmitOutcome>)> done) {
                chain.SubmitVotes(std::move(votes), origin, std::move(done));
              }};
}

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_GOSSIP_SINK_H_
