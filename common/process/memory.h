// How a process gives memory back.
#ifndef LEAN_COMMON_PROCESS_MEMORY_H_
#define LEAN_COMMON_PROCESS_MEMORY_H_

namespace lean {

// From now on a large buffer goes back to the machine when it is freed. glibc does that only until the first of them is
// freed: from then on all of up to that size, at most 32 MiB, come from its heaps, which they tear, so that memory
// grows for thousands of slots although nothing is kept. Call it before threads are made. Without effect elsewhere.
void ReturnLargeBuffers();

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_MEMORY_H_
