{{/* The flags of an agent. */}}
{{- define "fodc.agent.args" -}}
{{- $name := include "fodc.fullname" . -}}
{{- $sidecar := eq .Values.agent.mode "sidecar" -}}
- agent
- --log-format={{ .Values.log.format }}
{{- if ne .Values.log.level "info" }}
- --log-level={{ .Values.log.level }}
{{- end }}
{{- if eq (int .Values.proxy.replicas) 1 }}
- --proxy-addr={{ $name }}-proxy:17900
{{- else }}
{{- range $i := until (int .Values.proxy.replicas) }}
- --proxy-addr={{ $name }}-proxy-{{ $i }}.{{ $name }}-proxy-pods:17900
{{- end }}
{{- end }}
- --node-id=$({{ ternary "POD_NAME" "NODE_NAME" $sidecar }})
- --node-role={{ .Values.agent.nodeRole | default "$(NODE_ROLE)" }}
{{- with .Values.agent.nodeLabels }}
- {{ printf "--node-labels=%s" . | quote }}
{{- end }}
- --node-ip=$({{ ternary "POD_IP" "HOST_IP" $sidecar }})
- --pod-name=$(POD_NAME)
{{- range .Values.agent.metricsEndpoints | default (list (ternary "http://127.0.0.1:2121/metrics" "http://$(HOST_IP):2121/metrics" $sidecar)) }}
- {{ printf "--metrics-endpoint=%s" . | quote }}
{{- end }}
{{- if and .Values.agent.nodeProcess (or $sidecar .Values.agent.kernelTelemetry.enabled) }}
- --node-process={{ .Values.agent.nodeProcess }}
{{- end }}
{{- if ne .Values.agent.storage.type "none" }}
- --storage-dir=/var/lib/fodc
- --storage-retention-size={{ .Values.agent.storage.retentionSize }}
- --incident-retention-size={{ .Values.agent.storage.incidentRetentionSize }}
- --pressure-profiler-max-disk-bytes={{ int64 .Values.agent.storage.pressureProfilerMaxBytes }}
{{- end }}
{{- if .Values.agent.tls.secretName }}
- --proxy-tls
- --proxy-ca-file=/etc/fodc/ca.crt
- --proxy-cert-file=/etc/fodc/tls.crt
- --proxy-key-file=/etc/fodc/tls.key
{{- if gt (int .Values.proxy.replicas) 1 }}
- --proxy-server-name={{ $name }}-proxy
{{- end }}
{{- end }}
{{- range .Values.agent.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* An agent's container, without what only one of sidecar and DaemonSet has. */}}
{{- define "fodc.agent.container" -}}
{{- $sidecar := eq .Values.agent.mode "sidecar" -}}
- name: fodc-agent
  image: {{ include "fodc.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    {{- include "fodc.agent.args" . | nindent 4 }}
  env:
    - name: FODC_KERNEL_TELEMETRY # a variable, and no argument: patches find it by its name
      value: {{ ternary "auto" "off" .Values.agent.kernelTelemetry.enabled | quote }}
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    {{- if $sidecar }}
    - name: POD_IP
      valueFrom:
        fieldRef:
          fieldPath: status.podIP
    {{- if not .Values.agent.nodeRole }}
    - name: NODE_ROLE
      valueFrom:
        fieldRef:
          fieldPath: metadata.labels['app.kubernetes.io/component']
    {{- end }}
    {{- else }}
    - name: NODE_NAME
      valueFrom:
        fieldRef:
          fieldPath: spec.nodeName
    - name: HOST_IP
      valueFrom:
        fieldRef:
          fieldPath: status.hostIP
    {{- end }}
  ports:
    - name: fodc-agent
      containerPort: 17902
  livenessProbe:
    httpGet:
      path: /-/healthy
      port: fodc-agent
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  resources:
    {{- toYaml .Values.agent.resources | nindent 4 }}
  securityContext:
    {{- if .Values.agent.kernelTelemetry.enabled }}
    runAsNonRoot: false
    runAsUser: 0 # Kubernetes gives added capabilities to root alone
    runAsGroup: 0
    {{- else }}
    runAsNonRoot: {{ ne (int .Values.agent.runAsUser) 0 }}
    runAsUser: {{ int .Values.agent.runAsUser }}
    runAsGroup: {{ int .Values.agent.runAsUser }}
    {{- end }}
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
      {{- if .Values.agent.kernelTelemetry.enabled }}
      add: [BPF, PERFMON]
      {{- end }}
    seccompProfile:
      type: RuntimeDefault
  {{- with include "fodc.agent.mounts" . }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "fodc.agent.mounts" -}}
{{- if ne .Values.agent.storage.type "none" }}
- name: fodc-storage
  mountPath: /var/lib/fodc
{{- end }}
{{- if .Values.agent.kernelTelemetry.enabled }}
- name: fodc-tracefs # only for fsync and fdatasync
  mountPath: /sys/kernel/tracing
  readOnly: true
{{- end }}
{{- if .Values.agent.tls.secretName }}
- name: fodc-tls
  mountPath: /etc/fodc
  readOnly: true
{{- end }}
{{- with .Values.agent.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "fodc.agent.volumes" -}}
{{- if eq .Values.agent.storage.type "emptyDir" }}
- name: fodc-storage
  emptyDir:
    sizeLimit: {{ .Values.agent.storage.sizeLimit }}
{{- else if eq .Values.agent.storage.type "hostPath" }}
- name: fodc-storage
  hostPath:
    path: {{ .Values.agent.storage.hostPath }}
    type: DirectoryOrCreate
{{- end }}
{{- if .Values.agent.kernelTelemetry.enabled }}
- name: fodc-tracefs
  hostPath:
    path: /sys/kernel/tracing
{{- end }}
{{- with .Values.agent.tls.secretName }}
- name: fodc-tls
  secret:
    secretName: {{ . }}
    {{- if eq $.Values.agent.mode "daemonset" }}
    defaultMode: 0440
    {{- end }}
{{- end }}
{{- with .Values.agent.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
