{{- /* Up at once; down when fewer have been enough for a while. */}}
{{- define "phasor.scaleBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - {type: Percent, value: 100, periodSeconds: 15}
    - {type: Pods, value: 4, periodSeconds: 15}
  selectPolicy: Max
scaleDown:
  stabilizationWindowSeconds: {{ .scaleDownStabilizationSeconds }}
  policies:
    - {type: Percent, value: 100, periodSeconds: 15}
  selectPolicy: Max
{{- end }}
