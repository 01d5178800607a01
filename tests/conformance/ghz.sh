#!/usr/bin/env bash
# Load by a client that nobody here wrote: ghz holds 200 concurrent Submit calls; any error fails.
#   tests/conformance/ghz.sh ADDRESS [TOTAL [CONCURRENCY]]
# Leaves TOTAL jobs in the queue. Needs ghz on the path:
#   go install github.com/bojand/ghz/cmd/ghz@latest
set -euo pipefail

address="${1:?usage: ghz.sh ADDRESS [TOTAL [CONCURRENCY]]}"
total="${2:-5000}"
concurrency="${3:-200}"
# ghz spells a unix socket as gRPC's Go resolver does.
[[ "$address" == unix:/* ]] && address="unix://${address#unix:}"

report="$(ghz --insecure --call phasor.v1.Images/Submit --total "$total" \
  --concurrency "$concurrency" --connections 10 --timeout 30s \
  --data '{"request": {"prompt": "a red circle", "steps": 4}}' "$address")"
echo "$report"
if ! grep -q "\[OK\] *$total responses" <<<"$report"; then
  echo "not all $total calls were answered OK"
  exit 1
fi
