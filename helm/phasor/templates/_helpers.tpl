{{- define "phasor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- /* At most 40 characters, so that "-worker-<model>" fits behind it. */}}
{{- define "phasor.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "phasor.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "phasor.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "phasor.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "phasor.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "phasor.selectorLabels" -}}
app.kubernetes.io/name: {{ include "phasor.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "phasor.labels" -}}
{{ include "phasor.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: phasor
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Without versions: those would roll every pod, Redis's too, with each release of the chart. */}}
{{- define "phasor.podLabels" -}}
{{ include "phasor.selectorLabels" . }}
app.kubernetes.io/part-of: phasor
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* (dict "root" . "image" .Values.gateway.image) */}}
{{- define "phasor.image" -}}
{{- $registry := default .root.Values.image.registry .image.registry -}}
{{- $name := .image.repository -}}
{{- if $registry -}}{{- $name = printf "%s/%s" (trimSuffix "/" $registry) $name -}}{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end }}

{{- /* What PodSecurity "restricted" asks for, of every pod and container. */}}
{{- define "phasor.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "phasor.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* The start of every pod's spec: (dict "root" . "for" .Values.gateway "user" 65532) */}}
{{- define "phasor.podSpec" -}}
serviceAccountName: {{ include "phasor.serviceAccountName" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .for.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- include "phasor.podSecurityContext" .user | nindent 2 }}
{{- with .for.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Spread over what `keys` name unless the values say how. */}}
{{- define "phasor.spread" -}}
topologySpreadConstraints:
{{- if .for.topologySpreadConstraints }}
  {{- toYaml .for.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range .keys }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $.labels | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "phasor.redisHost" -}}
{{- if .Values.redis.enabled -}}{{ include "phasor.fullname" . }}-redis{{- else -}}{{ .Values.redis.external.host }}{{- end -}}
{{- end }}

{{- define "phasor.redisPort" -}}
{{- if .Values.redis.enabled -}}6379{{- else -}}{{ .Values.redis.external.port }}{{- end -}}
{{- end }}

{{- define "phasor.redisHasPassword" -}}
{{- if or .Values.redis.enabled .Values.redis.auth.existingSecret -}}yes{{- end -}}
{{- end }}

{{- define "phasor.redisSentinels" -}}
{{- if not .Values.redis.enabled -}}
{{- $port := .Values.redis.external.sentinel.port -}}
{{- range $at, $host := .Values.redis.external.sentinel.hosts -}}
{{ if $at }},{{ end }}{{ $host }}{{ if not (regexMatch ":[0-9]+$" $host) }}:{{ $port }}{{ end }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* redis://[user:@]host:port[/database], or redis-sentinel:// with the Sentinels; the password is in a file. */}}
{{- define "phasor.redisUrl" -}}
{{- $external := not .Values.redis.enabled -}}
{{- $user := ternary .Values.redis.external.user "" $external -}}
{{- $database := ternary (int .Values.redis.external.database) 0 $external -}}
{{- $sentinels := include "phasor.redisSentinels" . -}}
redis{{ if and $external .Values.redis.external.tls }}s{{ end }}{{ if $sentinels }}-sentinel{{ end }}://{{ with $user }}{{ . }}:@{{ end }}
{{- if $sentinels }}{{ $sentinels }}{{ else }}{{ include "phasor.redisHost" . }}:{{ include "phasor.redisPort" . }}{{ end }}
{{- if $database }}/{{ $database }}{{ end }}
{{- if $sentinels }}?master={{ .Values.redis.external.sentinel.master | urlquery | replace "+" "%20" }}{{ end }}
{{- end }}

{{- define "phasor.secretName" -}}{{ include "phasor.fullname" . }}-secrets{{- end }}

{{- define "phasor.redisSecretName" -}}
{{- default (include "phasor.secretName" .) .Values.redis.auth.existingSecret -}}
{{- end }}

{{- define "phasor.fleetSecretName" -}}
{{- default (include "phasor.secretName" .) .Values.fleetSecret.existingSecret -}}
{{- end }}

{{- /* Variables that gateways and workers share. */}}
{{- define "phasor.sharedEnv" -}}
- name: PHASOR_REDIS
  value: {{ include "phasor.redisUrl" . | quote }}
{{- if include "phasor.redisHasPassword" . }}
- name: PHASOR_REDIS_PASSWORD_FILE
  value: /etc/phasor/redis-password/password
{{- end }}
{{- if include "phasor.redisTlsSecret" . }}
- name: PHASOR_REDIS_CA
  value: /etc/phasor/redis-tls/ca.crt
{{- if .Values.redis.external.tlsShown }}
- name: PHASOR_REDIS_CERT
  value: /etc/phasor/redis-tls/tls.crt
- name: PHASOR_REDIS_KEY
  value: /etc/phasor/redis-tls/tls.key
{{- end }}
{{- end }}
{{ include "phasor.storeEnv" . | trim }}
{{- if .Values.gateway.allowJobLoss }}
- name: PHASOR_ALLOW_JOB_LOSS
  value: "true"
{{- end }}
- name: PHASOR_METRICS
  value: 0.0.0.0:9464
{{- if .Values.tls.metricsSecret }}
- name: PHASOR_METRICS_CERT
  value: /etc/phasor/metrics-tls/tls.crt
- name: PHASOR_METRICS_KEY
  value: /etc/phasor/metrics-tls/tls.key
{{- end }}
{{- with .Values.tracing.endpoint }}
- name: PHASOR_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: PHASOR_TRACE_SHARE
  value: {{ $.Values.tracing.share | quote }}
{{- end }}
- name: PHASOR_LOG_LEVEL
  value: {{ .Values.log.level | quote }}
- name: PHASOR_LOG_FORMAT
  value: {{ .Values.log.format | quote }}
{{- end }}

{{- define "phasor.envFrom" -}}
{{- with .for.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What gateways and workers both read from files. */}}
{{- define "phasor.sharedMounts" -}}
{{- include "phasor.redisTlsMounts" . }}
{{- include "phasor.redisPasswordMounts" . }}
{{- include "phasor.metricsTlsMounts" . }}
{{- include "phasor.storeMounts" . }}
{{- end }}

{{- define "phasor.sharedVolumes" -}}
{{- include "phasor.redisTlsVolumes" . }}
{{- include "phasor.redisPasswordVolumes" . }}
{{- include "phasor.metricsTlsVolumes" . }}
{{- include "phasor.storeVolumes" . }}
{{- end }}

{{- /* A model's name as part of a name of an object. */}}
{{- define "phasor.slug" -}}
{{- . | replace "." "-" | replace "_" "-" | trunc 15 | trimAll "-" -}}
{{- end }}

{{- /* What holds for the workers of one model, as YAML: worker, its profile, its own keys, the later
before the earlier: (dict "root" . "model" entry) */}}
{{- define "phasor.workerOf" -}}
{{- $all := deepCopy .root.Values.worker -}}
{{- with .model.profile -}}
{{- if not (hasKey $.root.Values.resourceProfiles .) -}}
{{- fail (printf "models: %s names the profile %s, which resourceProfiles has not" $.model.name .) -}}
{{- end -}}
{{- $all = mustMergeOverwrite $all (deepCopy (index $.root.Values.resourceProfiles .)) -}}
{{- end -}}
{{- $all = mustMergeOverwrite $all (deepCopy (omit .model "name" "card" "source" "profile")) -}}
{{- $longest := int $all.longestJobSeconds -}}
{{- if $longest -}}
{{- $_ := set $all "graceSeconds" (div (add (mul 3 $longest) 1) 2) -}}
{{- end -}}
{{- toYaml $all -}}
{{- end }}

{{- define "phasor.workerLabels" -}}
{{ include "phasor.selectorLabels" .root }}
app.kubernetes.io/component: worker
phasor-model: {{ .model.name | quote }}
{{- end }}

{{- define "phasor.workerName" -}}
{{ include "phasor.fullname" .root }}-worker-{{ include "phasor.slug" .model.name }}
{{- end }}

{{- /* Jobs of a model that workers have or could have now, one number. Each gateway exports the whole
fleet's, and none while the queue does not answer (docs/autoscaling.md). */}}
{{- define "phasor.jobsQuery" -}}
{{- $own := printf "namespace=%q,service=%q" .root.Release.Namespace (printf "%s-gateway-metrics" (include "phasor.fullname" .root)) -}}
max(phasor_queue_demand_jobs{ {{- printf "model=%q,%s" .model.name (default $own .selector) -}} })
{{- end }}
