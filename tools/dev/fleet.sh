# shellcheck shell=bash
# Running the programs that were built.

fleet_up() {
  build_preset default
  exec build/bin/phasor up "$@"
}
