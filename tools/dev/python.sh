# shellcheck shell=bash
# Python environments that nothing else uses: LibTorch, which comes in the PyPI wheel, the oracle
# (diffusers) and an S3 server for tests. What goes into them is pinned by version and hash.

PHASOR_CACHE="${PHASOR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/phasor}"
readonly PHASOR_CACHE
readonly LIBTORCH_VERSION=2.11.0
readonly LIBTORCH_HOME="$PHASOR_CACHE/libtorch-$LIBTORCH_VERSION"
readonly ORACLE_HOME="$PHASOR_CACHE/oracle"
readonly S3_SERVER_HOME="$PHASOR_CACHE/s3-server"
readonly SCHEMAS_HOME="$PHASOR_CACHE/kubernetes-schemas"

# python_environment DIR LIST PIP_OPTIONS...
# Builds the environment beside its place and renames it, so that a broken download never looks
# like a finished one. Renaming breaks the scripts in its bin/; bin/python goes on working.
python_environment() {
  local target="$1" list="$2" quiet=(--quiet)
  shift 2
  [[ "$(uname -m)" == x86_64 ]] || die "x86-64 is needed, this machine is $(uname -m)"
  if [[ -t 2 ]]; then quiet=(); fi
  mkdir -p "$PHASOR_CACHE"
  rm -rf "$target".partial.*
  local partial="$target.partial.$$"
  # The distribution's Python: the hashes are for its version.
  /usr/bin/python3 -m venv "$partial" || die "can't make a virtual environment with /usr/bin/python3"
  "$partial/bin/python" -m pip install "${quiet[@]}" --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary=:all: "$@" -r "$list" || die "pip could not install $list"
  rm -rf "$target"
  mv "$partial" "$target"
}

# True if the environment holds everything that building and running links.
libtorch_complete() {
  local site
  for site in "$LIBTORCH_HOME"/lib/python3*/site-packages; do
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
  if libtorch_complete; then return; fi
  say "LibTorch $LIBTORCH_VERSION is missing: 545 MB download, 1.3 GB on disk, in $LIBTORCH_HOME"
}

libtorch_setup() {
  if libtorch_complete; then return; fi
  need_disk "$PHASOR_CACHE" 2200
  say "installing LibTorch $LIBTORCH_VERSION"
  python_environment "$LIBTORCH_HOME" "$PHASOR_ROOT/tools/dev/libtorch.txt" --no-deps
  libtorch_complete || die "the LibTorch wheel lacks files: $LIBTORCH_HOME"
}

# What LibTorch's CUDA side needs beside LibTorch, in the same environment.
cuda_complete() {
  cmp -s "$PHASOR_ROOT/tools/dev/cuda.txt" "$LIBTORCH_HOME/installed-cuda.txt"
}

cuda_announce() {
  if cuda_complete; then return; fi
  say "CUDA's libraries are missing: 2 GB download, 2.6 GB on disk, in $LIBTORCH_HOME"
}

cuda_setup() {
  if cuda_complete; then return; fi
  need_disk "$LIBTORCH_HOME" 5000
  say "installing CUDA's libraries beside LibTorch"
  "$LIBTORCH_HOME/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes --only-binary=:all: -r "$PHASOR_ROOT/tools/dev/cuda.txt" ||
    die "pip could not install tools/dev/cuda.txt"
  cp "$PHASOR_ROOT/tools/dev/cuda.txt" "$LIBTORCH_HOME/installed-cuda.txt"
}

# diffusers, for golden tensors and side-by-side benchmarks only.
oracle_setup() {
  if [[ -x "$ORACLE_HOME/bin/python" ]]; then return; fi
  need_disk "$PHASOR_CACHE" 9000
  say "installing diffusers, the reference (2.8 GB download, 5 GB on disk), into $ORACLE_HOME"
  python_environment "$ORACLE_HOME" "$PHASOR_ROOT/tools/dev/oracle.txt"
}

# An environment in folder $1 with what list $2 names, which takes $3 MB and is said to be $4. Anew when
# the list has changed.
python_list_setup() {
  local home="$1" list="$2"
  if cmp -s "$list" "$home/installed.txt"; then return; fi
  need_disk "$PHASOR_CACHE" "$3"
  say "installing $4 into $home"
  python_environment "$home" "$list"
  cp "$list" "$home/installed.txt"
}

# moto, the S3 server that the tests of the S3 store start.
s3_server_setup() {
  python_list_setup "$S3_SERVER_HOME" "$PHASOR_ROOT/tools/dev/s3_server.txt" 400 \
    "moto, an S3 server for tests (31 MB download, 140 MB on disk),"
}

# Kubernetes' schemas, for ./dev test-deploy.
schemas_setup() {
  python_list_setup "$SCHEMAS_HOME" "$PHASOR_ROOT/tools/dev/schemas.txt" 600 \
    "Kubernetes' schemas (24 MB download, 144 MB on disk)"
}
