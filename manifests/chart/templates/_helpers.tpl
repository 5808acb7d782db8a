{{/* The image with its registry replaced by `images.registry`, if that is set. */}}
{{- define "kairos-operator.mirrored" -}}
{{- $registry := trimSuffix "/" .registry -}}
{{- if not $registry -}}
{{- .image -}}
{{- else if regexMatch "^([^/]*[.:][^/]*|localhost)/" .image -}}
{{- $registry }}/{{ regexReplaceAll "^[^/]+/" .image "" -}}
{{- else -}}
{{- $registry }}/{{ .image -}}
{{- end -}}
{{- end -}}

{{/* The full name of one of the operator's own images. Arguments: {"registry", "of"}. */}}
{{- define "kairos-operator.product" -}}
{{- $repository := include "kairos-operator.mirrored" (dict "registry" .registry "image" .of.repository) -}}
{{- if .of.digest -}}
{{- $repository }}@{{ .of.digest -}}
{{- else -}}
{{- $repository }}:{{ .of.tag -}}
{{- end -}}
{{- end -}}

{{- define "kairos-operator.operatorImage" -}}
{{- include "kairos-operator.product" (dict "registry" .Values.images.registry "of" .Values.images.operator) -}}
{{- end -}}

{{- define "kairos-operator.agentImage" -}}
{{- include "kairos-operator.product" (dict "registry" .Values.images.registry "of" .Values.images.agent) -}}
{{- end -}}

{{/* The names of the Secrets, separated by commas. */}}
{{- define "kairos-operator.names" -}}
{{- range $at, $secret := . -}}
{{- if $at }},{{ end -}}
{{- $secret.name -}}
{{- end -}}
{{- end -}}
