# shellcheck shell=bash
# Side-by-side benchmarks: each prints both sides measured in one run. ARGS go to the benchmark.

bench_run() {
  local name="${1:-}"
  shift || true
  case "$name" in
    engine) bench_engine "$@" ;;
    fleet) bench_fleet "$@" ;;
    gateway) bench_gateway "$@" ;;
    memory) bench_memory "$@" ;;
    queue) bench_queue "$@" ;;
    sharing) bench_sharing "$@" ;;
    upkeep) bench_upkeep "$@" ;;
    *) die "usage: ./dev bench engine|fleet|gateway|memory|queue|sharing|upkeep [ARGS]" 2 ;;
  esac
}

# Sets random_model to a folder with random weights in SD 1.5's shape, made at its first use.
bench_random_model() {
  oracle_setup
  random_model="$PHASOR_CACHE/models/random-sd15"
  if [[ -d "$random_model" ]]; then return; fi
  need_disk "$PHASOR_CACHE" 5000
  say "making a random-weight model of SD 1.5's size in $random_model (2.1 GB)"
  rm -rf "$random_model.partial"
  mkdir -p "$PHASOR_CACHE/models"
  "$ORACLE_HOME/bin/python" tools/oracle/random_model.py "$random_model.partial"
  mv "$random_model.partial" "$random_model"
}

# Predicted and counted peaks over models, pictures, strategies and budgets. With --quick: the demo
# model alone, which needs no download.
bench_memory() {
  build_preset default phasor-render
  python3 bench/memory/grid.py --render build/bin/phasor-render --sizes 64,128,256 \
    --model demo=models/phasor-demo
  if [[ "${1:-}" == --quick ]]; then return; fi
  bench_random_model
  python3 bench/memory/grid.py --render build/bin/phasor-render --sizes 256,512,768 \
    --model "sd15=$random_model" "$@"
}

# Two models that alternate on a card that holds one: jobs alone and in groups.
bench_sharing() {
  build_preset default phasor phasor-gateway phasor-worker
  python3 bench/memory/sharing.py --bin build/bin --model models/phasor-demo "$@"
}

# Against diffusers, with the demo model and with random weights in SD 1.5's shape.
bench_engine() {
  build_preset default
  bench_random_model
  "$ORACLE_HOME/bin/python" bench/engine/compare.py --render build/bin/phasor-render \
    --python "$ORACLE_HOME/bin/python" --reference tools/oracle/reference_run.py \
    --model demo=models/phasor-demo --model "sd15=$random_model" "$@"
}

# Builds the targets "$@" and sets bench_bin to where they are: in the default build if there is one,
# else in one without LibTorch, which these benchmarks do not need.
bench_build() {
  local preset=services-only
  if [[ -f "$(build_dir default)/build.ninja" ]]; then preset=default; fi
  build_preset "$preset" "$@"
  bench_bin="$(build_dir "$preset")/bin"
}

# Against an empty gRPC echo server.
bench_gateway() {
  bench_build phasor phasor-gateway phasor-bench-gateway phasor-bench-echo
  bench/gateway/run.sh "$bench_bin" "$@"
}

# What a week of jobs costs Redis. `--side NAME=DIR` adds a column for the programs of another version.
bench_upkeep() {
  bench_build phasor phasor-gateway phasor-bench-upkeep
  python3 bench/upkeep/measure.py "$@" --side "this version=$bench_bin"
}

# Thousands of simulated workers on one Redis.
bench_fleet() {
  bench_build phasor-bench-fleet
  python3 bench/fleet_sim/measure.py --bin "$bench_bin" "$@"
}

# Against asynq (Go) and BullMQ (Node), whose packages land in the cache directory. `--sides A,B`
# sets up and measures only those.
bench_queue() {
  local sides=phasor,asynq,bullmq home="$PHASOR_CACHE/bench-queue" previous='' argument
  for argument in "$@"; do
    if [[ "$previous" == --sides ]]; then sides="$argument"; fi
    if [[ "$argument" == --sides=* ]]; then sides="${argument#--sides=}"; fi
    previous="$argument"
  done
  if [[ ",$sides," == *,asynq,* ]]; then bench_asynq "$home"; fi
  if [[ ",$sides," == *,bullmq,* ]]; then bench_bullmq "$home/bullmq"; fi
  bench_build phasor-bench-queue
  python3 bench/queue/compare.py --phasor "$bench_bin/phasor-bench-queue" --asynq "$home/asynq" \
    --bullmq "$home/bullmq" "$@"
}

# Builds bench/queue/asynq into directory $1.
bench_asynq() {
  local minor
  minor="$(go env GOVERSION 2> /dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')"
  # From 1.21 on Go fetches by itself the version that go.mod asks for.
  if ((${minor:-0} < 21)); then
    die "asynq's side needs Go 1.21 or newer in the PATH; found: $(go version 2> /dev/null || echo none).
Debian 12's golang-go is older: take it from bookworm-backports or https://go.dev/dl,
or leave this side out: ./dev bench queue --sides phasor,bullmq"
  fi
  say "building asynq's side in $1"
  mkdir -p "$1"
  (cd bench/queue/asynq && GOPATH="$1/go" GOFLAGS="-mod=readonly -modcacherw -buildvcs=false" \
    go build -o "$1/asynq" .) || die "building bench/queue/asynq failed"
}

# Installs bench/queue/bullmq with its packages, as the lock file has them, into directory $1.
bench_bullmq() {
  local missing=()
  have node || missing+=(nodejs)
  have npm || missing+=(npm)
  if ((${#missing[@]} > 0)); then
    packages_can_install ||
      die "BullMQ's side needs Node 18 or newer; missing: ${missing[*]}. Install them,
or leave this side out: ./dev bench queue --sides phasor,asynq"
    packages_install "${missing[@]}"
  fi
  local major
  major="$(node --version | sed 's/^v\([0-9]*\).*/\1/')"
  ((major >= 18)) || die "BullMQ's side needs Node 18 or newer, found $(node --version)"
  mkdir -p "$1"
  cp bench/queue/bullmq/main.mjs bench/queue/bullmq/package.json "$1"
  if cmp -s bench/queue/bullmq/package-lock.json "$1/installed-lock.json"; then return; fi
  say "installing BullMQ and what it needs in $1"
  cp bench/queue/bullmq/package-lock.json "$1"
  # Not `npm ci`: it refuses a lock file without the optional packages of other platforms.
  (cd "$1" && npm install --ignore-scripts --no-audit --no-fund > npm.log 2>&1) || {
    tail -n 20 "$1/npm.log" >&2
    die "npm install failed"
  }
  cp bench/queue/bullmq/package-lock.json "$1/installed-lock.json"
}
