# One image for every role: `docker run headrace worker`, `… topics apply`, `… lag`.
# Your own tasks: FROM this image, COPY your package to /app, set HEADRACE_TASK_MODULES.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/headrace
WORKDIR /source
# Before the sources: a change in them leaves this layer, the slow one, as it is.
ARG LOCK=requirements-runtime.lock
COPY ${LOCK} ./
RUN /opt/headrace/bin/pip install --require-hashes --requirement "${LOCK}"
COPY pyproject.toml README.md ./
COPY schemas ./schemas
COPY events ./events
COPY consumers ./consumers
# The build backend is in the lock as well; nothing unpinned is fetched here, and none of it is left for the image.
RUN /opt/headrace/bin/pip install --no-deps --no-build-isolation . \
    && /opt/headrace/bin/pip uninstall --yes setuptools pip

FROM ${BASE}
LABEL org.opencontainers.image.title="headrace" \
      org.opencontainers.image.description="Background jobs on Kafka"
# The root may be read-only: what is written goes to the two folders below and to /tmp.
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    HEADRACE_STATE_DIR=/var/lib/headrace \
    HEADRACE_TASKS_DATA_DIR=/var/lib/headrace-data
RUN groupadd --gid 10001 headrace \
    && useradd --uid 10001 --gid 10001 --home-dir /app --create-home --shell /usr/sbin/nologin headrace \
    && install --directory --owner=10001 --group=10001 /var/lib/headrace /var/lib/headrace-data
COPY --from=build /opt/headrace /opt/headrace
WORKDIR /app
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME ["/var/lib/headrace", "/var/lib/headrace-data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["headrace"]
CMD ["--help"]
