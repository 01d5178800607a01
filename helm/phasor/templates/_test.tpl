{{- define "phasor.testStep" -}}
- name: {{ .step.name }}
  image: {{ .image }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  securityContext:
    {{- include "phasor.containerSecurityContext" .root | nindent 4 }}
  command: [/usr/bin/phasor]
  args:
    {{- toYaml .step.args | nindent 4 }}
  {{- with include "phasor.callerTlsEnv" .root | trim }}
  env:
    {{- . | nindent 4 }}
  {{- end }}
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 256Mi}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- with include "phasor.callerTlsMounts" .root | trim }}{{ . | nindent 4 }}{{ end }}
{{- end }}
