#!/usr/bin/env bash
# Makes images of other people's under their own names, out of Debian's packages, for machines that no registry
# answers: debian:12 as debootstrap makes it, redis and prometheus as their packages are. Grafana is in no
# package. Needs root, docker and debootstrap; MIRROR is where packages come from. Authorities that this machine was
# told to trust (/usr/local/share/ca-certificates) are trusted in debian:12, too.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
mirror="${MIRROR:-http://deb.debian.org/debian}"
own_authorities=/usr/local/share/ca-certificates
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

have_image() { docker image inspect "$1" > /dev/null 2>&1; }

base() {
  debootstrap --variant=minbase bookworm "$work/debian" "$mirror" > "$work/log" || {
    tail -n 20 "$work/log" >&2
    exit 1
  }
  mkdir -p "$work/debian$own_authorities"
  find "$own_authorities" -name '*.crt' -exec cp {} "$work/debian$own_authorities" \;
  tar -C "$work/debian" -c . |
    docker import -c 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' - debian:12
}

# Writes an archive of a root file system with programs of Debian's package $1, for user $2, whose folder is $3.
root_of() {
  local package="$1" user="$2" data="$3" program programs=()
  shift 3
  for program; do programs+=("/usr/bin/$program"); done
  [[ -x "${programs[0]}" ]] ||
    apt-get install -y --no-install-recommends "$package" > "$work/log" 2>&1
  "$here/../../deploy/docker/rootfs.sh" programs "$work/$package" "${programs[@]}" >&2
  mkdir -p "$work/$package$data"
  chown -R "$user" "$work/$package$data"
  tar -C "$work/$package" -c .
}

have_image debian:12 || base
have_image redis:7.2-bookworm ||
  root_of redis-server 999:999 /data redis-server redis-cli sh cat |
  docker import -c 'USER 999:999' -c 'ENV PATH=/usr/bin' -c 'WORKDIR /data' - redis:7.2-bookworm
have_image prom/prometheus:v3.5.0 ||
  root_of prometheus 65534:65534 /prometheus prometheus |
  docker import -c 'USER 65534:65534' -c 'WORKDIR /prometheus' \
    -c 'ENTRYPOINT ["/usr/bin/prometheus"]' - prom/prometheus:v3.5.0
