#!/usr/bin/env bash
# Submit calls per second next to an empty gRPC echo server: starts a private redis-server (unix
# socket, append-only file), a gateway and the echo server, measures both in turns, stops all.
#   bench/gateway/run.sh BIN_DIR [ARGS of phasor-bench-gateway]
# FSYNC=always makes Redis fsync every write; the default is everysec, as `phasor up` has it. The
# append-only file is not rewritten meanwhile. The store is FAR_MS milliseconds away (default 40), which shows what
# a key costs. ASK_STORE=1: as after a restart of Redis, when the store has to be asked about each new key.
# TLS=1: in place of all that four gateways by TCP on the loopback interface: in plain text, with TLS, with TLS and an
# API key, with certificates on both sides.
set -euo pipefail

bin="$(realpath "${1:?usage: run.sh BIN_DIR [ARGS]}")"
shift
root="$(cd "$(dirname "$0")/../.." && pwd)"
fsync="${FSYNC:-everysec}"
work="$(mktemp -d "${TMPDIR:-/tmp}/phasor-bench.XXXXXX")"
children=()

stop() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

wait_for() {
  for _ in $(seq 100); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "bench: no answer from: $*" >&2
  exit 1
}

mkdir "$work/redis"
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work/redis" --appendonly yes \
  --appendfsync "$fsync" --auto-aof-rewrite-percentage 0 --save '' \
  --maxmemory-policy noeviction --daemonize no \
  --logfile "$work/redis.log" &
children+=($!)
wait_for redis-cli -s "$work/redis.sock" ping

cat >"$work/gateway.yaml" <<YAML
limits: {max_jobs: 50000000, max_per_tenant: 50000000}
YAML
python3 "$root/bench/gateway/far_relay.py" "$work/far.sock" "$work/redis.sock" "${FAR_MS:-40}" &
children+=($!)
wait_for redis-cli -s "$work/far.sock" ping

# A gateway on the queue that all of them share.
gateway() {
  "$bin/phasor-gateway" --config "$work/gateway.yaml" --listen "$1" \
    --metrics off --redis "unix://$work/redis.sock" --store "unix://$work/far.sock" \
    --secret-file "$work/secret" --models "$root/models" --log-level warn "${@:2}" &
  children+=($!)
}

# An authority that vouches for a gateway's certificate and for a client's.
certificates() {
  local name
  local made=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1)
  openssl req -x509 "${made[@]}" -keyout "$work/ca.key" -out "$work/ca.pem" -subj /CN=bench
  echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >"$work/names"
  for name in server client; do
    openssl req "${made[@]}" -keyout "$work/$name.key" -out "$work/$name.csr" -subj "/CN=$name"
    openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
      -CAcreateserial -days 1 -out "$work/$name.pem" -extfile "$work/names"
  done
}

"$bin/phasor" keys create --keys-file "$work/keys.jsonl" --tenant bench --roles draw \
  -o "$work/bench.key" >/dev/null 2>&1
guard=(--keys "$work/keys.jsonl" --audit off)
if [[ "${TLS:-}" == 1 ]]; then
  certificates >/dev/null 2>&1
  read -ra ports < <(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(one.getsockname()[1] for one in sockets))')
  own=(--tls-cert "$work/server.pem" --tls-key "$work/server.key")
  gateway "127.0.0.1:${ports[0]}"
  gateway "127.0.0.1:${ports[1]}" "${own[@]}"
  gateway "127.0.0.1:${ports[2]}" "${own[@]}" "${guard[@]}"
  gateway "127.0.0.1:${ports[3]}" "${own[@]}" --tls-client-ca "$work/ca.pem"
  sides=(--plain "127.0.0.1:${ports[0]}" --tls "127.0.0.1:${ports[1]}"
    --tls-key "127.0.0.1:${ports[2]}" --mutual "127.0.0.1:${ports[3]}"
    --key-file "$work/bench.key" --ca "$work/ca.pem" --cert "$work/client.pem"
    --cert-key "$work/client.key")
else
  gateway "unix:$work/gateway.sock"
  gateway "unix:$work/guarded.sock" "${guard[@]}"
  "$bin/phasor-bench-echo" "unix:$work/echo.sock" &
  children+=($!)
  wait_for test -S "$work/gateway.sock"
  wait_for test -S "$work/guarded.sock"
  wait_for test -S "$work/echo.sock"
  sides=(--echo "unix:$work/echo.sock" --gateway "unix:$work/gateway.sock"
    --guarded "unix:$work/guarded.sock" --key-file "$work/bench.key")
fi
if [[ "${ASK_STORE:-}" == 1 ]]; then
  wait_for redis-cli -s "$work/redis.sock" -e hget '{phasor}:fleet' secret
  redis-cli -s "$work/redis.sock" hset '{phasor}:fleet' whole '' >/dev/null
fi

echo "redis: append-only file, fsync $fsync; $(nproc) cores for load, server and redis together"
"$bin/phasor-bench-gateway" "${sides[@]}" "$@"
