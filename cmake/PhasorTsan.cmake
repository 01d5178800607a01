# What the thread sanitizer is told about libraries that are not instrumented; included for
# PHASOR_SANITIZE=thread. The tsan_*.cc beside this file say why and how.
#
# Adds to phasor_sanitize, so that every program and test has it.

include(CheckCXXSourceCompiles)
find_package(absl REQUIRED)

# Sets `result` to the symbols of `library` that tsan_<source>.cc names. Stops where the library lacks
# one: it would go untold, and each access that it orders be a false race.
function(phasor_tsan_symbols source library result)
  file(READ ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/tsan_${source}.cc text)
  string(REGEX REPLACE "\"\n *\"" "" text "${text}")
  string(REGEX MATCHALL "\"(_Z|grpc_)[A-Za-z0-9_]+\"" quoted "${text}")
  string(REPLACE "\"" "" symbols "${quoted}")
  foreach(symbol IN LISTS symbols)
    string(APPEND declarations "extern \"C\" void ${symbol}();\n")
    string(APPEND calls "  ${symbol}();\n")
  endforeach()
  set(CMAKE_REQUIRED_LIBRARIES ${library})
  check_cxx_source_compiles("${declarations}int main() {\n${calls}}" PHASOR_TSAN_KNOWS_${source})
  if(NOT PHASOR_TSAN_KNOWS_${source})
    unset(PHASOR_TSAN_KNOWS_${source} CACHE)
    message(FATAL_ERROR "The thread sanitizer has to be told what ${library} orders, and "
            "cmake/tsan_${source}.cc knows the symbols of Debian 12 alone (abseil 20220623, gRPC "
            "1.51). The tsan preset does not work here.")
  endif()
  set(${result} "${symbols}" PARENT_SCOPE)
endfunction()

set(sources tsan_absl.cc tsan_status.cc tsan_suppressions.cc)
phasor_tsan_symbols(status absl::status ignored)
phasor_tsan_symbols(absl absl::synchronization wrapped)
foreach(symbol IN LISTS wrapped)
  target_link_options(phasor_sanitize INTERFACE -Wl,--wrap=${symbol})
endforeach()
if(PHASOR_SERVICES)
  find_package(Protobuf REQUIRED)
  find_package(gRPC CONFIG REQUIRED)
  phasor_tsan_symbols(grpc gRPC::grpc++ ignored)
  list(APPEND sources tsan_grpc.cc)
endif()

# All of it, since nothing but libraries refers to parts of it.
list(TRANSFORM sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(phasor_tsan STATIC ${sources})
target_include_directories(phasor_tsan PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(phasor_tsan PUBLIC absl::synchronization PRIVATE ${CMAKE_DL_LIBS}
                      phasor_warnings)
target_link_libraries(phasor_sanitize INTERFACE phasor_tsan)
target_link_options(phasor_sanitize INTERFACE
  -Wl,--whole-archive,$<TARGET_FILE:phasor_tsan>,--no-whole-archive
  -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/tsan_exports.map)
