#include "beacon/http/event_feed.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::beacon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Root RootOfByte(uint8_t byte) {
  Root root;
  root.data.fill(byte);
  return root;
}

std::string TextOf(uint8_t byte) { return ToHex(RootOfByte(byte).span()); }

EventBlock BlockOf(uint64_t slot, uint8_t root, uint8_t state) {
  return {.id = {.root = RootOfByte(root), .slot = slot}, .state_root = RootOfByte(state)};
}

class EventFeedTest : public testing::Test {
 protected:
  EventHistory history_{5, 100'000};
  EventFeed feed_{history_, EventKinds().set(), std::nullopt};
};

TEST(TopicsTest, AreReadAndAnUnknownOneIsNamed) {
  EXPECT_EQ(ParseTopics("head,block_gossip").value(), EventKinds(1U | 1U << static_cast<int>(EventKind::kGossipBlock)));
  EXPECT_EQ(
      ParseTopics("head,block,justified_checkpoint,finalized_checkpoint,block_gossip,attestation,chain_reorg,peer,"
                  "sync,safe_target,block_votes")
          .value(),
      EventKinds().set());
  EXPECT_EQ(ParseTopics("").status().message(), "missing required query parameter: topics");
  for (const char* topic : {"aggregate", "Head", " head", "head "}) {
    EXPECT_EQ(ParseTopics(absl::StrCat("head,", topic)).status().message(),
              absl::StrCat("unknown topic: '", topic, "'"));
  }
}

TEST_F(EventFeedTest, EachEventToTheByte) {
  EXPECT_EQ(feed_.Next(), "");
  history_.Add(HeadMoved{.head = BlockOf(128, 1, 2)});
  EXPECT_EQ(feed_.Next(), absl::StrCat("event: head\ndata: {\"slot\":128,\"block\":\"", TextOf(1), "\",\"state\":\"",
                                       TextOf(2), "\"}\nid: 5-1\n\n"));
  BlockImported block;
  block.id = {.root = RootOfByte(1), .slot = 3};
  history_.Add(block);
  EXPECT_EQ(feed_.Next(), absl::StrCat("event: block\ndata: {\"slot\":3,\"block\":\"", TextOf(1), "\"}\nid: 5-2\n\n"));
  history_.Add(GossipBlockSeen{.id = block.id, .peer = 7});
  EXPECT_EQ(feed_.Next(),
            absl::StrCat("event: block_gossip\ndata: {\"slot\":3,\"block\":\"", TextOf(1), "\"}\nid: 5-3\n\n"));
  history_.Add(JustifiedMoved{.justified = BlockOf(1, 2, 3)});
  history_.Add(FinalizedMoved{.finalized = BlockOf(1, 2, 3)});
  const std::string data =
      absl::StrCat("data: {\"slot\":1,\"block\":\"", TextOf(2), "\",\"state\":\"", TextOf(3), "\"}\n");
  EXPECT_EQ(feed_.Next(), absl::StrCat("event: justified_checkpoint\n", data,
                                       "id: 5-4\n\nevent: finalized_checkpoint\n", data, "id: 5-5\n\n"));
  history_.Add(Reorganized{.old_head = BlockOf(3, 1, 2), .new_head = BlockOf(4, 3, 4), .depth = 2});
  EXPECT_EQ(feed_.Next(), absl::StrCat("event: chain_reorg\ndata: {\"slot\":4,\"depth\":2,\"old_head_block\":\"",
                                       TextOf(1), "\",\"new_head_block\":\"", TextOf(3), "\",\"old_head_state\":\"",
                                       TextOf(2), "\",\"new_head_state\":\"", TextOf(4), "\"}\nid: 5-6\n\n"));
  history_.Add(
      BlockVotesTold{.block = {.root = RootOfByte(1), .slot = 5},
                     .votes = {{.slot = 4, .head = {.root = RootOfByte(2), .slot = 3}, .validators = {0, 1, 2, 7}}}});
  EXPECT_EQ(feed_.Next(), absl::StrCat("event: block_votes\ndata: {\"slot\":5,\"block\":\"", TextOf(1),
                                       "\",\"votes\":[{\"slot\":4,\"head\":{\"slot\":3,\"root\":\"", TextOf(2),
                                       "\"},\"validators\":\"0-2,7\"}]}\nid: 5-7\n\n"));
}

TEST_F(EventFeedTest, VotesOfTheSameAndOfOtherData) {
  VotesAccepted votes;
  votes.votes.resize(3);
  for (uint64_t i = 0; i < 3; ++i) {
    votes.votes[i].validator_id = i;
    votes.votes[i].data.slot = i < 2 ? 7 : 8;
  }
  history_.Add(votes);
  const std::string zero = absl::StrCat("{\"slot\":0,\"root\":\"", TextOf(0), "\"}");
  const auto text = [&](uint64_t validator, uint64_t slot) {
    return absl::StrCat("event: attestation\ndata: {\"validator_id\":", validator, ",\"data\":{\"slot\":", slot,
                        ",\"head\":", zero, ",\"target\":", zero, ",\"source\":", zero, "}}\nid: 5-", validator + 1,
                        "\n\n");
  };
  EXPECT_EQ(feed_.Next(), text(0, 7) + text(1, 7) + text(2, 8));
}

// What a peer claims must not end a line.
TEST_F(EventFeedTest, TextOfPeersIsEscaped) {
  history_.Add(PeerChanged{.connected = true,
                           .id = 1,
                           .peer_id = "16U",
                           .agent = "a\nevent: head\r\n\xff\"",
                           .address = "/ip4",
                           .outbound = false,
                           .reason = ""});
  EXPECT_EQ(feed_.Next(),
            "event: peer\ndata: {\"peer_id\":\"16U\",\"connected\":true,\"direction\":\"inbound\",\"address\":\"/ip4\","
            "\"agent\":\"a\\nevent: head\\r\\n\xef\xbf\xbd\\\"\",\"reason\":\"\"}\nid: 5-1\n\n");
  history_.Add(SyncChanged{.synced = false, .lag_slots = 3, .target_slot = 9, .message = "3 slots behind"});
  EXPECT_EQ(feed_.Next(),
            "event: sync\ndata: {\"is_syncing\":true,\"lag_slots\":3,\"target_slot\":9,\"message\":\"3 slots "
            "behind\"}\nid: 5-2\n\n");
}

TEST_F(EventFeedTest, ASlowReaderIsToldOfTheGapAndARestartedOneOfTheRestart) {
  VotesAccepted votes;
  votes.votes.resize(100);
  for (int i = 0; i < 20; ++i) history_.Add(votes);
  const std::string text = feed_.Next();
  EXPECT_THAT(text, StartsWith(": error - dropped "));
  EXPECT_THAT(text, HasSubstr(" messages\n\nevent: attestation\n"));
  EventFeed restarted(history_, EventKinds().set(), EventCursor{4, 1});
  EXPECT_THAT(restarted.Next(), StartsWith(": error - the id is of an earlier run"));
}

}  // namespace
}  // namespace lean::beacon
