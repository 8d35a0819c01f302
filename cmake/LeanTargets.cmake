# What every target of this project has in common. Targets mirror the folders: common/ssz is lean_common_ssz.

add_library(lean_options INTERFACE)
target_include_directories(lean_options INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(lean_options INTERFACE Threads::Threads)
# -pthread for all, as some packages ask for it: a precompiled header serves those alone who define what it did.
target_compile_options(lean_options INTERFACE -Wall -Wextra -Werror -pthread)

# Release builds check buffers, the stack and the targets of indirect jumps, and make the tables of addresses read-only.
# _FORTIFY_SOURCE is undefined first because a compiler may define a level of its own.
set(lean_hardening_options -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND lean_hardening_options -fcf-protection=full)
endif()
target_compile_options(lean_options INTERFACE "$<$<CONFIG:Release>:${lean_hardening_options}>")
target_link_options(lean_options INTERFACE "$<$<CONFIG:Release>:LINKER:-z,relro,-z,now>")

# mold links much faster than the compiler's own linker, which is used where mold is not installed.
find_program(LEAN_MOLD mold)
if(LEAN_MOLD)
  target_link_options(lean_options INTERFACE -fuse-ld=mold)
endif()

if(LEAN_SANITIZE)
  target_compile_options(lean_options INTERFACE -fsanitize=${LEAN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(lean_options INTERFACE -fsanitize=${LEAN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code looks uninitialized to GCC's analysis where it is not; builds without sanitizers keep the check.
    target_compile_options(lean_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

include(LeanPrecompiled)

# lean_library(NAME [RPC|ARGUMENTS] SOURCES... DEPS...): a static library; DEPS are public. Its sources include gRPC, or gRPC
# and CLI11.
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

# lean_know_paths(TARGET): its sources know the folders of the sources (LEAN_SOURCE_DIR) and of the programs (LEAN_BIN_DIR).
# Only for targets that need it: the compiler cache does not find their objects again in another checkout.
function(lean_know_paths target)
  target_compile_definitions(${target} PRIVATE LEAN_SOURCE_DIR="${PROJECT_SOURCE_DIR}" LEAN_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endfunction()

# lean_test(NAME SOURCES... DEPS... [LABELS ...] [LONG_SUITE SUITE]): a GoogleTest binary, each of its tests known to ctest.
# LABELS: threaded (also run under TSan), rpc (needs gRPC), long (only with --long). The tests of LONG_SUITE are long ones,
# whatever the others are. Every test has the label `unit`, too; those without `long` also run under ASan.
function(lean_test name)
  cmake_parse_arguments(ARG "" "LONG_SUITE" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lean_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM lean_precompiled_test)
  # Where files are compiled together, all of a test are.
  set_target_properties(${name} PROPERTIES UNITY_BUILD_BATCH_SIZE 0)
  target_compile_options(${name} PRIVATE ${lean_quick_options})
  # A list does not survive test discovery; joined into one label, each is still found by `ctest -L`, which takes a regex.
  list(JOIN ARG_LABELS "," labels)
  string(PREPEND labels "unit,")
  if(ARG_LONG_SUITE)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES TEST_FILTER ${ARG_LONG_SUITE}.*
                         PROPERTIES LABELS "${labels},long")
    set(others TEST_FILTER -${ARG_LONG_SUITE}.*)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES ${others} PROPERTIES LABELS "${labels}")
  if(NOT "long" IN_LIST ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY LEAN_UNIT_TESTS ${name})
  endif()
  if("threaded" IN_LIST ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY LEAN_THREADED_TESTS ${name})
  endif()
endfunction()
