{{/* HEADRACE_* variables every role reads: who we are, where Kafka is, which topics. */}}
{{- define "headrace.environment" -}}
- name: HEADRACE_BOOTSTRAP_SERVERS
  value: {{ .Values.kafka.bootstrapServers | quote }}
- name: HEADRACE_APP_ID
  value: {{ .Values.appId | quote }}
- name: HEADRACE_RELEASE
  value: {{ include "headrace.release" . | quote }}
- name: HEADRACE_TASK_MODULES
  value: {{ join "," .Values.taskModules | quote }}
- name: HEADRACE_LOG_FORMAT
  value: {{ .Values.log.format | quote }}
- name: HEADRACE_LOG_LEVEL
  value: {{ .Values.log.level | quote }}
- name: HEADRACE_DEFAULT_PARTITIONS
  value: {{ int .Values.topics.defaultPartitions | quote }}
- name: HEADRACE_JOBS_PARTITIONS
  value: {{ int .Values.topics.jobsPartitions | quote }}
{{- with .Values.topics.replicationFactor }}
- name: HEADRACE_REPLICATION_FACTOR
  value: {{ int . | quote }}
{{- end }}
{{- include "headrace.security" . }}
{{- end }}

{{- define "headrace.security" }}
{{- with .Values.kafka }}
- name: HEADRACE_SECURITY_PROTOCOL
  value: {{ .securityProtocol | quote }}
{{- if hasPrefix "SASL" .securityProtocol }}
- name: HEADRACE_SASL_MECHANISM
  value: {{ .sasl.mechanism | quote }}
- name: HEADRACE_SASL_USERNAME
  valueFrom:
    secretKeyRef:
      name: {{ .sasl.existingSecret }}
      key: {{ .sasl.usernameKey }}
- name: HEADRACE_SASL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .sasl.existingSecret }}
      key: {{ .sasl.passwordKey }}
{{- end }}
{{- if .tls.existingSecret }}
- name: HEADRACE_SSL_CAFILE
  value: /etc/headrace/tls/{{ .tls.caKey }}
{{- if .tls.certKey }}
- name: HEADRACE_SSL_CERTFILE
  value: /etc/headrace/tls/{{ .tls.certKey }}
- name: HEADRACE_SSL_KEYFILE
  value: /etc/headrace/tls/{{ .tls.keyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a read-only root still needs: a place for temporary files, and the certificates. */}}
{{- define "headrace.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with .Values.kafka.tls.existingSecret }}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "headrace.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.kafka.tls.existingSecret }}
- name: tls
  mountPath: /etc/headrace/tls
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
