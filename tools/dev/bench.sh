# shellcheck shell=bash
# Side-by-side benchmarks: each prints both sides measured in one run.

readonly BENCH_MODEL="$PHASOR_CACHE/random-sd15"

bench_run() {
  local name="${1:-}"
  shift || true
  case "$name" in
    engine) bench_engine "$@" ;;
    *) die "./dev bench: say which: engine" 2 ;;
  esac
}

# bench_engine [demo|sd15]...: phasor-render and diffusers on the same weights.
bench_engine() {
  local cases=("$@") models=() name
  if ((${#cases[@]} == 0)); then cases=(demo sd15); fi
  build_preset default
  oracle_setup
  for name in "${cases[@]}"; do
    case "$name" in
      demo) models+=(--model "demo=models/phasor-demo") ;;
      sd15)
        if [[ ! -d "$BENCH_MODEL" ]]; then
          say "writing random weights of SD 1.5's size (2.1 GB) to $BENCH_MODEL"
          "$ORACLE_HOME/bin/python" tools/oracle/random_model.py "$BENCH_MODEL.partial"
          mv "$BENCH_MODEL.partial" "$BENCH_MODEL"
        fi
        models+=(--model "sd15=$BENCH_MODEL")
        ;;
      *) die "./dev bench engine: unknown case '$name' (demo, sd15)" 2 ;;
    esac
  done
  "$ORACLE_HOME/bin/python" bench/engine/compare.py --render build/bin/phasor-render \
    --python "$ORACLE_HOME/bin/python" --reference tools/oracle/reference_run.py "${models[@]}"
}
