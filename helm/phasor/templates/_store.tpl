{{- define "phasor.storeUrl" -}}
{{- if eq .Values.store.type "pvc" -}}
/var/lib/phasor/store
{{- else if eq .Values.store.type "url" -}}
{{ .Values.store.url }}
{{- else -}}
{{ include "phasor.redisUrl" . }}{{ ternary "&" "?" (ne (include "phasor.redisSentinels" .) "") }}ttl={{ .Values.store.ttl }}
{{- end -}}
{{- end }}

{{- define "phasor.storeClaim" -}}
{{- default (printf "%s-store" (include "phasor.fullname" .)) .Values.store.pvc.existingClaim -}}
{{- end }}

{{- /* Set where a Secret says who gateways and workers are to a store of its own. */}}
{{- define "phasor.storeSecret" -}}
{{- if eq .Values.store.type "url" -}}{{ .Values.store.existingSecret }}{{- end -}}
{{- end }}

{{- define "phasor.storeEnv" -}}
- name: PHASOR_STORE
  value: {{ include "phasor.storeUrl" . | quote }}
{{- if include "phasor.storeSecret" . }}
{{- if .Values.store.userKey }}
- name: PHASOR_STORE_USER_FILE
  value: /etc/phasor/store/user
{{- end }}
- name: PHASOR_STORE_PASSWORD_FILE
  value: /etc/phasor/store/password
{{- end }}
{{- end }}

{{- define "phasor.storeMounts" -}}
{{- if eq .Values.store.type "pvc" }}
- {name: store, mountPath: /var/lib/phasor/store}
{{- else if include "phasor.storeSecret" . }}
- {name: store-credential, mountPath: /etc/phasor/store, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.storeVolumes" -}}
{{- if eq .Values.store.type "pvc" }}
- name: store
  persistentVolumeClaim:
    claimName: {{ include "phasor.storeClaim" . }}
{{- else if include "phasor.storeSecret" . }}
- name: store-credential
  secret:
    secretName: {{ .Values.store.existingSecret }}
    items:
      {{- with .Values.store.userKey }}
      - {key: {{ . }}, path: user}
      {{- end }}
      - {key: {{ .Values.store.passwordKey }}, path: password}
{{- end }}
{{- end }}
