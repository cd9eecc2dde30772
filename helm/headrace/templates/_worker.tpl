{{- define "headrace.workerEnvironment" -}}
{{ include "headrace.environment" . }}
{{- with .Values.worker }}
{{- if .staticMembership }}
- name: HEADRACE_INSTANCE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
- name: HEADRACE_SESSION_TIMEOUT_SECONDS
  value: {{ int .sessionTimeoutSeconds | quote }}
- name: HEADRACE_DRAIN_SECONDS
  value: {{ int .drainSeconds | quote }}
- name: HEADRACE_STATE_DIR
  # A folder of its own: the root of a volume may hold lost+found.
  value: /var/lib/headrace/state
- name: HEADRACE_TASKS_DATA_DIR
  value: /var/lib/headrace-data
- name: HEADRACE_PORT
  value: {{ int .port | quote }}
{{- with .maxJobs }}
- name: HEADRACE_MAX_JOBS
  value: {{ int . | quote }}
{{- end }}
{{- with .threadPoolSize }}
- name: HEADRACE_THREAD_POOL_SIZE
  value: {{ int . | quote }}
{{- end }}
{{- end }}
- name: HEADRACE_TOPICS_AUTO_APPLY
  value: {{ not .Values.topics.job.enabled | quote }}
{{- end }}

{{- define "headrace.workerContainer" -}}
name: worker
image: {{ include "headrace.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [worker]
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "headrace.workerEnvironment" . | nindent 2 }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: http
    containerPort: {{ .Values.worker.port }}
startupProbe:
  httpGet:
    path: /health/live
    port: http
  {{- toYaml .Values.worker.probes.startup | nindent 2 }}
livenessProbe:
  httpGet:
    path: /health/live
    port: http
  {{- toYaml .Values.worker.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet:
    path: /health/ready
    port: http
  {{- toYaml .Values.worker.probes.readiness | nindent 2 }}
resources:
  {{- toYaml .Values.worker.resources | nindent 2 }}
volumeMounts:
  {{- include "headrace.volumeMounts" . | nindent 2 }}
  - name: state
    mountPath: /var/lib/headrace
  - name: data
    mountPath: /var/lib/headrace-data
{{- end }}
