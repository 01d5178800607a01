# phasor_rooms(FOLDER services/gateway ROOMS upkeep flow watch grpc GROUND config secret): the rooms of a
# folder, lowest first. A source of a room may include its own room, those that stand before it, and of
# the folder's own files only those of GROUND; a source of GROUND includes no room. Anything else
# fails at configure time. Tests and what only tests include (*_test.*, testing/) may include all.
function(phasor_rooms)
  cmake_parse_arguments(ARG "" "FOLDER" "ROOMS;GROUND" ${ARGN})
  set(below)
  foreach(name IN LISTS ARG_GROUND)
    phasor_check_edges(${ARG_FOLDER} "${ARG_FOLDER}/${name}.h;${ARG_FOLDER}/${name}.cc" "" "${ARG_GROUND}")
  endforeach()
  foreach(room IN LISTS ARG_ROOMS)
    list(APPEND below ${room})
    file(GLOB sources RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/${ARG_FOLDER}/${room}/*.h
         ${CMAKE_SOURCE_DIR}/${ARG_FOLDER}/${room}/*.cc)
    list(FILTER sources EXCLUDE REGEX "_test\\.(h|cc)$")
    phasor_check_edges(${ARG_FOLDER} "${sources}" "${below}" "${ARG_GROUND}")
  endforeach()
endfunction()

# Fails if one of `sources` includes a file of `folder` that is neither in a room of `rooms` nor one of
# `ground`. CMake configures again when one of them changes.
function(phasor_check_edges folder sources rooms ground)
  foreach(source IN LISTS sources)
    if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${source})
      continue()
    endif()
    file(STRINGS ${CMAKE_SOURCE_DIR}/${source} lines REGEX "^#include \"${folder}/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"${folder}/([^\"]+)\\.h\".*" "\\1" included "${line}")
      if(included MATCHES "^([^/]+)/")
        set(allowed "${rooms}")
        set(wanted ${CMAKE_MATCH_1})
      else()
        set(allowed "${ground}")
        set(wanted ${included})
      endif()
      if(NOT wanted IN_LIST allowed)
        message(FATAL_ERROR "${source} must not include ${folder}/${included}.h: "
                            "the order of the rooms is in ${folder}/CMakeLists.txt")
      endif()
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${source})
  endforeach()
endfunction()
