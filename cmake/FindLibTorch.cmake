# LibTorch from the PyPI wheel, CPU side: torch_cpu and c10 only. TorchConfig.cmake of a CUDA
# wheel demands a CUDA toolkit, which neither building nor running on the CPU needs.
#
# Input:  PHASOR_LIBTORCH_DIR, the wheel's `torch` folder (holds include/ and lib/). Without it
#         the environment that ./dev makes is searched.
# Output: target LibTorch::LibTorch, variable LibTorch_VERSION.

set(_cache_root "$ENV{PHASOR_CACHE_DIR}")
if(NOT _cache_root)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(_cache_root "$ENV{XDG_CACHE_HOME}/phasor")
  else()
    set(_cache_root "$ENV{HOME}/.cache/phasor")
  endif()
endif()
if(NOT PHASOR_LIBTORCH_DIR)
  file(GLOB _candidates "${_cache_root}/libtorch-2.11.0/lib/python3*/site-packages/torch")
  list(LENGTH _candidates _count)
  if(_count GREATER 0)
    list(GET _candidates 0 PHASOR_LIBTORCH_DIR)
  endif()
  set(PHASOR_LIBTORCH_DIR "${PHASOR_LIBTORCH_DIR}" CACHE PATH "The torch folder of the wheel" FORCE)
endif()

find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS ${PHASOR_LIBTORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 HINTS ${PHASOR_LIBTORCH_DIR}/lib NO_DEFAULT_PATH)
find_path(LibTorch_INCLUDE_DIR ATen/ATen.h HINTS ${PHASOR_LIBTORCH_DIR}/include NO_DEFAULT_PATH)
if(LibTorch_INCLUDE_DIR AND EXISTS ${PHASOR_LIBTORCH_DIR}/version.py)
  file(STRINGS ${PHASOR_LIBTORCH_DIR}/version.py _line REGEX "^__version__")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LibTorch_VERSION "${_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Run ./dev setup, or set PHASOR_LIBTORCH_DIR to the torch folder of the wheel torch==2.11.0")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  # The wheel ships old protobuf and fmt headers: searched last, they never hide the system's.
  target_compile_options(LibTorch::LibTorch INTERFACE
    "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}" -DAT_PER_OPERATOR_HEADERS)
  target_link_libraries(LibTorch::LibTorch INTERFACE ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,-rpath,${PHASOR_LIBTORCH_DIR}/lib)
endif()
