# Compiler settings as INTERFACE targets, so that no flag is global by accident.

find_program(PHASOR_CCACHE ccache)
if(PHASOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # pch_defines and time_macros let ccache serve files that use a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${PHASOR_CCACHE})
endif()

find_program(PHASOR_MOLD mold)
if(PHASOR_MOLD AND NOT PHASOR_SANITIZE)
  add_link_options(-fuse-ld=mold)
endif()

add_library(phasor_warnings INTERFACE)
target_compile_options(phasor_warnings INTERFACE -Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports std::string assignments falsely (GCC bug 105329).
  target_compile_options(phasor_warnings INTERFACE -Wno-restrict)
  if(PHASOR_SANITIZE)
    # What sanitizers put in between makes it see paths that are not there.
    target_compile_options(phasor_warnings INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds
                           -Wno-stringop-overflow)
  endif()
endif()

add_library(phasor_sanitize INTERFACE)
set(PHASOR_PATIENCE 1)  # times the limit of a test's time: what sanitizers slow programs down by
if(PHASOR_SANITIZE)
  set(PHASOR_PATIENCE 5)
  list(JOIN PHASOR_SANITIZE "," _phasor_sanitize)
  target_compile_options(phasor_sanitize INTERFACE -fsanitize=${_phasor_sanitize}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(phasor_sanitize INTERFACE -fsanitize=${_phasor_sanitize})
endif()

if(PHASOR_SANITIZE MATCHES "thread")
  include(PhasorTsan)
endif()
