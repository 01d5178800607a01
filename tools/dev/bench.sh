# shellcheck shell=bash
# Side-by-side benchmarks: each prints both sides measured in one run. ARGS go to the benchmark.

bench_run() {
  local name="${1:-}"
  shift || true
  case "$name" in
    engine) bench_engine "$@" ;;
    gateway) bench_gateway "$@" ;;
    *) die "usage: ./dev bench engine|gateway [ARGS]" 2 ;;
  esac
}

# Against diffusers, with the demo model and with random weights in SD 1.5's shape.
bench_engine() {
  build_preset default
  oracle_setup
  local random="$PHASOR_CACHE/models/random-sd15"
  if [[ ! -d "$random" ]]; then
    need_disk "$PHASOR_CACHE" 5000
    say "making a random-weight model of SD 1.5's size in $random (2.1 GB)"
    rm -rf "$random.partial"
    mkdir -p "$PHASOR_CACHE/models"
    "$ORACLE_HOME/bin/python" tools/oracle/random_model.py "$random.partial"
    mv "$random.partial" "$random"
  fi
  "$ORACLE_HOME/bin/python" bench/engine/compare.py --render build/bin/phasor-render \
    --python "$ORACLE_HOME/bin/python" --reference tools/oracle/reference_run.py \
    --model demo=models/phasor-demo --model "sd15=$random" "$@"
}

# Against an empty gRPC echo server.
bench_gateway() {
  build_preset default
  bench/gateway/run.sh build/bin "$@"
}
