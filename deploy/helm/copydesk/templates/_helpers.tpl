{{/* Labels that select the pods of a role. Takes a dict of root and role. */}}
{{- define "copydesk.labels" -}}
app.kubernetes.io/name: copydesk
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "copydesk.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Variables of a role: settings, then secrets. Takes a dict of root and role (the values of the role). */}}
{{- define "copydesk.env" -}}
{{- range $name, $value := merge (dict) (.role.settings | default dict) .root.Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- range $name := .role.secrets }}
{{- $from := index $.root.Values.secrets $name }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $from.name }}, key: {{ $from.key }}{{ if $from.optional }}, optional: true{{ end }}}}
{{- end }}
{{- end }}

{{- define "copydesk.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
