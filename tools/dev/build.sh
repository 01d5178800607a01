# shellcheck shell=bash
# Setting up, configuring, compiling and testing.

# Installs what preset $1 needs and the machine lacks; says everything first.
setup_all() {
  local torch=yes
  case "${1:-default}" in
    services-only | asan | tsan) torch= ;;
  esac
  if [[ -n "$torch" ]]; then libtorch_announce; fi
  packages_setup "$PHASOR_ROOT/tools/dev/packages.txt"
  if [[ -n "$torch" ]]; then libtorch_setup; fi
  if [[ "${1:-}" == cuda ]]; then
    cuda_announce
    cuda_setup
  fi
}

# Compile jobs that fit: one per core, and 2 GB of free memory for each.
build_jobs() {
  if [[ -n "${PHASOR_JOBS:-}" ]]; then
    echo "$PHASOR_JOBS"
    return
  fi
  local cores memory
  cores="$(nproc)"
  memory="$(awk '/^MemAvailable:/ {print int($2 / 2097152)}' /proc/meminfo)"
  echo "$((memory < 1 ? 1 : memory < cores ? memory : cores))"
}

# The binary directory of preset $1.
build_dir() {
  case "$1" in
    default) echo build ;;
    cuda) echo build-cuda ;;
    engine-only) echo build-engine ;;
    services-only) echo build-services ;;
    asan | tsan) echo "build-$1" ;;
    *) die "unknown preset '$1' (default, cuda, engine-only, services-only, asan, tsan)" 2 ;;
  esac
}

# Builds preset $1: the targets that follow it, or all.
build_preset() {
  local preset="$1" dir
  shift
  dir="$(build_dir "$preset")"
  setup_all "$preset"
  # Ninja configures again by itself when a CMake file changes.
  if [[ ! -f "$dir/build.ninja" ]]; then
    say "configuring $dir"
    mkdir -p "$dir"
    cmake --preset "$preset" > "$dir/configure.log" 2>&1 || {
      rm -f "$dir/build.ninja"
      tail -n 40 "$dir/configure.log" >&2
      die "configuring failed; all of it: $dir/configure.log"
    }
  fi
  say "building $dir"
  ninja -C "$dir" -j "$(build_jobs)" "$@" || die "the build failed"
}

test_all() {
  local failed=0
  build_preset default
  s3_server_setup
  ctest --test-dir build --output-on-failure -j "$(nproc)" "$@" || failed=$?
  test_tell_not_run build
  return "$failed"
}

# Says how many tests of the build in $1 were not run for want of a card, and why.
test_tell_not_run() {
  local count missing
  count="$(ctest --test-dir "$1" -N -L '^gpu$' | grep -c ': gpu_' || true)"
  ((count > 0)) || return 0
  missing="$(gpu_missing)"
  say "not run: $count tests that need a card (ctest -N -L gpu lists them):" \
    "${missing:-this machine has one, ./dev gpu runs them}"
}

build_clean() {
  rm -rf build build-cuda build-engine build-services build-asan build-tsan
}
