{{/* What the schema cannot say: values that contradict each other. Each message names both and the way out. */}}
{{- define "headrace.check" -}}
{{- include "headrace.checkGrace" . -}}
{{- include "headrace.checkSecurity" . -}}
{{- include "headrace.checkEnvironment" . -}}
{{- include "headrace.checkGateway" . -}}
{{- end }}

{{- define "headrace.checkGateway" -}}
{{- with .Values.gateway -}}
{{- if and .enabled (not .apiKeys.existingSecret) -}}
{{- fail "gateway.enabled needs gateway.apiKeys.existingSecret: without keys a gateway listens on its own pod alone" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "headrace.checkGrace" -}}
{{- $needed := addf .Values.worker.drainSeconds 5 -}}
{{- if lt (float64 .Values.worker.terminationGracePeriodSeconds) $needed -}}
{{- fail (printf "worker.terminationGracePeriodSeconds (%v) must be at least worker.drainSeconds + 5 (%v): Kubernetes would kill a worker that is still handing its jobs back" .Values.worker.terminationGracePeriodSeconds $needed) -}}
{{- end -}}
{{- end }}

{{- define "headrace.checkSecurity" -}}
{{- with .Values.kafka -}}
{{- if and (hasPrefix "SASL" .securityProtocol) (not .sasl.existingSecret) -}}
{{- fail (printf "kafka.securityProtocol %s needs kafka.sasl.existingSecret: a secret with the keys %s and %s" .securityProtocol .sasl.usernameKey .sasl.passwordKey) -}}
{{- end -}}
{{- if and .tls.existingSecret (not (hasSuffix "SSL" .securityProtocol)) -}}
{{- fail (printf "kafka.tls.existingSecret is set, but kafka.securityProtocol %s does not use TLS: choose SSL or SASL_SSL" .securityProtocol) -}}
{{- end -}}
{{- if ne (empty .tls.certKey) (empty .tls.keyKey) -}}
{{- fail "kafka.tls.certKey and kafka.tls.keyKey go together: set both or none" -}}
{{- end -}}
{{- if and .tls.certKey (not .tls.existingSecret) -}}
{{- fail "kafka.tls.certKey names a key of a secret: set kafka.tls.existingSecret" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "headrace.checkEnvironment" -}}
{{- $own := include "headrace.workerEnvironment" . | fromYamlArray -}}
{{- range $extra := .Values.extraEnv -}}
{{- range $own -}}
{{- if eq .name $extra.name -}}
{{- fail (printf "extraEnv sets %s, which the chart sets itself: use its value in values.yaml" $extra.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
