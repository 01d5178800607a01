# shellcheck shell=bash
# Running what was built: a fleet until Ctrl-C, and the demo.

readonly DEMO_MODEL=phasor-demo
readonly DEMO_SHEET=(
  "a red circle on a blue background"
  "a large yellow star on a purple background"
  "two green squares on white"
  "a white heart above a pink ring on black"
  "an orange triangle and a blue diamond on grey"
  "a small black cross at the top, yellow background"
  "three purple circles on green"
  "a pink heart on the left on a white background"
  "a large green ring on orange"
)

FLEET_PID=
FLEET_DIR=

# The programs of a fleet alone: tests and benchmarks are half of a cold build.
fleet_build() {
  build_preset default phasor phasor-gateway phasor-worker
}

fleet_up() {
  fleet_build
  exec build/bin/phasor up "$@"
}

# Starts a private fleet with two workers; sets FLEET_PID and FLEET_DIR. The directory is short
# because it holds the unix sockets, whose paths are limited to 107 bytes.
fleet_start() {
  FLEET_DIR="$(mktemp -d /tmp/phasor-demo.XXXXXX)"
  say "starting a private fleet in $FLEET_DIR: redis-server, a gateway, two workers"
  trap fleet_stop EXIT
  trap 'exit 130' INT TERM HUP
  # A session of its own: Ctrl-C reaches this script alone, which then asks the fleet once. A
  # second request would end it at once.
  : > "$FLEET_DIR/up.log"
  setsid build/bin/phasor up --dir "$FLEET_DIR" --workers 2 --models models \
    --listen "unix:$FLEET_DIR/gateway.sock" > "$FLEET_DIR/up.log" 2>&1 &
  FLEET_PID=$!
  local waited
  for ((waited = 0; waited < 600; waited++)); do
    if grep -q '^ready' "$FLEET_DIR/up.log"; then return; fi
    kill -0 "$FLEET_PID" 2> /dev/null || break
    sleep 0.1
  done
  tail -n 20 "$FLEET_DIR/up.log" >&2
  die "the fleet did not start"
}

# Asks the fleet to stop in order and waits; keeps its directory if something went wrong.
fleet_stop() {
  local code=$?
  trap '' INT TERM HUP
  trap - EXIT
  if [[ -n "$FLEET_PID" ]] && kill -0 "$FLEET_PID" 2> /dev/null; then
    say "stopping the fleet"
    kill -TERM "$FLEET_PID"
    wait "$FLEET_PID" || say "the fleet ended with exit code $?"
  fi
  if ((code == 0 || code == 130)); then
    rm -rf "$FLEET_DIR"
  else
    say "the fleet's logs are kept in $FLEET_DIR"
  fi
  exit "$code"
}

# A file name out of a prompt: "a red circle" -> a-red-circle.
fleet_slug() {
  local slug
  slug="$(tr '[:upper:]' '[:lower:]' <<< "$1" | tr -cs 'a-z0-9' '-' | cut -c 1-60)"
  slug="${slug#-}"
  slug="${slug%-}"
  echo "${slug:-demo}"
}

fleet_demo() {
  fleet_build
  mkdir -p out
  fleet_start
  local address="unix:$FLEET_DIR/gateway.sock" output
  if (($# > 0)); then
    output="out/$(fleet_slug "$*").png"
    build/bin/phasor generate --address "$address" --model "$DEMO_MODEL" --output "$output" -- "$*"
  else
    output=out/sheet.png
    printf '%s\n' "${DEMO_SHEET[@]}" > "$FLEET_DIR/prompts.txt"
    build/bin/phasor generate --address "$address" --model "$DEMO_MODEL" --seed 1 \
      --prompts-file "$FLEET_DIR/prompts.txt" --sheet "$output"
  fi
  say "the picture is $PHASOR_ROOT/$output"
}
