{{- define "phasor.testStep" -}}
- name: {{ .step.name }}
  image: {{ .image }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  securityContext:
    {{- include "phasor.containerSecurityContext" .root | nindent 4 }}
  command: [/usr/bin/phasor]
  args:
    {{- toYaml .step.args | nindent 4 }}
  {{- if or .root.Values.tls.secret .root.Values.access.testSecret }}
  env:
    {{- with include "phasor.callerTlsEnv" .root | trim }}{{ . | nindent 4 }}{{ end }}
    {{- if .root.Values.access.testSecret }}
    - name: PHASOR_KEY_FILE
      value: /etc/phasor/credential/credential
    {{- end }}
  {{- end }}
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 256Mi}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- with include "phasor.callerTlsMounts" .root | trim }}{{ . | nindent 4 }}{{ end }}
    {{- with include "phasor.metricsCaMounts" .root | trim }}{{ . | nindent 4 }}{{ end }}
    {{- with include "phasor.credentialMounts" .root.Values.access.testSecret | trim }}{{ . | nindent 4 }}{{ end }}
{{- end }}
