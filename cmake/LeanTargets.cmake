# Settings and functions for all targets. A target has the name of its folder: common/ssz is lean_common_ssz.

add_library(lean_options INTERFACE)
target_include_directories(lean_options INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(lean_options INTERFACE Threads::Threads)
# All targets use -pthread, because some packages require it, and a precompiled header only serves targets with the same macros.
target_compile_options(lean_options INTERFACE -Wall -Wextra -Werror -pthread)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC collects its garbage from 1 GB (in kB) instead of 128 MB, so in few sources. A compiler takes about 140 MB more for
  # the sources that include gRPC, and a tenth less time.
  target_compile_options(lean_options INTERFACE --param=ggc-min-heapsize=1000000)
endif()

# Release builds check buffers, the stack and the targets of indirect jumps, and make relocation tables read-only.
# _FORTIFY_SOURCE is undefined first because the compiler may define another level by default.
set(lean_hardening_options -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND lean_hardening_options -fcf-protection=full)
endif()
target_compile_options(lean_options INTERFACE "$<$<CONFIG:Release>:${lean_hardening_options}>")
target_link_options(lean_options INTERFACE "$<$<CONFIG:Release>:LINKER:-z,relro,-z,now>")

# mold links much faster than the default linker, which is used if mold is not installed.
find_program(LEAN_MOLD mold)
if(LEAN_MOLD)
  target_link_options(lean_options INTERFACE -fuse-ld=mold)
endif()

if(LEAN_SANITIZE)
  # Code of targets with the property LEAN_GENERATED is not instrumented.
  set(lean_instrumentation -fsanitize=${LEAN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(lean_options INTERFACE "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:LEAN_GENERATED>>>:${lean_instrumentation}>")
  target_link_options(lean_options INTERFACE -fsanitize=${LEAN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's analysis has false positives in instrumented code. Builds without sanitizers keep the check.
    target_compile_options(lean_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

include(LeanPrecompiled)

# lean_library(NAME [RPC|ARGUMENTS] SOURCES... DEPS...): a static library; DEPS are public. RPC: its sources include gRPC.
# ARGUMENTS: they include CLI11, and may include gRPC.
function(lean_library name)
  cmake_parse_arguments(ARG "RPC;ARGUMENTS" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC lean_options ${ARG_DEPS})
  lean_use_precompiled(${name})
endfunction()

# lean_executable(NAME [ARGUMENTS] SOURCES... DEPS...)
function(lean_executable name)
  cmake_parse_arguments(ARG "ARGUMENTS" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lean_options ${ARG_DEPS})
  lean_use_precompiled(${name})
endfunction()

# lean_use_tcmalloc(TARGET): a slot with thousands of votes fills and frees the same large buffers again and again. This
# allocator keeps their pages, which glibc's returns to the system and faults in anew, and does not fragment its heap.
# Sanitizers bring their own.
function(lean_use_tcmalloc target)
  if(NOT LEAN_SANITIZE)
    find_library(LEAN_TCMALLOC tcmalloc_minimal REQUIRED)
    target_link_libraries(${target} PRIVATE -Wl,--no-as-needed ${LEAN_TCMALLOC})
  endif()
endfunction()

# lean_know_paths(TARGET): defines the macros LEAN_SOURCE_DIR (folder of the repository) and LEAN_BIN_DIR (folder of the
# programs). Only for targets that need them, because the compiler cache cannot reuse their objects in another checkout.
function(lean_know_paths target)
  target_compile_definitions(${target} PRIVATE LEAN_SOURCE_DIR="${PROJECT_SOURCE_DIR}" LEAN_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endfunction()

# lean_test(NAME SOURCES... DEPS... [LABELS ...] [LONG_SUITE SUITE]): a GoogleTest binary; ctest knows each of its tests.
# LABELS: threaded (also runs under TSan), rpc (needs gRPC), long (only with --long). The tests of LONG_SUITE always have the
# label `long`. Every test has the label `unit`. Tests without `long` also run under ASan.
function(lean_test name)
  cmake_parse_arguments(ARG "" "LONG_SUITE" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lean_options ${ARG_DEPS} lean_tests_ignore_sigpipe GTest::gmock GTest::gtest_main)
  if("rpc" IN_LIST ARG_LABELS)
    target_link_libraries(${name} PRIVATE lean_tests_openssl_at_exit)
  endif()
  target_precompile_headers(${name} REUSE_FROM lean_precompiled_test)
  # In unity builds all files of a test are compiled as one.
  set_target_properties(${name} PROPERTIES UNITY_BUILD_BATCH_SIZE 0)
  target_compile_options(${name} PRIVATE ${lean_quick_options})
  # Test discovery does not preserve lists. The labels are joined into one, in which the regular expression of `ctest -L` finds
  # each of them.
  list(JOIN ARG_LABELS "," labels)
  string(PREPEND labels "unit,")
  # A busy machine may take more than the default of 5 s to start a program.
  set(discovery DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 NO_PRETTY_VALUES)
  if(ARG_LONG_SUITE)
    gtest_discover_tests(${name} ${discovery} TEST_FILTER ${ARG_LONG_SUITE}.*
                         PROPERTIES LABELS "${labels},long")
    set(others TEST_FILTER -${ARG_LONG_SUITE}.*)
  endif()
  gtest_discover_tests(${name} ${discovery} ${others} PROPERTIES LABELS "${labels}")
  if(NOT "long" IN_LIST ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY LEAN_UNIT_TESTS ${name})
  endif()
  if("threaded" IN_LIST ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY LEAN_THREADED_TESTS ${name})
  endif()
endfunction()
