#!/usr/bin/env bash
# Load by a client that nobody here wrote: ghz holds 200 concurrent Submit calls; any error fails.
#   tests/conformance/ghz.sh ADDRESS [TOTAL [CONCURRENCY]]
# Leaves TOTAL jobs in the queue. Needs ghz on the path:
#   go install github.com/bojand/ghz/cmd/ghz@latest
# PHASOR_KEY_FILE names the file with a key, where the fleet asks for one.
set -euo pipefail

address="${1:?usage: ghz.sh ADDRESS [TOTAL [CONCURRENCY]]}"
total="${2:-5000}"
concurrency="${3:-200}"
# ghz spells a unix socket as gRPC's Go resolver does.
[[ "$address" == unix:/* ]] && address="unix://${address#unix:}"

# ghz would learn the services by reflection, which is for operators.
credential=()
if [[ -n "${PHASOR_KEY_FILE:-}" ]]; then
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  printf '{"authorization": "Bearer %s"}' "$(<"$PHASOR_KEY_FILE")" >"$work/metadata.json"
  proto="$(cd "$(dirname "$0")/../../proto" && pwd)"
  protoc -I "$proto" --include_imports --descriptor_set_out="$work/images.protoset" \
    "$proto/phasor/v1/images.proto"
  credential=(--metadata-file "$work/metadata.json" --protoset "$work/images.protoset")
fi

report="$(ghz --insecure "${credential[@]}" --call phasor.v1.Images/Submit --total "$total" \
  --concurrency "$concurrency" --connections 10 --timeout 30s \
  --data '{"request": {"prompt": "a red circle", "steps": 4}}' "$address")"
echo "$report"
if ! grep -q "\[OK\] *$total responses" <<<"$report"; then
  echo "not all $total calls were answered OK"
  exit 1
fi
