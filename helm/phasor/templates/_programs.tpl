{{- /* What a gateway is told, be it in its Deployment or beside a worker. */}}
{{- define "phasor.gatewayEnv" -}}
- name: PHASOR_SECRET_FILE
  value: /etc/phasor/secret/fleet
- name: PHASOR_GRACE
  value: {{ .Values.gateway.graceSeconds | quote }}
- name: PHASOR_KEEP_RESULTS
  value: {{ .Values.gateway.keepResultsHours | quote }}
- name: PHASOR_KEEP_RECORDS
  value: {{ .Values.gateway.keepRecordsHours | quote }}
{{- range $name, $variable := dict "pixelSteps" "PIXEL_STEPS" "promptBytes" "PROMPT_BYTES" "resultBytes" "RESULT_BYTES" }}
{{- $quota := get $.Values.gateway.tenantQuotas $name }}
{{- if not (has (toString $quota) (list "" "<nil>")) }}
- name: PHASOR_{{ $variable }}_PER_TENANT
  value: {{ $quota | int64 | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "phasor.gatewayTlsEnv" -}}
{{- if .Values.tls.secret }}
- name: PHASOR_TLS_CERT
  value: /etc/phasor/tls/tls.crt
- name: PHASOR_TLS_KEY
  value: /etc/phasor/tls/tls.key
{{- if .Values.tls.clientCerts }}
- name: PHASOR_TLS_CLIENT_CA
  value: /etc/phasor/tls/ca.crt
- name: PHASOR_TLS_CLIENT_CERTS
  value: {{ join "," .Values.tls.clientCerts }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The same of a worker: (dict "worker" what holds for it "cuda" true "container" name "grace" seconds) */}}
{{- define "phasor.workerEnv" -}}
# What kills a worker on two nodes is the job's fault, on one the node's.
- name: PHASOR_NODE
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
- name: PHASOR_GRACE
  value: {{ .grace | quote }}
{{- with .worker }}
- name: PHASOR_LEASE
  value: {{ .leaseSeconds | quote }}
- name: PHASOR_STALL
  value: {{ .stallSeconds | quote }}
- name: PHASOR_STRATEGY
  value: {{ .strategy }}
- name: PHASOR_GROUP
  value: {{ .groupJobs | quote }}
- name: PHASOR_GROUP_WAIT
  value: {{ .groupWaitSeconds | quote }}
{{- if $.cuda }}
- name: PHASOR_DEVICE
  value: {{ .gpu.device | quote }}
{{- end }}
- name: PHASOR_CACHE
  value: /var/cache/phasor
- name: PHASOR_THREADS
  {{- if eq (toString .threads) "auto" }}
  # Its own share: "all cores" are the node's.
  valueFrom: {resourceFieldRef: {containerName: {{ $.container }}, resource: {{ dig "limits" "cpu" "" .resources | empty | ternary "requests.cpu" "limits.cpu" }}, divisor: "1"}}
  {{- else }}
  value: {{ .threads | quote }}
  {{- end }}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}
