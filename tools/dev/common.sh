# shellcheck shell=bash
# Output and small checks that the other parts share.

say() {
  if [[ -t 2 ]]; then printf '\033[1m==> %s\033[0m\n' "$*" >&2; else printf '==> %s\n' "$*" >&2; fi
}

# die MESSAGE [EXIT_CODE]
die() {
  printf 'dev: %s\n' "$1" >&2
  exit "${2:-1}"
}

have() { command -v "$1" > /dev/null 2>&1; }

# Fails unless the file system of DIR (or its nearest parent) has MEGABYTES free.
need_disk() {
  local dir="$1" megabytes="$2" free
  while [[ ! -d "$dir" ]]; do dir="$(dirname "$dir")"; done
  free="$(($(df --output=avail -k "$dir" | tail -n 1) / 1024))"
  if ((free < megabytes)); then
    die "$dir has $free MB free, $megabytes MB are needed"
  fi
}
