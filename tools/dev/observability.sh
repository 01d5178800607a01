# shellcheck shell=bash
# The part of ./dev test-deploy that is about metrics, rules, alerts and dashboards.

# What promtool says of the rules, and a real Prometheus on a running fleet.
observability_test() {
  packages_setup "$PHASOR_ROOT/tools/dev/packages-observability.txt"
  fleet_build
  say "rules and their tests"
  promtool check config deploy/prometheus/prometheus.yml || die "the configuration is wrong"
  promtool test rules deploy/prometheus/tests/*_test.yml || die "a test of the rules failed"
  say "a Prometheus on a running fleet"
  PHASOR_SOURCE_DIR="$PHASOR_ROOT" PHASOR_BIN_DIR="$PHASOR_ROOT/build/bin" \
    PYTHONPATH="$PHASOR_ROOT/tests/lib:$PHASOR_ROOT/tests/e2e" \
    python3 -B tests/deploy/prometheus_test.py || die "the metrics of a running fleet are wrong"
}
