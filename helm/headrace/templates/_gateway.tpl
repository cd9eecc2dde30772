{{- define "headrace.gatewayEnvironment" -}}
{{ include "headrace.environment" . }}
{{- with .Values.gateway }}
- name: HEADRACE_GATEWAY_HOST
  value: "0.0.0.0"
- name: HEADRACE_GATEWAY_PORT
  value: {{ int .port | quote }}
- name: HEADRACE_GATEWAY_STATE_DIR
  value: /var/lib/headrace/gateway
- name: HEADRACE_GATEWAY_API_KEYS_FILE
  value: /etc/headrace/keys/{{ .apiKeys.key }}
{{- with .apiKeys.sessionSecretKey }}
- name: HEADRACE_GATEWAY_SESSION_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.gateway.apiKeys.existingSecret }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "headrace.gatewayContainer" -}}
name: gateway
image: {{ include "headrace.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [gateway]
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "headrace.gatewayEnvironment" . | nindent 2 }}
  {{- with .Values.gateway.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: http
    containerPort: {{ .Values.gateway.port }}
startupProbe:
  httpGet:
    path: /health/live
    port: http
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet:
    path: /health/live
    port: http
  timeoutSeconds: 5
readinessProbe:
  httpGet:
    path: /health/ready
    port: http
  periodSeconds: 5
  timeoutSeconds: 3
resources:
  {{- toYaml .Values.gateway.resources | nindent 2 }}
volumeMounts:
  {{- include "headrace.volumeMounts" . | nindent 2 }}
  - name: state
    mountPath: /var/lib/headrace
  - name: keys
    mountPath: /etc/headrace/keys
    readOnly: true
{{- end }}
