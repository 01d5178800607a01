{{- define "phasor.policyPeer" -}}
podSelector:
  matchLabels:
    {{- include "phasor.selectorLabels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- define "phasor.commonEgress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- ports:
    - {port: {{ include "phasor.redisPort" . }}, protocol: TCP}
  {{- range include "phasor.redisSentinels" . | splitList "," | compact }}
    - {port: {{ splitList ":" . | last }}, protocol: TCP}
  {{- end }}
  {{- if .Values.redis.enabled }}
  to:
    - {{- include "phasor.policyPeer" (dict "root" . "component" "redis") | nindent 6 }}
  {{- end }}
{{- if eq .Values.store.type "url" }}
# The store: its port stands in an URL that only the programs take apart.
- ports:
    - {port: 443, protocol: TCP}
    - {port: 6379, protocol: TCP}
    - {port: 9000, protocol: TCP}
{{- end }}
{{- with .Values.tracing.endpoint }}
{{- $port := regexFind ":[0-9]+" (regexFind "^[a-z]+://[^/]+" . | trimPrefix "http") | trimPrefix ":" }}
# The collector of traces.
- ports:
    - {port: {{ default (ternary 443 80 (hasPrefix "https" .)) $port }}, protocol: TCP}
{{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}
