#!/usr/bin/env bash
# Makes the root file system of an image: the programs, the shared libraries that they load and the
# few files that libraries read. No shell, no package manager, no compiler: what is not named here is
# not in it. The Dockerfile and the tests of the images both run this script, so that what is tested
# is what is shipped.
#
# usage: rootfs.sh IMAGE ROOTFS     IMAGE: gateway, worker-cpu, worker-cuda or cli
#        rootfs.sh programs ROOTFS FILE...    any programs, of this system's packages (for tests)
#
# BIN_DIR (default build/bin) holds the programs, LIB_DIRS is a list of folders, separated by colons,
# with libraries that no package brought (LibTorch) and that the programs do not find by themselves.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source_dir="$(cd "$here/../.." && pwd)"
readonly RUN_AS=65532 # "nonroot", as distroless images number it

die() {
  echo "rootfs.sh: $*" >&2
  exit 1
}

# Prints "needed-name path" for every library that program $1 loads.
libraries_of() {
  local listing
  listing="$(LD_LIBRARY_PATH="${LIB_DIRS:-}" ldd "$1")" || die "$1 is not a dynamic program"
  # The driver is the node's.
  listing="$(grep -v '^[[:space:]]*libcuda\.so\.1 ' <<< "$listing")"
  ! grep 'not found' <<< "$listing" >&2 || die "$1 lacks libraries"
  awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 } $1 ~ /^\// { print $1, $1 }' <<< "$listing"
}

# What the system's packages brought keeps its place, what they did not goes to /usr/lib/phasor.
add_library() {
  local name="$1" real
  real="$(realpath "$2")"
  case "$real" in
    /usr/lib/* | /lib/* | /usr/lib64/* | /lib64/*)
      local folder
      folder="$rootfs$(dirname "$real")"
      mkdir -p "$folder"
      install -m 755 "$real" "$folder/"
      packaged+=("$real")
      # The loader of programs is known by its path, everything else by its name.
      if [[ "$name" != /* ]]; then name="$(dirname "$real")/$name"; fi
      [[ -e "$rootfs$name" ]] || ln -s "$real" "$rootfs$name"
      ;;
    *)
      mkdir -p "$rootfs/usr/lib/phasor"
      install -m 755 "$real" "$rootfs/usr/lib/phasor/$(basename "$name")"
      ;;
  esac
}

add_program() {
  local file="$1"
  install -D -m 755 "$file" "$rootfs/usr/bin/$(basename "$file")"
  case "$(realpath "$file")" in /usr/* | /bin/*) packaged+=("$(realpath "$file")") ;; esac
  add_libraries_of "$file"
}

add_libraries_of() {
  local library name
  while read -r name library; do
    [[ -n "${seen[$library]:-}" ]] || add_library "$name" "$library"
    seen[$library]=1
  done < <(libraries_of "$1")
}

# The plug-in, where programs look for it (engine/cuda/device_choice.h), LibTorch's CUDA side beside its
# other libraries, and what these load: some of it only when it is asked for, by name.
add_cuda() {
  local plugin="$1" library torch="" site
  [[ -e "$plugin" ]] || die "$plugin is missing: ./dev build cuda"
  for library in "${!seen[@]}"; do
    case "$library" in */libtorch_cpu.so) torch="$(dirname "$(realpath "$library")")" ;; esac
  done
  [[ -n "$torch" ]] || die "the worker is not linked to LibTorch"
  site="$(realpath "$torch/../..")"
  install -D -m 755 "$plugin" "$rootfs/usr/lib/$(basename "$plugin")"
  add_libraries_of "$plugin"
  for library in "$torch/libtorch_cuda.so" "$site"/nvidia/cudnn/lib/*.so.* \
    "$site"/nvidia/cu13/lib/libnvrtc*.so.* "$site"/nvidia/cu13/lib/libnvJitLink.so.*; do
    [[ -e "$library" ]] || die "$library is missing: ./dev build cuda"
    if [[ -z "${seen[$library]:-}" ]]; then add_library "$(basename "$library")" "$library"; fi
    seen[$library]=1
    add_libraries_of "$library"
  done
}

# Names and folders that every Linux program may ask for.
add_skeleton() {
  local folder
  for folder in bin sbin lib lib64; do
    mkdir -p "$rootfs/usr/$folder"
    ln -s "usr/$folder" "$rootfs/$folder"
  done
  mkdir -p "$rootfs"/{dev,etc/ssl/certs,home/nonroot,proc,run,sys,tmp,usr/share/phasor,var/lib/phasor}
  chmod 1777 "$rootfs/tmp"
  printf '%s\n' "root:x:0:0:root:/root:/sbin/nologin" \
    "nonroot:x:$RUN_AS:$RUN_AS:nonroot:/home/nonroot:/sbin/nologin" > "$rootfs/etc/passwd"
  printf '%s\n' "root:x:0:" "nonroot:x:$RUN_AS:" > "$rootfs/etc/group"
  printf '%s\n' "hosts: files dns" "passwd: files" "group: files" > "$rootfs/etc/nsswitch.conf"
  # gRPC and curl look for the certificates of public authorities here.
  if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
    install -m 644 /etc/ssl/certs/ca-certificates.crt "$rootfs/etc/ssl/certs/"
    packaged+=(/usr/share/ca-certificates)
  fi
}

# So that the loader finds everything without LD_LIBRARY_PATH.
add_loader_cache() {
  printf '%s\n' /usr/lib/phasor "/usr/lib/$(uname -m)-linux-gnu" /usr/lib64 \
    > "$rootfs/etc/ld.so.conf"
  local ldconfig=/sbin/ldconfig
  "$ldconfig" -r "$rootfs" 2> /dev/null || die "ldconfig failed"
  rm -rf "$rootfs/var/cache/ldconfig"
}

# Which packages the files came from, with their licences: a CycloneDX list that scanners read.
add_bill_of_materials() {
  local package version list="$rootfs/usr/share/phasor/sbom.cdx.json" separator="" names
  names="$(for file in "${packaged[@]}"; do
    dpkg -S "$file" 2> /dev/null || dpkg -S "${file#/usr}" 2> /dev/null || true
  done | cut -d : -f 1 | tr ',' '\n' | tr -d ' ' | sort -u)"
  {
    printf '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":['
    for package in $names; do
      version="$(dpkg-query -W -f '${Version}\n' "$package" | head -n 1)"
      printf '%s\n {"type":"library","name":"%s","version":"%s","purl":"pkg:deb/debian/%s@%s"}' \
        "$separator" "$package" "$version" "$package" "$version"
      separator=,
      if [[ -e "/usr/share/doc/$package/copyright" ]]; then
        install -D -m 644 "/usr/share/doc/$package/copyright" \
          "$rootfs/usr/share/doc/$package/copyright"
      fi
    done
    if [[ -e "$rootfs/usr/lib/phasor/libtorch_cpu.so" ]]; then
      version="$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$source_dir/tools/dev/libtorch.txt")"
      printf '%s\n {"type":"library","name":"torch","version":"%s","purl":"pkg:pypi/torch@%s"}' \
        "$separator" "$version" "$version"
    fi
    printf '\n]}\n'
  } > "$list"
}

add_model() {
  local target="$rootfs/usr/share/phasor/models/phasor-demo"
  mkdir -p "$target"
  if [[ "$1" == card ]]; then
    install -m 644 "$source_dir/models/phasor-demo/phasor.yaml" "$target/"
  else
    cp -r --no-preserve=ownership "$source_dir/models/phasor-demo/." "$target/"
    rm -f "$target"/*.png
  fi
}

main() {
  (($# >= 2)) || die "usage: rootfs.sh IMAGE ROOTFS | rootfs.sh programs ROOTFS FILE..."
  local image="$1" bin="${BIN_DIR:-$source_dir/build/bin}" program
  rootfs="$(realpath -m "$2")"
  shift 2
  [[ ! -e "$rootfs" ]] || die "$rootfs is there already"
  declare -gA seen=()
  packaged=()
  umask 022
  add_skeleton
  case "$image" in
    # Each has the command line too: its `probe` is what health checks run.
    gateway) set -- "$bin/phasor-gateway" "$bin/phasor" ;;
    worker-cpu | worker-cuda) set -- "$bin/phasor-worker" "$bin/phasor" ;;
    cli) set -- "$bin/phasor" ;;
    programs) ;;
    *) die "unknown image '$image' (gateway, worker-cpu, worker-cuda, cli)" ;;
  esac
  for program; do add_program "$program"; done
  if [[ "$image" == worker-cuda ]]; then add_cuda "$bin/libphasor_cuda.so"; fi
  if [[ "$image" != programs ]]; then
    for program; do strip --strip-unneeded "$rootfs/usr/bin/$(basename "$program")"; done
    install -D -m 644 "$source_dir/LICENSE" "$rootfs/usr/share/doc/phasor/copyright"
  fi
  case "$image" in
    gateway) add_model card ;;
    worker-cpu | worker-cuda) add_model whole ;;
  esac
  add_bill_of_materials
  add_loader_cache
  if ((EUID == 0)); then chown "$RUN_AS:$RUN_AS" "$rootfs/var/lib/phasor" "$rootfs/home/nonroot"; fi
  # The same files give the same layer, whenever they were made.
  find "$rootfs" -print0 | xargs -0 touch --no-dereference --date=@"${SOURCE_DATE_EPOCH:-0}"
}

main "$@"
