// The descriptors that a process is started with.
#ifndef LEAN_COMMON_PROCESS_STANDARD_DESCRIPTORS_H_
#define LEAN_COMMON_PROCESS_STANDARD_DESCRIPTORS_H_

namespace lean {

// Gives standard input, output and error /dev/null where a process was started without them: the next file that it
// opens would become one of them, and a lock file or a database get the log. A program that links this has it done
// before its libraries are initialised, one of which opens files; main calls it to learn how it went. False: there is
// no /dev/null.
bool OpenStandardDescriptors();

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STANDARD_DESCRIPTORS_H_
