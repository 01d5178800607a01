# shellcheck shell=bash
# Images, chart and what takes minutes or downloads to test them: docs/deploy.md.

readonly HELM_MODULE=helm.sh/helm/v4/cmd/helm@v4.3.1
readonly OTELCOL_BUILDER=go.opentelemetry.io/collector/cmd/builder@v0.165.0
readonly DEPLOY_VERSION=0.1.0

# Prints a helm: HELM, the one of PATH, or one that is built from its Go module.
deploy_helm() {
  local built="$PHASOR_CACHE/helm-v4.3.1/helm"
  if [[ -n "${HELM:-}" ]]; then
    echo "$HELM"
  elif have helm; then
    command -v helm
  else
    if [[ ! -x "$built" ]]; then
      have go || die "helm is missing, and Go to build it with: install one of them"
      say "building helm from its Go module (minutes, once)"
      GOBIN="$(dirname "$built")" go install "$HELM_MODULE" >&2 || die "helm could not be built"
    fi
    echo "$built"
  fi
}

# Prints OpenTelemetry's collector: OTELCOL, or one that is built from its Go modules.
deploy_otelcol() {
  local folder="$PHASOR_CACHE/otelcol-v0.165.0"
  if [[ -n "${OTELCOL:-}" ]]; then
    echo "$OTELCOL"
  else
    if [[ ! -x "$folder/otelcol" ]]; then
      have go || die "Go is missing, to build OpenTelemetry's collector with: install it, or set OTELCOL to a collector"
      say "building OpenTelemetry's collector from its Go modules (minutes, once)"
      mkdir -p "$folder"
      (cd "$folder" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
        go run "$OTELCOL_BUILDER" --config "$PHASOR_ROOT/tests/deploy/otelcol.yaml") >&2 ||
        die "the collector could not be built"
    fi
    echo "$folder/otelcol"
  fi
}

# Traces as OpenTelemetry's own collector reads them.
deploy_tracing() {
  local collector
  collector="$(deploy_otelcol)"
  fleet_build
  OTELCOL="$collector" PHASOR_SOURCE_DIR="$PHASOR_ROOT" PHASOR_BIN_DIR="$PHASOR_ROOT/build/bin" \
    PYTHONPATH="$PHASOR_ROOT/tests/lib" python3 -B tests/e2e/tracing_test.py ||
    die "OpenTelemetry's collector does not read our traces"
}

# Queue, store, permissions, TLS and Sentinel with Valkey in Redis's place.
deploy_valkey() {
  local tests=(redis_queue_test redis_store_test redis_tls_test redis_sentinel_test redis_foundation_test)
  local folder program names
  if ! have valkey-server; then
    say "no valkey-server: nothing is tested with Valkey"
    return
  fi
  build_preset default "${tests[@]}"
  folder="$(mktemp -d)"
  for program in server sentinel cli; do
    ln -s "$(command -v "valkey-$program")" "$folder/redis-$program"
  done
  names="$(IFS='|' && echo "${tests[*]}")"
  PATH="$folder:$PATH" ctest --test-dir build --output-on-failure -R "^($names)\$" ||
    die "a test failed with Valkey"
  rm -r "$folder"
}

# Builds the images with docker, podman or what DOCKER names; ARGUMENTS go to its build.
deploy_images() {
  local docker="${DOCKER:-docker}" target
  have "$docker" || die "$docker is missing; DOCKER names another program, e.g. DOCKER=podman"
  # The one with CUDA takes 2 GB of wheels: PHASOR_IMAGES names it.
  for target in ${PHASOR_IMAGES:-gateway worker-cpu cli}; do
    say "image phasor/$target:$DEPLOY_VERSION"
    "$docker" build -f deploy/docker/Dockerfile --target "$target" \
      -t "${PHASOR_REGISTRY:-phasor}/$target:${PHASOR_TAG:-$DEPLOY_VERSION}" "$@" . ||
      die "the image could not be built"
  done
}

deploy_presets() {
  local file
  for file in helm/phasor/values-*.yaml; do basename "$file" .yaml | sed 's/^values-//'; done
}

deploy_helm_lint() {
  local helm preset
  helm="$(deploy_helm)"
  "$helm" lint --strict --quiet helm/phasor || die "helm lint failed"
  for preset in $(deploy_presets); do
    "$helm" lint --strict --quiet helm/phasor -f "helm/phasor/values-$preset.yaml" ||
      die "helm lint failed with the preset $preset"
  done
  say "helm lint passed, with every preset"
}

# The objects that kustomize makes of an overlay are the chart's: its patches do what they say.
deploy_kustomize() {
  local kubectl overlay
  kubectl="$(command -v kubectl)" || {
    say "no kubectl: overlays are not built"
    return
  }
  for overlay in base overlays/dev-cpu overlays/ha; do
    KUBECTL="$kubectl" HELM="$1" python3 tests/deploy/kustomize_test.py "$overlay" ||
      die "deploy/kubernetes/$overlay is not what the chart renders"
  done
}

deploy_test() {
  local helm
  packages_setup "$PHASOR_ROOT/tools/dev/packages.txt"
  tools/check_deploy || die "images, compose file or chart do not fit the programs"
  helm="$(deploy_helm)"
  deploy_helm_lint
  HELM="$helm" PYTHONPATH="$PHASOR_ROOT/tests/deploy" \
    python3 -B -m unittest discover -s tests/deploy/chart_tests -p '*_test.py' ||
    die "the chart's tests failed"
  schemas_setup
  say "every object against the schemas of Kubernetes 1.27 to 1.37 (a minute)"
  HELM="$helm" "$SCHEMAS_HOME/bin/python" tests/deploy/schema_test.py ||
    die "the chart makes objects that Kubernetes refuses"
  HELM="$helm" tools/kustomize_from_chart --check || die "run tools/kustomize_from_chart"
  deploy_kustomize "$helm"
  KUBECTL="$(command -v kubectl)" HELM="$helm" python3 tests/deploy/kserve_test.py ||
    die "what there is for KServe does not fit"
  observability_test
  deploy_tracing
  deploy_valkey
  if ((EUID == 0)); then
    python3 tests/deploy/rootfs_cuda_test.py || die "the CUDA image's root file system is not whole"
    fleet_build
    BIN_DIR="$PHASOR_ROOT/build/bin" python3 tests/deploy/images_test.py ||
      die "the images' tests failed"
  else
    say "not root: the images' root file systems are not run"
  fi
  say "deployment tests passed"
}
