# shellcheck shell=bash
# Side-by-side benchmarks: each prints both sides measured in one run.

bench_run() {
  die "./dev bench: no benchmark is there yet"
}
