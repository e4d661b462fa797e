{{- define "fodc.proxy.args" -}}
- proxy
- --log-format={{ .Values.log.format }}
{{- if ne .Values.log.level "info" }}
- --log-level={{ .Values.log.level }}
{{- end }}
{{- if ne .Values.proxy.storage.type "none" }}
- --storage-dir=/var/lib/fodc
- --incident-retention-size={{ .Values.proxy.storage.incidentRetentionSize }}
{{- end }}
{{- if .Values.proxy.tls.secretName }}
- --grpc-tls-cert-file=/etc/fodc-grpc/proxy.crt
- --grpc-tls-key-file=/etc/fodc-grpc/proxy.key
{{- if .Values.proxy.tls.clientAuth }}
- --grpc-client-ca-file=/etc/fodc-grpc/ca.crt
- --grpc-node-id-from={{ .Values.proxy.tls.nodeIDFrom }}
{{- end }}
{{- end }}
{{- if .Values.proxy.web.secretName }}
- --web-config-file=/etc/fodc-web/web.yml
- --bearer-token-file=/etc/fodc-web/http.tokens
{{- end }}
{{- range .Values.proxy.alertmanager.urls }}
- {{ printf "--alertmanager-url=%s" . | quote }}
{{- end }}
{{- range .Values.proxy.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "fodc.proxy.mounts" -}}
{{- if ne .Values.proxy.storage.type "none" }}
- name: storage
  mountPath: /var/lib/fodc
{{- end }}
{{- if .Values.proxy.tls.secretName }}
- name: grpc
  mountPath: /etc/fodc-grpc
  readOnly: true
{{- end }}
{{- if .Values.proxy.web.secretName }}
- name: web
  mountPath: /etc/fodc-web
  readOnly: true
{{- end }}
{{- end -}}

{{- define "fodc.proxy.volumes" -}}
{{- if eq .Values.proxy.storage.type "emptyDir" }}
- name: storage
  emptyDir:
    sizeLimit: {{ .Values.proxy.storage.size }}
{{- end }}
{{- with .Values.proxy.tls.secretName }}
- name: grpc
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.proxy.web.secretName }}
- name: web
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}
