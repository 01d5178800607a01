# phasor_cc_library, phasor_cc_binary and phasor_cc_test, and the check that edges between
# layers point downwards only.
#
# Layers, lowest first. A target may depend on its own layer and on the layers that its line
# names; anything else fails at configure time.
set(PHASOR_LAYER_base     base)
set(PHASOR_LAYER_engine   base engine)
set(PHASOR_LAYER_job      base job)
set(PHASOR_LAYER_ports    base job ports)
set(PHASOR_LAYER_adapters base job ports adapters)
set(PHASOR_LAYER_services base job ports adapters engine services)

# phasor_cc_library(NAME common_base LAYER base SRCS a.cc HDRS a.h DEPS absl::status)
# makes the target phasor_<NAME> with the alias phasor::<NAME>.
function(phasor_cc_library)
  cmake_parse_arguments(ARG "" "NAME;LAYER" "SRCS;HDRS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(NOT DEFINED PHASOR_LAYER_${ARG_LAYER})
    message(FATAL_ERROR "${ARG_NAME}: unknown layer '${ARG_LAYER}'")
  endif()
  set(target phasor_${ARG_NAME})
  if(ARG_SRCS)
    add_library(${target} STATIC ${ARG_SRCS} ${ARG_HDRS})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} phasor_sanitize
                          PRIVATE ${ARG_PRIVATE_DEPS} phasor_warnings)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${target} INTERFACE ${ARG_DEPS} phasor_sanitize)
  endif()
  add_library(phasor::${ARG_NAME} ALIAS ${target})
  set_target_properties(${target} PROPERTIES PHASOR_LAYER ${ARG_LAYER}
                        PHASOR_DEPS "${ARG_DEPS};${ARG_PRIVATE_DEPS}")
  set_property(GLOBAL APPEND PROPERTY PHASOR_LIBRARIES ${target})
endfunction()

# phasor_cc_binary(NAME phasor-render SRCS main.cc DEPS phasor::engine)
function(phasor_cc_binary)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SRCS})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} phasor_warnings phasor_sanitize)
endfunction()

# phasor_cc_test(NAME common_base_test SRCS a_test.cc DEPS phasor::common_base [LABELS unit]
#                [TIMEOUT 60]): one program, one test of ctest.
function(phasor_cc_test)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${PHASOR_PATIENCE}")
  add_executable(${ARG_NAME} ${ARG_SRCS})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} GTest::gtest_main GTest::gmock
                        phasor_warnings phasor_sanitize)
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "PHASOR_SOURCE_DIR=${CMAKE_SOURCE_DIR};PHASOR_BIN_DIR=${CMAKE_BINARY_DIR}/bin")
endfunction()

# Fails the configure step on the first edge that points upwards.
function(phasor_check_layers)
  get_property(libraries GLOBAL PROPERTY PHASOR_LIBRARIES)
  foreach(library IN LISTS libraries)
    get_target_property(layer ${library} PHASOR_LAYER)
    get_target_property(deps ${library} PHASOR_DEPS)
    foreach(dep IN LISTS deps)
      if(NOT dep MATCHES "^phasor::")
        continue()
      endif()
      get_target_property(real ${dep} ALIASED_TARGET)
      get_target_property(below ${real} PHASOR_LAYER)
      if(below AND NOT below IN_LIST PHASOR_LAYER_${layer})
        message(FATAL_ERROR "${library} (layer ${layer}) must not depend on ${dep} (layer ${below})")
      endif()
    endforeach()
  endforeach()
endfunction()

# Links LibTorch to targets of engine/ and lets them share its precompiled header.
function(phasor_use_torch)
  foreach(target IN LISTS ARGN)
    target_link_libraries(${target} PUBLIC LibTorch::LibTorch)
    # An executable is compiled with -fPIE, which does not fit the header compiled with -fPIC.
    target_compile_options(${target} PRIVATE -fPIC)
    target_precompile_headers(${target} REUSE_FROM phasor_engine_pch)
  endforeach()
endfunction()

# Lets targets that link phasor::proto share gRPC's precompiled header. Executables take -fPIC for
# the same reason as above.
function(phasor_use_grpc)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE -fPIC)
    target_precompile_headers(${target} REUSE_FROM phasor_grpc_pch)
  endforeach()
endfunction()
