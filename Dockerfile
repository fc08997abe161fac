# The agent, as every node of a Swarm runs it. Build: docker build -t swarm-monitor:0.1.0 .
FROM python:3.13-slim AS build
WORKDIR /src
# pip and the build backend live in a venv of their own, so that the agent's has neither.
RUN python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/swarm-monitor \
    && /opt/build/bin/python -m pip install --no-cache-dir --disable-pip-version-check "hatchling>=1.27,<2"
# The dependencies alone first: a change of the code then leaves this layer as it is.
COPY pyproject.toml ./
RUN python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/build/bin/python -m pip --python /opt/swarm-monitor/bin/python install \
        --no-cache-dir --disable-pip-version-check --only-binary :all: --requirement requirements.txt
COPY README.md LICENSE ./
COPY monitor monitor
COPY rules rules
RUN /opt/build/bin/python -m pip wheel --no-cache-dir --disable-pip-version-check \
        --no-build-isolation --no-deps --wheel-dir /wheels . \
    && /opt/build/bin/python -m pip --python /opt/swarm-monitor/bin/python install \
        --no-cache-dir --disable-pip-version-check --no-deps /wheels/*.whl

FROM python:3.13-slim
ARG REVISION=""
LABEL org.opencontainers.image.title="swarm-monitor" \
      org.opencontainers.image.description="Watches a Docker Swarm, exports it to Prometheus, scales and heals services by YAML rules" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/swarm-monitor /opt/swarm-monitor
# Only services that ask for them by a label are touched by these; stack.yml puts its own in their place.
COPY rules /etc/swarm-monitor/rules
# What is run is compiled here, for the root is read-only later; then what could install goes.
# The journal may be another user's than root.
RUN /opt/swarm-monitor/bin/swarm-monitor check /etc/swarm-monitor/rules \
    && /opt/swarm-monitor/bin/python -c "import monitor.agent.run, socket" \
    && stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -rf "$stdlib/ensurepip" "$stdlib/venv" "$stdlib/idlelib" "$stdlib"/site-packages/pip* \
        /usr/local/bin/pip* /usr/local/bin/idle* /usr/share/python-wheels \
    && mkdir --mode=1777 /var/lib/swarm-monitor
ENV PATH="/opt/swarm-monitor/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SWARM_MONITOR_REVISION="${REVISION}" \
    SWARM_MONITOR_RULES=/etc/swarm-monitor/rules
EXPOSE 9580 9581
STOPSIGNAL SIGTERM
# A bare socket, since this runs every few seconds on every node. An agent that hangs is replaced
# after about two minutes: long before, its lease has passed to another and its samples count as missing.
HEALTHCHECK --interval=5s --timeout=5s --start-period=15s --retries=12 \
    CMD ["python3", "-I", "-S", "-c", "import socket, sys; s = socket.create_connection(('127.0.0.1', 9580), 4); s.sendall(b'GET /healthz HTTP/1.0\\r\\n\\r\\n'); sys.exit(s.recv(64).split()[1:2] != [b'200'])"]
ENTRYPOINT ["swarm-monitor"]
CMD ["run"]
