#!/usr/bin/env bash
# Builds from their Go modules the programs that scale workers by what a Prometheus says, KEDA and prometheus-adapter, and
# writes into FOLDER what cluster_scaling_test.py wants of them:
#
#   IMAGE/rootfs    the root file system of keda, keda-adapter and adapter (of Prometheus), whose one program
#                   is /IMAGE; nodes have to have it under the name that IMAGE/name says
#   keda.yaml       KEDA's own manifests with these images, without its admission webhooks
#
# Needs Go and kubectl. KEDA is large: a quarter of an hour of two cores, 3 GB for the compiler.
#
# usage: scalers.sh FOLDER
set -euo pipefail

readonly KEDA=2.21.0 ADAPTER=0.12.0
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
export CGO_ENABLED=0 GOFLAGS="-mod=mod -modcacherw"

# source_of NAME MODULE@VERSION: a copy that may be written to
source_of() {
  go mod download "$2"
  rm -rf "$folder/source-$1"
  cp -r "$(go env GOMODCACHE)/$2" "$folder/source-$1"
  chmod -R u+w "$folder/source-$1"
  echo "$folder/source-$1"
}

# image IMAGE REFERENCE SOURCE PACKAGE
image() {
  rm -rf "${folder:?}/$1"
  mkdir -p "$folder/$1/rootfs/tmp" "$folder/$1/rootfs/etc"
  chmod 1777 "$folder/$1/rootfs/tmp"
  printf 'nonroot:x:65532:65532::/:/\n' > "$folder/$1/rootfs/etc/passwd"
  echo "$2" > "$folder/$1/name"
  (cd "$3" && go build -buildvcs=false -ldflags='-s -w' -o "$folder/$1/rootfs/$1" "$4")
}

# Its own files name no version, would ask a registry at every start, and take the image's user, which a root file system does not tell.
keda_manifests() {
  rm -rf "$folder/keda-config"
  cp -r "$1/config" "$folder/keda-config"
  cat > "$folder/keda-config/kustomization.yaml" << EOF
resources: [minimal]
images:
  - {name: ghcr.io/kedacore/keda, newTag: $KEDA}
  - {name: ghcr.io/kedacore/keda-metrics-apiserver, newTag: $KEDA}
patches:
  - target: {kind: Deployment}
    patch: |
      - {op: replace, path: /spec/template/spec/containers/0/imagePullPolicy, value: IfNotPresent}
      - {op: add, path: /spec/template/spec/securityContext/runAsUser, value: 65532}
EOF
  kubectl kustomize "$folder/keda-config" > "$folder/keda.yaml"
  rm -r "$folder/keda-config"
}

keda="$(source_of keda "github.com/kedacore/keda/v2@v$KEDA")"
image keda "ghcr.io/kedacore/keda:$KEDA" "$keda" ./cmd/operator
image keda-adapter "ghcr.io/kedacore/keda-metrics-apiserver:$KEDA" "$keda" ./cmd/adapter
keda_manifests "$keda"
adapter="$(source_of adapter "sigs.k8s.io/prometheus-adapter@v$ADAPTER")"
image adapter "registry.k8s.io/prometheus-adapter/prometheus-adapter:v$ADAPTER" "$adapter" ./cmd/adapter
rm -rf "$keda" "$adapter"
