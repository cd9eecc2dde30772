{{- define "headrace.topicsPod" -}}
metadata:
  labels:
    {{- include "headrace.selector" . | nindent 4 }}
    app.kubernetes.io/component: topics
  {{- with .Values.topics.job.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .Values.topics.job.serviceAccountName | default "default" }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: topics
      image: {{ include "headrace.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [topics, apply]
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- include "headrace.environment" . | nindent 8 }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml .Values.topics.job.resources | nindent 8 }}
      volumeMounts:
        {{- include "headrace.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "headrace.volumes" . | nindent 4 }}
{{- end }}
