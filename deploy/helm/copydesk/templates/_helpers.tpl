{{/* Labels that select the pods of a role. Takes a dict of root and role. */}}
{{- define "copydesk.labels" -}}
app.kubernetes.io/name: copydesk
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "copydesk.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Variables of a role: settings, then secrets. Takes a dict of root, role (the values of the role) and user (of RabbitMQ, if it has its own). */}}
{{- define "copydesk.env" -}}
{{- range $name, $value := merge (dict) (.role.settings | default dict) .root.Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- $user := .user }}
{{- range $name := .role.secrets }}
{{- $from := index $.root.Values.secrets $name }}
{{- if and $user (eq $name "COPYDESK_AMQP_URL") }}
{{- $from = dict "name" $user "key" "amqp-url" }}
{{- end }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $from.name }}, key: {{ $from.key }}{{ if $from.optional }}, optional: true{{ end }}}}
{{- end }}
{{- with .root.Values.tracing }}
{{- if .endpoint }}
{{- range $name, $value := merge (dict "OTEL_EXPORTER_OTLP_ENDPOINT" .endpoint) .settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- with .headers }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "copydesk.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
