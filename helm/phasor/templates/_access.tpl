{{- define "phasor.hasTokens" -}}
{{- with .Values.access.jwt -}}
{{- if or .jwks .jwksConfigMap .issuer .audience -}}yes{{- end -}}
{{- end -}}
{{- end }}

{{- /* Whether callers need a credential. */}}
{{- define "phasor.asksWho" -}}
{{- if or (ne .Values.access.keys "off") (include "phasor.hasTokens" .) -}}yes{{- end -}}
{{- end }}

{{- define "phasor.accessEnv" -}}
{{- if ne .Values.access.keys "off" }}
- name: PHASOR_KEYS
  value: {{ eq .Values.access.keys "file" | ternary (printf "/etc/phasor/keys/%s" .Values.access.keysSecretKey) "redis" }}
{{- end }}
{{- if include "phasor.hasTokens" . }}
{{- with .Values.access.jwt }}
- name: PHASOR_JWT_JWKS
  value: {{ ternary "/etc/phasor/jwks/jwks.json" .jwks (ne .jwksConfigMap "") }}
- name: PHASOR_JWT_ISSUER
  value: {{ .issuer | quote }}
- name: PHASOR_JWT_AUDIENCE
  value: {{ .audience | quote }}
{{- with .tenantClaim }}
- name: PHASOR_JWT_TENANT_CLAIM
  value: {{ . | quote }}
{{- end }}
{{- with .rolesClaim }}
- name: PHASOR_JWT_ROLES_CLAIM
  value: {{ . | quote }}
{{- end }}
{{- with .rolePrefix }}
- name: PHASOR_JWT_ROLE_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.gateway.insecure (not (include "phasor.asksWho" .)) }}
- name: PHASOR_INSECURE
  value: "true"
{{- end }}
{{- end }}

{{- define "phasor.accessMounts" -}}
{{- if eq .Values.access.keys "file" }}
- {name: keys, mountPath: /etc/phasor/keys, readOnly: true}
{{- end }}
{{- if .Values.access.jwt.jwksConfigMap }}
- {name: jwks, mountPath: /etc/phasor/jwks, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.accessVolumes" -}}
{{- if eq .Values.access.keys "file" }}
- name: keys
  secret:
    secretName: {{ .Values.access.keysSecret }}
    items:
      - {key: {{ .Values.access.keysSecretKey }}, path: {{ .Values.access.keysSecretKey }}}
{{- end }}
{{- with .Values.access.jwt.jwksConfigMap }}
- name: jwks
  configMap:
    name: {{ . }}
    items:
      - {key: jwks.json, path: jwks.json}
{{- end }}
{{- end }}

{{- /* What a caller of gateways carries, from the Secret that is named; "": nothing. */}}
{{- define "phasor.credentialMounts" -}}
{{- if . }}
- {name: credential, mountPath: /etc/phasor/credential, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.credentialVolumes" -}}
{{- with . }}
- name: credential
  secret:
    secretName: {{ . }}
    items:
      - {key: credential, path: credential}
{{- end }}
{{- end }}

{{- /* Redis's password as a file: programs read it anew for each connection. */}}
{{- define "phasor.redisPasswordMounts" -}}
{{- if include "phasor.redisHasPassword" . }}
- {name: redis-password, mountPath: /etc/phasor/redis-password, readOnly: true}
{{- end }}
{{- end }}

{{- define "phasor.redisPasswordVolumes" -}}
{{- if include "phasor.redisHasPassword" . }}
- name: redis-password
  secret:
    secretName: {{ include "phasor.redisSecretName" . }}
    items:
      - {key: {{ .Values.redis.auth.key }}, path: password}
{{- end }}
{{- end }}
