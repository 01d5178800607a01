#!/usr/bin/env bash
# A client that nobody here wrote: grpcurl, which learns the services through reflection, lists,
# submits, watches, fetches and is told what is wrong with a bad request.
#   tests/conformance/grpcurl.sh ADDRESS [MODEL]
# PHASOR_KEY_FILE names the file with a key of all roles but work, where the fleet asks for one.
# ADDRESS is host:port or unix:/path of a fleet with a worker. Needs grpcurl on the path:
#   go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest
set -euo pipefail

address="${1:?usage: grpcurl.sh ADDRESS [MODEL]}"
model="${2:-phasor-demo}"
case "$address" in
  unix:*) target=(-unix "${address#unix:}") ;;
  *) target=("$address") ;;
esac
failures=0

# The answer, or the error as text.
# The key stands in the environment, not on a command line.
header=()
if [[ -n "${PHASOR_KEY_FILE:-}" ]]; then
  KEY="$(<"$PHASOR_KEY_FILE")"
  export KEY
  header=(-expand-headers -H "authorization: Bearer \${KEY}")
fi
call() { grpcurl -plaintext "${header[@]}" -max-time 60 "$@" 2>&1 || true; }

check() { # NAME TEXT PATTERN
  if grep -aq -- "$3" <<<"$2"; then
    echo "ok    $1"
  else
    echo "FAIL  $1: no '$3' in: ${2:0:400}"
    failures=$((failures + 1))
  fi
}

for _ in $(seq 50); do  # a worker may be on its way up
  call "${target[@]}" phasor.v1.Admin/Stats | grep -aq '"device"' && break
  sleep 0.2
done

services="$(call "${target[@]}" list)"
for service in Images Models Admin WorkerReport; do
  check "reflection lists phasor.v1.$service" "$services" "phasor.v1.$service"
done
check "reflection lists the health service" "$services" "grpc.health.v1.Health"
check "the health service says SERVING" \
  "$(call "${target[@]}" grpc.health.v1.Health/Check)" '"status": "SERVING"'
check "reflection describes a message" \
  "$(call "${target[@]}" describe phasor.v1.GenerateRequest)" "guidance_scale"
check "Models.List shows $model" \
  "$(call "${target[@]}" phasor.v1.Models/List)" "\"name\": \"$model\""

body="{\"request\": {\"model\": \"$model\", \"prompt\": \"a red circle\", \"steps\": 4, \"seed\": 7}}"
submitted="$(call -d "$body" "${target[@]}" phasor.v1.Images/Submit)"
check "Submit accepts" "$submitted" '"state": "QUEUED"'
job="$(sed -n 's/.*"job_\?[iI]d": "\([^"]*\)".*/\1/p' <<<"$submitted")"
check "Watch follows to the end" \
  "$(call -d "{\"job_id\": \"$job\"}" "${target[@]}" phasor.v1.Images/Watch)" '"state": "DONE"'
fetched="$(call -d "{\"job_id\": \"$job\"}" "${target[@]}" phasor.v1.Images/Get)"
check "Get shows the result" "$fetched" '"sha256"'
result="$(call -d "{\"job_id\": \"$job\"}" "${target[@]}" phasor.v1.Images/GetResult)"
check "GetResult sends a PNG" "$result" '"data": "iVBORw0KGgo'
check "List shows the job" "$(call "${target[@]}" phasor.v1.Images/List)" "$job"
check "Generate streams to the picture" \
  "$(call -d "$body" "${target[@]}" phasor.v1.Images/Generate)" '"data": "iVBORw0KGgo'
check "Admin.Stats shows the workers" "$(call "${target[@]}" phasor.v1.Admin/Stats)" '"device"'

wrong() { # NAME JSON FIELD
  check "$1" "$(call -d "{\"request\": $2}" "${target[@]}" phasor.v1.Images/Submit)" \
    "\"field\":\"$3\"\|\"field\": \"$3\""
}
wrong "width 7 is refused" '{"width": 7}' width
wrong "steps 0 is refused" '{"steps": 0}' steps
wrong "steps 100000 is refused" '{"steps": 100000}' steps
wrong "an unknown model is refused" '{"model": "nope"}' model
wrong "an unknown scheduler is refused" '{"scheduler": "magic"}' scheduler
wrong "an unknown priority is refused" '{"priority": 99}' priority
wrong "a negative seed is refused" '{"seed": -1}' seed
wrong "guidance NaN is refused" '{"guidance_scale": "NaN"}' guidance_scale

batch="{\"requests\": [{\"prompt\": \"one\", \"steps\": 4}, {\"width\": 7}]}"
batched="$(call -d "$batch" "${target[@]}" phasor.v1.Images/BatchSubmit)"
check "BatchSubmit accepts what is right" "$batched" '"accepted"'
check "BatchSubmit refuses the rest alone" "$batched" '"code": "INVALID_ARGUMENT"'
check "an empty batch names its field" \
  "$(call -d '{}' "${target[@]}" phasor.v1.Images/BatchSubmit)" '"field":"requests"\|"field": "requests"'

admin() { # METHOD JSON
  call -d "$2" "${target[@]}" "phasor.v1.Admin/$1"
}
check "Pause is answered" "$(admin Pause '{}')" '{}'
check "a paused queue says Unavailable and when to come back" \
  "$(call -d "$body" "${target[@]}" phasor.v1.Images/Submit)" "Unavailable"
check "Stats shows the pause" "$(call "${target[@]}" phasor.v1.Admin/Stats)" '"paused": true'
check "Resume is answered" "$(admin Resume '{}')" '{}'
check "a resumed queue takes jobs" \
  "$(call -d "$body" "${target[@]}" phasor.v1.Images/Submit)" '"job_\?[iI]d"'

limits="$(admin SetLimits '{}')"
check "SetLimits without a wish shows the limits" "$limits" '"max_\?[jJ]obs"'
check "SetLimits changes one" "$(admin SetLimits '{"queue": {"max_tries": 7}}')" '"max_\?[tT]ries": 7'
check "SetLimits changes it back" "$(admin SetLimits '{"queue": {"max_tries": 4}}')" \
  '"max_\?[tT]ries": 4'
check "SetLimits names a wrong field" "$(admin SetLimits '{"queue": {"max_tries": 0}}')" \
  'queue.max_tries'
check "SetLimits takes a tenant's" \
  "$(admin SetLimits '{"tenant": {"tenant": "nobody", "weight": 2}}')" '"max_\?[jJ]obs"'
check "SetLimits names a tenant's wrong field" \
  "$(admin SetLimits '{"tenant": {"tenant": "nobody", "weight": 0}}')" 'tenant.weight'

worker="$(call "${target[@]}" phasor.v1.Admin/Stats | sed -n '/"workers"/,$ s/.*"name": "\([^"]*\)".*/\1/p' | head -1)"
check "Drain of an unknown worker names the known ones" \
  "$(admin Drain '{"worker": "nobody"}')" "$worker"
check "Migrate of an unknown worker is NotFound" \
  "$(admin Migrate '{"worker": "nobody"}')" "NotFound"
check "DeadLetters is answered in pages" "$(admin DeadLetters '{"page_size": 2}')" '{'
check "DeadLetters names a wrong page size" "$(admin DeadLetters '{"page_size": 5000}')" 'page_size'
check "Redrive of a job that is DONE is FailedPrecondition" \
  "$(call -d "{\"job_id\": \"$job\"}" "${target[@]}" phasor.v1.Images/Redrive)" \
  "FailedPrecondition"
check "Redrive of nonsense names its field" \
  "$(call -d '{"job_id": "x"}' "${target[@]}" phasor.v1.Images/Redrive)" 'job_id'
check "Cleanup says what went" "$(admin Cleanup '{}')" '"looked"'
check "Cleanup of an unknown worker's memory is NotFound" \
  "$(admin Cleanup '{"worker": "nobody"}')" 'NotFound'

echo
if ((failures > 0)); then
  echo "$failures checks failed"
  exit 1
fi
echo "all checks passed"
