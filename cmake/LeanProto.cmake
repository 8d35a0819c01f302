# gRPC and Protocol Buffers from Debian's packages.
find_package(Protobuf REQUIRED)
find_package(gRPC REQUIRED)
find_program(LEAN_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

# lean_proto(NAME PROTOS...): a library with the messages and services of these files (paths below proto/).
function(lean_proto name)
  set(generated)
  foreach(proto ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${CMAKE_CURRENT_BINARY_DIR}/${stem}.pb.cc ${CMAKE_CURRENT_BINARY_DIR}/${stem}.pb.h
                ${CMAKE_CURRENT_BINARY_DIR}/${stem}.grpc.pb.cc ${CMAKE_CURRENT_BINARY_DIR}/${stem}.grpc.pb.h)
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND protobuf::protoc --cpp_out=${CMAKE_CURRENT_BINARY_DIR} --grpc_out=${CMAKE_CURRENT_BINARY_DIR}
              --plugin=protoc-gen-grpc=${LEAN_GRPC_CPP_PLUGIN} -I${CMAKE_CURRENT_SOURCE_DIR} ${proto}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${proto}
      COMMENT "Generating ${proto}")
    list(APPEND generated ${outputs})
  endforeach()
  add_library(${name} STATIC ${generated})
  # As a system folder, so that generated code is not linted.
  target_include_directories(${name} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf gRPC::grpc++ PRIVATE lean_options)
  target_compile_options(${name} PRIVATE -w)
  set_target_properties(${name} PROPERTIES LEAN_GENERATED ON)
  if(LEAN_SANITIZE)
    # Code that is not instrumented cannot use the precompiled headers of instrumented code.
    set_target_properties(${name} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
  endif()
  list(FILTER generated INCLUDE REGEX "\\.pb\\.cc$")
  list(FILTER generated EXCLUDE REGEX "\\.grpc\\.pb\\.cc$")
  # Files generated for messages define the same internal names, so they cannot be compiled as one.
  set_source_files_properties(${generated} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_precompile_headers(${name} REUSE_FROM lean_precompiled_rpc)
endfunction()

# lean_python_proto(TARGET PROTOS...): Python stubs of these files below build/PRESET/python, for the live view and the tests
# on real processes (Debian's python3-grpcio).
function(lean_python_proto target)
  find_program(LEAN_GRPC_PYTHON_PLUGIN grpc_python_plugin REQUIRED)
  set(directory ${PROJECT_BINARY_DIR}/python)
  file(MAKE_DIRECTORY ${directory})
  set(stubs)
  foreach(proto ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${directory}/${stem}_pb2.py ${directory}/${stem}_pb2_grpc.py)
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND protobuf::protoc --python_out=${directory} --grpc_out=${directory}
              --plugin=protoc-gen-grpc=${LEAN_GRPC_PYTHON_PLUGIN} -I${CMAKE_CURRENT_SOURCE_DIR} ${proto}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${proto}
      COMMENT "Generating Python stubs of ${proto}")
    list(APPEND stubs ${outputs})
  endforeach()
  add_custom_target(${target} ALL DEPENDS ${stubs})
endfunction()
