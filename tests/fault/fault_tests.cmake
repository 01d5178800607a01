# Every function fault_<row>_<sentence> of a module is a test, NAME with its ending after it.
function(phasor_fault_tests module ending)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${module}.py)
  file(STRINGS ${module}.py definitions REGEX "^def fault_")
  foreach(definition IN LISTS definitions)
    string(REGEX MATCH "fault_[a-z0-9_]+" name "${definition}")
    add_test(NAME ${name}${ending} COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/run_fault.py ${name})
    set_tests_properties(${name}${ending} PROPERTIES LABELS fault TIMEOUT ${seconds}
                         ENVIRONMENT "${PHASOR_FAULT_ENVIRONMENT};${ARGN}")
  endforeach()
endfunction()
