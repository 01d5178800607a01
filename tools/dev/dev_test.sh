#!/usr/bin/env bash
# Tests of ./dev that install and build nothing: package tools are replaced by stubs.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failures=0

# expect NAME EXPECTED ACTUAL
expect() {
  if [[ "$2" == "$3" ]]; then
    echo "ok    $1"
  else
    printf 'FAIL  %s\n  expected: %s\n  actual:   %s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

# part NAMES CODE: runs CODE in a shell that has sourced these parts of ./dev.
part() {
  PHASOR_ROOT="$root" bash -euc "for p in $1; do source '$root/tools/dev/'\$p.sh; done; $2"
}

"$root/dev" nonsense > /dev/null 2>&1
expect "an unknown command exits with 2" 2 $?

"$root/dev" build nonsense > /dev/null 2> "$scratch/err"
expect "an unknown preset exits with 2" 2 $?
expect "an unknown preset is answered with the known ones" \
  "dev: unknown preset 'nonsense' (default, cuda, engine-only, services-only, asan, tsan)" \
  "$(cat "$scratch/err")"

for command in demo test build setup up bench chaos gpu oracle images helm-lint test-deploy lint clean; do
  expect "help names $command" 1 "$("$root/dev" help | grep -cE "^  $command( |$)")"
done

mkdir "$scratch/bin"
cat > "$scratch/bin/dpkg-query" << 'EOF'
#!/bin/sh
# Knows gcc and, as removed with its configuration left, make.
for last; do :; done
case "$last" in
  gcc) printf installed ;;
  make) printf config-files ;;
  *) exit 1 ;;
esac
EOF
chmod +x "$scratch/bin/dpkg-query"
printf '# a comment\ngcc\n\nmake # why\nnano\n' > "$scratch/list"
expect "packages that are absent or only configured are missing" "make nano" \
  "$(PATH="$scratch/bin:$PATH" part "common packages" "packages_missing $scratch/list" | xargs)"

printf '#!/bin/sh\n' > "$scratch/bin/ldconfig"
chmod +x "$scratch/bin/ldconfig"
printf '#!/bin/sh\necho "  Test #7: gpu_a"\necho "  Test #8: gpu_b"\n' > "$scratch/bin/ctest"
chmod +x "$scratch/bin/ctest"
expect "./dev test says how many tests were not run, and why" \
  "==> not run: 2 tests that need a card (ctest -N -L gpu lists them): no NVIDIA driver on this machine (libcuda.so.1), so nothing can run on a card here" \
  "$(PATH="$scratch/bin:$PATH" part "common build gpu" "test_tell_not_run build" 2>&1)"
rm "$scratch/bin/ctest"
message="$(PATH="$scratch/bin:$PATH" part "common gpu" gpu_run 2>&1)"
expect "without a driver ./dev gpu stops" 1 $?
expect "without a driver ./dev gpu says so" 1 \
  "$(grep -c "^dev: no NVIDIA driver on this machine (libcuda.so.1)" <<< "$message")"
rm "$scratch/bin/ldconfig"

message="$(PATH="$scratch/bin:$PATH" part "common packages" \
  "packages_can_install() { false; }; packages_setup $scratch/list" 2>&1)"
expect "without root the script stops" 1 $?
expect "without root the script gives the command" \
  "  apt-get update && apt-get install -y --no-install-recommends make nano" \
  "$(grep apt-get <<< "$message")"

expect "PHASOR_JOBS decides the number of jobs" 7 \
  "$(PHASOR_JOBS=7 part "common build" build_jobs)"
expect "images need an engine, and say which" \
  "dev: no-such-engine is missing; DOCKER names another program, e.g. DOCKER=podman" \
  "$(DOCKER=no-such-engine part "common python deploy" deploy_images 2>&1)"
expect "HELM decides which helm runs" /opt/helm \
  "$(HELM=/opt/helm part "common python deploy" deploy_helm)"
make_targets="$(sed -n 's/^\.PHONY: //p' "$root/Makefile")"
for target in $make_targets; do
  expect "make $target is one line into ./dev" "./dev $target" "$(make -n -C "$root" --no-print-directory "$target")"
done

jobs="$(part "common build" build_jobs)"
expect "there is at least one job" 1 "$((jobs >= 1))"

part common "need_disk '$scratch/not/there' 999999999" > /dev/null 2> "$scratch/err"
expect "a full disk is noticed before anything is written" 1 $?
expect "the message says how much is needed" 1 "$(grep -c '999999999 MB are needed' "$scratch/err")"

PHASOR_CACHE_DIR="$scratch/cache" part "common python" libtorch_complete
expect "an absent LibTorch is not complete" 1 $?

mkdir -p "$scratch/cache/libtorch-2.11.0/lib/python3.11/site-packages/torch/lib"
PHASOR_CACHE_DIR="$scratch/cache" part "common python" libtorch_complete
expect "a broken LibTorch is not complete" 1 $?

mkdir -p "$scratch/cache/s3-server"
server="python_environment() { mkdir -p \"\$1\"; echo installed; }; s3_server_setup 2> /dev/null"
expect "an absent S3 server is installed" installed \
  "$(PHASOR_CACHE_DIR="$scratch/cache" part "common python" "$server")"
expect "one of the same list is not installed again" "" \
  "$(PHASOR_CACHE_DIR="$scratch/cache" part "common python" "$server")"
echo outdated > "$scratch/cache/s3-server/installed.txt"
expect "one of another list is" installed \
  "$(PHASOR_CACHE_DIR="$scratch/cache" part "common python" "$server")"

echo "$failures failed"
((failures == 0))
