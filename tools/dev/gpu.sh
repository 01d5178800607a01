# shellcheck shell=bash
# What needs a card, in one command: docs/gpu.md.

readonly GPU_PROGRAMS=(phasor phasor-gateway phasor-worker phasor-render)
readonly GPU_TESTS=(engine_cuda_plugin_test engine_models_golden_test engine_run_golden_test)
readonly GPU_SHIM=libphasor_card_shim.so # of tests/fault/card.py

# Says in a sentence what is missing for a run on a card, or nothing.
gpu_missing() {
  if ! ldconfig -p 2> /dev/null | grep -q 'libcuda\.so\.1'; then
    echo "no NVIDIA driver on this machine (libcuda.so.1), so nothing can run on a card here"
  elif ! have nvidia-smi; then
    echo "nvidia-smi is missing, which comes with the NVIDIA driver"
  fi
}

# gpu_run [pack FILE | --out DIR ...]: ARGS go to bench/gpu/run.py.
gpu_run() {
  if [[ "${1:-}" == pack ]]; then
    shift
    gpu_pack "$@"
    return
  fi
  local missing programs tests python=()
  missing="$(gpu_missing)"
  [[ -z "$missing" ]] || die "$missing; ./dev gpu pack FILE makes an archive for a machine that has one"
  if [[ -n "${PHASOR_GPU_PROGRAMS:-}" ]]; then
    # Unpacked from an archive: nothing is built or downloaded.
    programs="$PHASOR_GPU_PROGRAMS"
    tests="$PHASOR_GPU_PROGRAMS/../tests"
  else
    build_preset cuda phasor_cuda phasor_card_shim "${GPU_PROGRAMS[@]}" "${GPU_TESTS[@]}"
    programs="$(build_dir cuda)/bin"
    tests="$(build_dir cuda)/tests"
    if [[ -x "$ORACLE_HOME/bin/python" ]]; then python=(--python "$ORACLE_HOME/bin/python"); fi
    if [[ -d "$PHASOR_CACHE/models/random-sd15" ]]; then
      python+=(--model "$PHASOR_CACHE/models/random-sd15")
    fi
  fi
  python3 bench/gpu/run.py --bin "$programs" --tests "$tests" --source . --out gpu-report \
    "${python[@]}" "$@"
}

# Everything that a machine with a driver needs and this one has, in one archive: programs, tests,
# redis-server, the shared libraries of all of them, LibTorch with CUDA's libraries, and the tree.
gpu_pack() {
  local file="${1:-}" stage program site
  [[ -n "$file" ]] || die "usage: ./dev gpu pack FILE.tar" 2
  build_preset cuda phasor_cuda phasor_card_shim "${GPU_PROGRAMS[@]}" "${GPU_TESTS[@]}"
  packages_setup "$PHASOR_ROOT/tools/dev/packages.txt"
  need_disk "$(dirname "$(realpath "$file")")" 9000
  stage="$(mktemp -d "$(dirname "$(realpath "$file")")/phasor-gpu.XXXXXX")"
  say "packing into $file (about 4 GB)"
  mkdir -p "$stage/phasor-gpu"/{bin,tests,lib}
  for program in libphasor_cuda.so "${GPU_PROGRAMS[@]}"; do
    cp build-cuda/bin/"$program" "$stage/phasor-gpu/bin/"
  done
  for program in "$GPU_SHIM" "${GPU_TESTS[@]}"; do cp build-cuda/tests/"$program" "$stage/phasor-gpu/tests/"; done
  cp "$(command -v redis-server)" "$stage/phasor-gpu/bin/"
  gpu_pack_libraries "$stage/phasor-gpu"
  site="$(echo "$LIBTORCH_HOME"/lib/python3*/site-packages)"
  mkdir -p "$stage/phasor-gpu/site/torch"
  cp -a "$site/torch/lib" "$stage/phasor-gpu/site/torch/"
  cp -a "$site/nvidia" "$stage/phasor-gpu/site/"
  rm -rf "$stage/phasor-gpu/site/nvidia"/*/include
  git ls-files -z dev tools bench models tests/golden tests/corpus tests/fault tests/lib CMakeLists.txt |
    tar --null -T - -c | tar -x -C "$stage/phasor-gpu"
  install -m 755 tools/gpu/run "$stage/phasor-gpu/run"
  tar -C "$stage" -cf "$file" phasor-gpu
  rm -rf "$stage"
  say "$file: unpack it there and start phasor-gpu/run"
}

# The system's shared libraries of everything packed into $1, but for those of glibc, which every
# machine has its own of.
gpu_pack_libraries() {
  ldd "$1"/bin/* "$1"/tests/* 2> /dev/null | awk '$2 == "=>" && $3 ~ /^\/(usr\/)?lib/ {print $3}' |
    sort -u | grep -vE '/(libc|libm|libdl|libpthread|librt|ld-linux[^/]*)\.so' |
    xargs -r cp -L -t "$1/lib"
}
