# Headers that most sources include are compiled once, because they take more than half of the time to compile a source.
# Every source still includes what it uses, and compiles with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON.
set(lean_headers <algorithm> <array> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <string>
                 <thread> <utility> <variant> <vector> <absl/container/flat_hash_map.h> <absl/container/flat_hash_set.h>
                 <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_format.h>
                 <absl/strings/str_join.h> <absl/types/span.h>)

# lean_precompile(NAME DEPS... HEADERS...): precompiles headers for targets that use REUSE_FROM NAME.
function(lean_precompile name)
  cmake_parse_arguments(ARG "" "" "DEPS;HEADERS" ${ARGN})
  add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(${name} PRIVATE lean_options absl::flat_hash_map absl::statusor ${ARG_DEPS})
  target_precompile_headers(${name} PRIVATE ${lean_headers} ${ARG_HEADERS})
endfunction()

lean_precompile(lean_precompiled)
lean_precompile(lean_precompiled_rpc DEPS gRPC::grpc++ HEADERS <grpcpp/grpcpp.h>)
# For code that runs once (tests, command lines) and takes long to optimize. -O0 would be too low: if several object files
# of a program contain an inline function, the linker may keep the copy from these files.
set(lean_quick_options $<$<CONFIG:Release>:-O1>)
lean_precompile(lean_precompiled_test DEPS GTest::gmock gRPC::grpc++ HEADERS <gmock/gmock.h> <gtest/gtest.h> <grpcpp/grpcpp.h>)
target_compile_options(lean_precompiled_test PRIVATE ${lean_quick_options})
lean_precompile(lean_precompiled_arguments DEPS CLI11::CLI11 gRPC::grpc++ HEADERS <CLI/CLI.hpp> <grpcpp/grpcpp.h>)
target_compile_options(lean_precompiled_arguments PRIVATE ${lean_quick_options})

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
  # Without -fpch-preprocess ccache does not keep objects that use a precompiled header. With it, GCC 12 no longer hides its false
  # reports about <string>, so these warnings are no errors here. The build for the thread sanitizer precompiles nothing; they
  # are errors there.
  target_compile_options(
    lean_options INTERFACE -fpch-preprocess -Wno-error=array-bounds -Wno-error=restrict -Wno-error=stringop-overflow
                           -Wno-error=stringop-overread)
endif()

# Selects precompiled headers by the options ARG_RPC and ARG_ARGUMENTS of the calling function.
macro(lean_use_precompiled target)
  if(ARG_ARGUMENTS)
    target_compile_options(${target} PRIVATE ${lean_quick_options})
    target_link_libraries(${target} PRIVATE CLI11::CLI11)
    target_precompile_headers(${target} REUSE_FROM lean_precompiled_arguments)
  elseif(ARG_RPC)
    target_precompile_headers(${target} REUSE_FROM lean_precompiled_rpc)
  else()
    target_precompile_headers(${target} REUSE_FROM lean_precompiled)
  endif()
endmacro()
