// Events as StreamEvents shows them (proto/lean/v1/events.proto).
#ifndef LEAN_BEACON_RPC_EVENT_VIEWS_H_
#define LEAN_BEACON_RPC_EVENT_VIEWS_H_

#include "beacon/services/events/event_history.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Adds each event of a slice that `reader` has read.
void View(const EventReader& reader, const EventSlice& slice, v1::StreamEventsResponse& response);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_EVENT_VIEWS_H_
