# shellcheck shell=bash
# LibTorch out of the PyPI wheel, in a virtual environment of its own that nothing else uses.

readonly LIBTORCH_VERSION=2.11.0
LIBTORCH_HOME="${PHASOR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/phasor}/libtorch-$LIBTORCH_VERSION"
readonly LIBTORCH_HOME

# True if the environment in $1 holds everything that building and running links.
libtorch_complete() {
  local site
  for site in "$1"/lib/python3*/site-packages; do
    if grep -qs "__version__ = '$LIBTORCH_VERSION" "$site/torch/version.py" &&
      [[ -e "$site/torch/lib/libtorch_cpu.so" && -e "$site/torch/lib/libc10.so" ]] &&
      [[ -e "$site/nvidia/cu13/lib/libcudart.so.13" ]] &&
      [[ -e "$site/nvidia/cu13/lib/libcupti.so.13" ]]; then
      return 0
    fi
  done
  return 1
}

libtorch_announce() {
  if libtorch_complete "$LIBTORCH_HOME"; then return; fi
  say "LibTorch $LIBTORCH_VERSION is missing: 545 MB download, 1.3 GB on disk, in $LIBTORCH_HOME"
}

# Builds the environment beside its place and renames it, so that a broken download never looks
# like a finished one. Renaming breaks the scripts in its bin/, which nobody runs.
libtorch_setup() {
  if libtorch_complete "$LIBTORCH_HOME"; then return; fi
  [[ "$(uname -m)" == x86_64 ]] || die "x86-64 is needed, this machine is $(uname -m)"
  need_disk "$LIBTORCH_HOME" 2200
  say "installing LibTorch $LIBTORCH_VERSION"
  local partial="$LIBTORCH_HOME.partial.$$" python=/usr/bin/python3 quiet=(--quiet)
  if [[ -t 2 ]]; then quiet=(); fi
  mkdir -p "$(dirname "$LIBTORCH_HOME")"
  rm -rf "$LIBTORCH_HOME".partial.*
  "$python" -m venv "$partial" || die "can't make a virtual environment with $python"
  "$partial/bin/python" -m pip install "${quiet[@]}" --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes --only-binary=:all: -r "$PHASOR_ROOT/tools/dev/libtorch.txt" ||
    die "pip could not install LibTorch (what was tried: tools/dev/libtorch.txt)"
  libtorch_complete "$partial" || die "the LibTorch wheel lacks files: $partial"
  rm -rf "$LIBTORCH_HOME"
  mv "$partial" "$LIBTORCH_HOME"
}
