{{- /* A ServingRuntime's spec: (dict "root" . "cuda" true). KServe gives the model to containers of these two
names alone, makes the Service of the ports of transformer-container, and takes nothing of a pod from here but
what stands beside containers below. */}}
{{- define "phasor.servingRuntime" -}}
{{- $root := .root -}}
{{- $worker := $root.Values.worker -}}
{{- $gateway := $root.Values.gateway -}}
supportedModelFormats:
  - name: diffusers
    autoSelect: false
# None that KServe knows: requests for v1, v2 or grpc-v2 are refused.
protocolVersions: [phasor.v1]
multiModel: false
labels:
  {{- include "phasor.podLabels" $root | nindent 2 }}
  app.kubernetes.io/component: inference
annotations:
  prometheus.kserve.io/port: "9464"
  prometheus.kserve.io/path: /metrics
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $selector := $worker.nodeSelector -}}
{{- $tolerations := $worker.tolerations -}}
{{- if .cuda -}}
{{- $selector = merge (dict) $selector $worker.gpu.nodeSelector -}}
{{- $tolerations = concat $tolerations $worker.gpu.tolerations -}}
{{- end }}
{{- with $selector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $worker.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: kserve-container
    image: {{ include "phasor.image" (dict "root" $root "image" (.cuda | ternary $worker.gpu.image $worker.image)) }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    securityContext:
      {{- include "phasor.wholeSecurityContext" $root | nindent 6 }}
    env:
      {{- include "phasor.sharedEnv" $root | replace "0.0.0.0:9464" "0.0.0.0:9465" | trim | nindent 6 }}
      # KServe puts the InferenceService's name there: all models lie in the same folder.
      - name: PHASOR_MODELS
        value: {{ "{{.Name}}=/mnt/models" | quote }}
      # The gateway beside it, which passes on to all others what it hears.
      - name: PHASOR_GATEWAYS
        value: 127.0.0.1:50053
      {{- with include "phasor.callerTlsEnv" $root | trim }}{{ . | nindent 6 }}{{ end }}
      {{- if $root.Values.tls.secret }}
      - name: PHASOR_TLS_SERVER_NAME
        value: {{ include "phasor.fullname" $root }}-gateway
      {{- end }}
      {{- if $root.Values.access.workerSecret }}
      - name: PHASOR_KEY_FILE
        value: /etc/phasor/credential/credential
      {{- end }}
      # With what giving a job back takes the grace is within the 30 seconds that a pod has if nobody says otherwise.
      {{- include "phasor.workerEnv" (dict "worker" $worker "cuda" .cuda "container" "kserve-container" "grace" $root.Values.kserve.graceSeconds) | trim | nindent 6 }}
    {{- with include "phasor.envFrom" (dict "for" $worker) | trim }}{{ . | nindent 4 }}{{ end }}
    ports:
      - {name: worker-metrics, containerPort: 9465, protocol: TCP}
    {{- include "phasor.inferenceProbes" (dict "root" $root "port" 9465) | nindent 4 }}
    resources:
      {{- $resources := deepCopy $worker.resources }}
      {{- if .cuda }}
      {{- $gpu := dict $worker.gpu.resource (toString $worker.gpu.count) }}
      {{- $resources = mustMergeOverwrite $resources (dict "requests" $gpu "limits" $gpu) }}
      {{- end }}
      {{- toYaml $resources | nindent 6 }}
    volumeMounts:
      - {name: worker-tmp, mountPath: /tmp}
      - {name: cache, mountPath: /var/cache/phasor}
      {{- with include "phasor.callerTlsMounts" $root | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with include "phasor.credentialMounts" $root.Values.access.workerSecret | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with include "phasor.sharedMounts" $root | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with $worker.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  - name: transformer-container
    image: {{ include "phasor.image" (dict "root" $root "image" $gateway.image) }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    securityContext:
      {{- include "phasor.wholeSecurityContext" $root | nindent 6 }}
    env:
      {{- include "phasor.sharedEnv" $root | trim | nindent 6 }}
      - name: PHASOR_LISTEN
        value: 0.0.0.0:50051
      # Operators and the worker are served within the pod alone.
      - name: PHASOR_LISTEN_ADMIN
        value: 127.0.0.1:50052
      - name: PHASOR_LISTEN_WORKERS
        value: 127.0.0.1:50053
      {{- with include "phasor.accessEnv" $root | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with include "phasor.gatewayTlsEnv" $root | trim }}{{ . | nindent 6 }}{{ end }}
      - name: PHASOR_MODELS
        value: {{ "{{.Name}}=/mnt/models" | quote }}
      {{- include "phasor.gatewayEnv" $root | trim | nindent 6 }}
      {{- with $gateway.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with include "phasor.envFrom" (dict "for" $gateway) | trim }}{{ . | nindent 4 }}{{ end }}
    # The first is port 80 of the predictor's Service, others keep their number. HTTP, once it is spoken, goes before.
    ports:
      - {name: {{ empty $root.Values.tls.secret | ternary "h2c" "https" }}, containerPort: 50051, protocol: TCP}
      - {name: metrics, containerPort: 9464, protocol: TCP}
    {{- include "phasor.inferenceProbes" (dict "root" $root "port" 9464) | nindent 4 }}
    {{- if and (semverCompare ">=1.30.0-0" $root.Capabilities.KubeVersion.Version) (gt (int $gateway.preStopSeconds) 0) }}
    lifecycle:
      preStop:
        sleep:
          seconds: {{ $gateway.preStopSeconds }}
    {{- end }}
    resources:
      {{- toYaml $root.Values.kserve.gateway.resources | nindent 6 }}
    volumeMounts:
      - {name: gateway-tmp, mountPath: /tmp}
      - {name: secret, mountPath: /etc/phasor/secret, readOnly: true}
      {{- if $root.Values.tls.secret }}
      - {name: tls, mountPath: /etc/phasor/tls, readOnly: true}
      {{- end }}
      {{- with include "phasor.accessMounts" $root | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with include "phasor.sharedMounts" $root | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with $gateway.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: worker-tmp
    emptyDir: {sizeLimit: 1Gi}
  - name: cache
    emptyDir: {sizeLimit: 64Mi}
  - name: gateway-tmp
    emptyDir: {sizeLimit: 64Mi}
  - name: secret
    secret:
      secretName: {{ include "phasor.fleetSecretName" $root }}
      items:
        - {key: {{ $root.Values.fleetSecret.key }}, path: fleet}
  {{- with $root.Values.tls.secret }}
  - name: tls
    secret:
      secretName: {{ . }}
  {{- end }}
  {{- with include "phasor.callerTlsVolumes" $root | trim }}{{ . | nindent 2 }}{{ end }}
  {{- with include "phasor.credentialVolumes" $root.Values.access.workerSecret | trim }}{{ . | nindent 2 }}{{ end }}
  {{- with include "phasor.sharedVolumes" $root | trim }}{{ . | nindent 2 }}{{ end }}
  {{- with include "phasor.accessVolumes" $root | trim }}{{ . | nindent 2 }}{{ end }}
  {{- with concat $worker.extraVolumes $gateway.extraVolumes | uniq }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* All that "restricted" asks for: a runtime has no word for pods. */}}
{{- define "phasor.wholeSecurityContext" -}}
{{ include "phasor.containerSecurityContext" . }}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* As those of the Deployments. */}}
{{- define "phasor.inferenceProbes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ .port }}{{ include "phasor.probeScheme" .root }}}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: {{ .port }}{{ include "phasor.probeScheme" .root }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: {{ .port }}{{ include "phasor.probeScheme" .root }}}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}
