# One image for every role: docker run … copydesk up | serve | work. Built from a checkout.
# To pin the base by its digest: --build-arg PYTHON=python:3.13-slim@sha256:…
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS libraries
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/copydesk
WORKDIR /src
COPY requirements.lock ./
RUN /opt/copydesk/bin/pip install --no-deps --require-hashes -r requirements.lock

# What is in it, and under which licences.
FROM libraries AS sbom
COPY requirements-sbom.lock pyproject.toml README.md LICENSE ./
COPY deploy/image/sbom.sh ./
RUN python -m venv /opt/cyclonedx \
    && /opt/cyclonedx/bin/pip install --no-deps --require-hashes -r requirements-sbom.lock \
    && ./sbom.sh /opt/cyclonedx/bin/cyclonedx-py /opt/copydesk/bin/python pyproject.toml /sbom

FROM libraries AS build
COPY pyproject.toml README.md LICENSE ./
COPY contract contract
COPY service service
COPY workers workers
COPY runtime runtime
RUN /opt/copydesk/bin/pip install --no-deps --no-build-isolation . \
    && /opt/copydesk/bin/python -m compileall -q /opt/copydesk/lib

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Copydesk" \
      org.opencontainers.image.description="Raw copy in over HTTP, clean articles out on an exchange" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /data --create-home copydesk
COPY --from=build /opt/copydesk /opt/copydesk
COPY --from=sbom /sbom /usr/share/doc/copydesk
# Beyond loopback the API starts with COPYDESK_API_KEYS only.
ENV PATH=/opt/copydesk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COPYDESK_HOST=0.0.0.0 \
    COPYDESK_OPS_HOST=0.0.0.0 \
    COPYDESK_DATA=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8081/livez', timeout=4)"]
ENTRYPOINT ["copydesk"]
CMD ["up"]
