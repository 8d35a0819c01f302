// All containers of the protocol, with their encoding and hashing.
#ifndef LEAN_COMMON_CONTAINERS_CONTAINERS_H_
#define LEAN_COMMON_CONTAINERS_CONTAINERS_H_

// IWYU pragma: begin_exports
#include "common/containers/attestation.h"
#include "common/containers/block.h"
#include "common/containers/limits.h"
#include "common/containers/state.h"
#include "common/ssz/ssz.h"
// IWYU pragma: end_exports

#endif  // LEAN_COMMON_CONTAINERS_CONTAINERS_H_
