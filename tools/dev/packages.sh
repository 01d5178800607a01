# shellcheck shell=bash
# System packages: finds the missing ones, says what they cost, installs them.

# Prints the names in the list file $1 that are not installed.
packages_missing() {
  local name
  while read -r name; do
    if [[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2> /dev/null)" != installed ]]; then
      echo "$name"
    fi
  done < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1")
}

# Debian starts a service when its package is installed. A policy-rc.d that says no keeps the
# redis-server package from doing so; Phasor runs redis-server itself, privately. "$@" is run as
# root with the policy in place, and the policy is taken away again whatever happens.
packages_without_services() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e "$policy" ]]; then
    "$@"
    return
  fi
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
  local result=0
  trap 'as_root rm -f /usr/sbin/policy-rc.d; exit 130' INT TERM
  "$@" || result=$?
  trap - INT TERM
  as_root rm -f "$policy"
  return "$result"
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# True if commands can be run as root: as root, or with a sudo that can ask for its password.
packages_can_install() {
  ((EUID == 0)) || { have sudo && { sudo -n true 2> /dev/null || [[ -t 0 ]]; }; }
}

packages_install() {
  local names=("$@") result=0
  export DEBIAN_FRONTEND=noninteractive
  say "missing system packages: ${names[*]}"
  say "refreshing the package lists"
  as_root apt-get -qq update || die "apt-get update failed: is there a network?"
  local simulation
  simulation="$(LC_ALL=C apt-get install --assume-no --no-install-recommends "${names[@]}" 2>&1)" ||
    true
  grep -q '^After this operation' <<< "$simulation" || {
    printf '%s\n' "$simulation" >&2
    die "apt-get can't install these packages on this system"
  }
  grep -E '^(Need to get|After this operation)' <<< "$simulation" >&2
  packages_without_services as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${names[@]}" \
    > /dev/null || result=$?
  ((result == 0)) || die "apt-get install failed (exit code $result)"
  # Only where this run brought Redis: it should not start at the next boot either.
  if [[ " ${names[*]} " == *" redis-server "* ]]; then
    as_root update-rc.d redis-server disable > /dev/null 2>&1 || true
    if have systemctl; then as_root systemctl disable redis-server > /dev/null 2>&1 || true; fi
  fi
}

# Installs what list file $1 names and the system lacks.
packages_setup() {
  have dpkg-query || die "Debian 12 or Ubuntu 24.04 is needed: this system has no dpkg.
The packages that Phasor needs stand in $1."
  local missing
  mapfile -t missing < <(packages_missing "$1")
  if ((${#missing[@]} == 0)); then return; fi
  if ! packages_can_install; then
    die "these system packages are missing and installing them needs root or sudo. Run as root:

  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}

and then the same ./dev command again."
  fi
  packages_install "${missing[@]}"
}
