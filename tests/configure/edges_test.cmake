# Configures small projects with cmake/PhasorTargets.cmake and cmake/PhasorRooms.cmake: those whose
# edges point downwards have to configure, the others have to fail with the edge in the message.
cmake_minimum_required(VERSION 3.22)

# Configures a project of `body`; `wanted` is part of the complaint, empty: there is to be none.
function(expect name wanted body)
  file(WRITE ${WORK}/CMakeLists.txt
       "cmake_minimum_required(VERSION 3.22)\nproject(edges LANGUAGES NONE)\n"
       "list(APPEND CMAKE_MODULE_PATH ${SOURCE}/cmake)\ninclude(PhasorTargets)\ninclude(PhasorRooms)\n"
       "${body}\n")
  file(REMOVE_RECURSE ${WORK}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK} -B ${WORK}/build RESULT_VARIABLE code
                  OUTPUT_QUIET ERROR_VARIABLE complaint)
  string(REGEX REPLACE "[ \n]+" " " complaint "${complaint}")
  if(wanted STREQUAL "" AND NOT code EQUAL 0)
    message(SEND_ERROR "${name}: does not configure: ${complaint}")
  elseif(NOT wanted STREQUAL "" AND code EQUAL 0)
    message(SEND_ERROR "${name}: configures")
  elseif(NOT wanted STREQUAL "")
    string(FIND "${complaint}" "${wanted}" found)
    if(found EQUAL -1)
      message(SEND_ERROR "${name}: '${wanted}' is not in: ${complaint}")
    endif()
  endif()
endfunction()

# A source of the folder `house` with these includes of it.
function(source path)
  set(text "")
  foreach(included IN LISTS ARGN)
    string(APPEND text "#include \"house/${included}\"\n")
  endforeach()
  file(WRITE ${WORK}/house/${path} "${text}")
endfunction()

file(REMOVE_RECURSE ${WORK})
set(rooms "phasor_rooms(FOLDER house ROOMS cellar attic GROUND floor)")
source(floor.h)
source(cellar/wine.h floor.h)
source(attic/box.h cellar/wine.h attic/box_lid.h floor.h)
source(attic/box_lid.h)
source(cellar/wine_test.cc attic/box.h roof.h)
source(roof.h attic/box.h cellar/wine.h)
expect("rooms in order" "" "${rooms}")

source(cellar/wine.cc attic/box.h)
expect("a room that includes a higher one" "house/cellar/wine.cc must not include house/attic/box.h"
       "${rooms}")
source(cellar/wine.cc roof.h)
expect("a room that includes the top" "house/cellar/wine.cc must not include house/roof.h" "${rooms}")
source(cellar/wine.cc)
source(floor.h cellar/wine.h)
expect("ground that includes a room" "house/floor.h must not include house/cellar/wine.h" "${rooms}")

set(libraries "phasor_cc_library(NAME a LAYER base)\n")
expect("layers in order" ""
       "${libraries}phasor_cc_library(NAME b LAYER services DEPS phasor::a)\nphasor_check_layers()")
expect("a layer that uses a higher one" "phasor_c (layer job) must not depend on phasor::b"
       "${libraries}phasor_cc_library(NAME b LAYER services)
        phasor_cc_library(NAME c LAYER job DEPS phasor::a phasor::b)\nphasor_check_layers()")
