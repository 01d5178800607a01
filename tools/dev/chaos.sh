# shellcheck shell=bash
# The long fault campaign: docs/reliability.md.

chaos_run() {
  build_preset default phasor phasor-gateway phasor-worker
  PHASOR_SOURCE_DIR="$PHASOR_ROOT" PHASOR_BIN_DIR="$PHASOR_ROOT/build/bin" \
    PYTHONPATH="$PHASOR_ROOT/tests/lib" PYTHONDONTWRITEBYTECODE=1 \
    python3 tests/fault/chaos.py "$@"
}
