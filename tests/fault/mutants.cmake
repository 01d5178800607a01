# Gateway and worker with mutants of the queue's scripts in them. Their symbols come first, so the
# linker leaves those of the library alone.
set(scripts ${CMAKE_BINARY_DIR}/common/queue/redis/scripts.cc)
add_custom_command(
  OUTPUT mutant_scripts.cc
  COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/mutate_scripts.py ${scripts}
          mutant_scripts.cc
  DEPENDS mutate_scripts.py phasor_common_queue_redis ${scripts}
  VERBATIM)
foreach(service gateway worker)
  get_target_property(sources phasor-${service} SOURCES)
  get_target_property(libraries phasor-${service} LINK_LIBRARIES)
  list(FILTER sources INCLUDE REGEX "[.]cc$")
  list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/services/${service}/)
  add_executable(phasor-${service}-mutant ${sources} ${CMAKE_CURRENT_BINARY_DIR}/mutant_scripts.cc)
  target_include_directories(phasor-${service}-mutant PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(phasor-${service}-mutant PRIVATE ${libraries})
endforeach()
