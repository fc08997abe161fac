# The agent, as every node of a Swarm runs it. Build: docker build -t swarm-monitor:0.1.0 .
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY monitor monitor
COPY rules rules
RUN python3 -m venv /opt/swarm-monitor \
    && /opt/swarm-monitor/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
ARG REVISION=""
LABEL org.opencontainers.image.title="swarm-monitor" \
      org.opencontainers.image.description="Watches a Docker Swarm, exports it to Prometheus, scales and heals services by YAML rules" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/swarm-monitor /opt/swarm-monitor
# Only services that ask for them by a label are touched by these; mount your own in their place.
COPY rules /etc/swarm-monitor/rules
ENV PATH="/opt/swarm-monitor/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SWARM_MONITOR_REVISION="${REVISION}" \
    SWARM_MONITOR_RULES=/etc/swarm-monitor/rules
EXPOSE 9580
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9580/healthz', timeout=3)"]
ENTRYPOINT ["swarm-monitor"]
CMD ["run"]
