{{- define "fodc.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "fodc" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-fodc" (.Release.Name | trunc 35 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "fodc.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What selects pods. Takes a list of the root and the component. */}}
{{- define "fodc.selector" -}}
app.kubernetes.io/name: fodc
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of objects. Takes a list of the root and the component. */}}
{{- define "fodc.labels" -}}
{{ include "fodc.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Who may ask over HTTP, as peers of a NetworkPolicy. */}}
{{- define "fodc.clients" -}}
- podSelector:
    matchLabels:
      fodc/client: "true"
{{- range .Values.networkPolicy.clientNamespaces }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . }}
{{- end }}
{{- end -}}

{{/* Values that contradict each other. */}}
{{- define "fodc.check" -}}
{{- if and .Values.proxy.web.tls (not .Values.proxy.web.secretName) -}}
{{- fail "proxy.web.tls is true, but proxy.web.secretName is empty: it has the certificate" -}}
{{- end -}}
{{- if and .Values.agent.tls.secretName (not .Values.proxy.tls.secretName) -}}
{{- fail "agent.tls.secretName is set, but proxy.tls.secretName is empty: a proxy without a certificate speaks no TLS" -}}
{{- end -}}
{{- if and .Values.proxy.tls.secretName (ne .Values.agent.mode "none") (not .Values.agent.tls.secretName) -}}
{{- fail "proxy.tls.secretName is set, but agent.tls.secretName is empty: agents could not connect" -}}
{{- end -}}
{{- if and (eq .Values.agent.mode "daemonset") (not .Values.agent.nodeRole) -}}
{{- fail "agent.nodeRole is empty: agents of a DaemonSet have no pod whose label could say it; such as datanode-hot" -}}
{{- end -}}
{{- if and .Values.proxy.alertmanager.urls .Values.networkPolicy.enabled (not .Values.networkPolicy.proxyEgress) -}}
{{- fail "proxy.alertmanager.urls is set, but networkPolicy.proxyEgress lets the proxy connect to nobody" -}}
{{- end -}}
{{- end -}}
