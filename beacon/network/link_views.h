// What is told of a link: to sync, to people, to the log.
#ifndef LEAN_BEACON_NETWORK_LINK_VIEWS_H_
#define LEAN_BEACON_NETWORK_LINK_VIEWS_H_

#include <optional>
#include <string>

#include "beacon/network/dial_plan.h"
#include "beacon/network/link.h"
#include "beacon/network/peer_blocks.h"
#include "beacon/network/peer_list.h"
#include "beacon/network/peer_table.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Of a link that is open.
PeerInfo InfoOf(const Link& link);
PeerState StateOf(const Link& link);

// What a link ends with that the table does not admit; nullopt when it does.
std::optional<Goodbye> RefusalFor(PeerTable::Verdict verdict);

// What an end means for dialling again.
DialEnd KindOf(const LinkEnd& end);

// "WRONG_GENESIS"; BROKEN when nobody said goodbye.
std::string ReasonOf(const LinkEnd& end);

// A line of the log. `news`: no attempt to link has failed like this just before.
void LogEnd(const Link& link, const LinkEnd& end, bool news, spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_LINK_VIEWS_H_
