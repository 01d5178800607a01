{{- /* Unpacks a model's archive into its folder, which only this pod has: nobody sees a part of it, since
the worker starts afterwards. A restart of the container begins anew. */}}
{{- define "phasor.download" -}}
- name: download
  image: {{ .root.Values.modelDownload.image }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  securityContext:
    {{- include "phasor.containerSecurityContext" .root | nindent 4 }}
  command: [sh, -euc]
  args:
    - |
      cd /model
      # A folder of its own: the volume's is root's, and archives want to set its mode.
      rm -rf files archive
      mkdir files
      if [ -n "${TOKEN:-}" ]; then
        printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" > /tmp/curl.conf
      else
        : > /tmp/curl.conf
      fi
      curl --config /tmp/curl.conf --fail --location --silent --show-error --retry 8 \
        --retry-connrefused --connect-timeout 10 --output archive "$URL"
      echo "$SHA256  archive" | sha256sum -c -
      cd files
      tar -xf ../archive
      rm ../archive
      if [ ! -e phasor.yaml ]; then cp /cards/phasor.yaml .; fi
      if [ ! -e model_index.json ]; then
        echo "the archive has no model_index.json at its top" >&2
        exit 1
      fi
  env:
    - {name: URL, value: {{ .model.source.url | quote }}}
    - {name: SHA256, value: {{ .model.source.sha256 | quote }}}
    {{- with .model.source.tokenSecret }}
    - name: TOKEN
      valueFrom:
        secretKeyRef: {name: {{ .name }}, key: {{ default "token" .key }}}
    {{- end }}
  resources:
    {{- toYaml .root.Values.modelDownload.resources | nindent 4 }}
  volumeMounts:
    - {name: model, mountPath: /model}
    - {name: cards, mountPath: /cards, readOnly: true}
    - {name: tmp, mountPath: /tmp}
{{- end }}
