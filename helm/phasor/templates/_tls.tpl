{{- /* The Secret that vouches for an external Redis; empty: none does. */}}
{{- define "phasor.redisTlsSecret" -}}
{{- if and (not .Values.redis.enabled) .Values.redis.external.tls -}}{{ .Values.redis.external.tlsSecret }}{{- end -}}
{{- end }}

{{- /* What callers of gateways know and show: workers, and the test. The gateways' key is not theirs. */}}
{{- define "phasor.callerTlsEnv" -}}
{{- if .Values.tls.secret }}
- name: PHASOR_TLS_CA
  value: /etc/phasor/tls-ca/ca.crt
{{- if .Values.tls.workerSecret }}
- name: PHASOR_TLS_CERT
  value: /etc/phasor/tls-own/tls.crt
- name: PHASOR_TLS_KEY
  value: /etc/phasor/tls-own/tls.key
{{- end }}
{{- end }}
{{- end }}

{{- define "phasor.callerTlsMounts" -}}
{{- if .Values.tls.secret }}
- {name: tls-ca, mountPath: /etc/phasor/tls-ca, readOnly: true}
{{- if .Values.tls.workerSecret }}
- {name: tls-own, mountPath: /etc/phasor/tls-own, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "phasor.callerTlsVolumes" -}}
{{- if .Values.tls.secret }}
- name: tls-ca
  secret:
    secretName: {{ .Values.tls.secret }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- if .Values.tls.workerSecret }}
- name: tls-own
  secret:
    secretName: {{ .Values.tls.workerSecret }}
    items:
      - {key: tls.crt, path: tls.crt}
      - {key: tls.key, path: tls.key}
{{- end }}
{{- end }}
{{- end }}

{{- define "phasor.redisTlsMounts" -}}
{{- if include "phasor.redisTlsSecret" . }}
- {name: redis-tls, mountPath: /etc/phasor/redis-tls, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.redisTlsVolumes" -}}
{{- with include "phasor.redisTlsSecret" . }}
- name: redis-tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}

{{- define "phasor.metricsTlsMounts" -}}
{{- if .Values.tls.metricsSecret }}
- {name: metrics-tls, mountPath: /etc/phasor/metrics-tls, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.metricsTlsVolumes" -}}
{{- with .Values.tls.metricsSecret }}
- name: metrics-tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}

{{- /* Of that Secret, what who asks may know. */}}
{{- define "phasor.metricsCaMounts" -}}
{{- if .Values.tls.metricsSecret }}
- {name: metrics-ca, mountPath: /etc/phasor/metrics-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.metricsCaVolumes" -}}
{{- with .Values.tls.metricsSecret }}
- name: metrics-ca
  secret:
    secretName: {{ . }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end }}

{{- /* A kubelet checks no certificate. */}}
{{- define "phasor.probeScheme" -}}{{ if .Values.tls.metricsSecret }}, scheme: HTTPS{{ end }}{{- end }}

{{- /* How monitors of the Prometheus operator ask. */}}
{{- define "phasor.monitorTls" -}}
{{- if .Values.tls.metricsSecret -}}
, scheme: https, tlsConfig: {ca: {secret: {name: {{ .Values.tls.metricsSecret }}, key: ca.crt}}, serverName: {{ .Values.tls.metricsServerName | quote }}}
{{- end -}}
{{- end }}

{{- /* Where gateways serve operators and workers. */}}
{{- define "phasor.operatorsPort" -}}{{ .Values.gateway.portsApart | ternary 50052 50051 }}{{- end }}
{{- define "phasor.workersPort" -}}{{ .Values.gateway.portsApart | ternary 50053 50051 }}{{- end }}
{{- define "phasor.grpcProtocol" -}}{{ if .Values.tls.secret }}https{{ else }}kubernetes.io/h2c{{ end }}{{- end }}
