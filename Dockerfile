# syntax=docker/dockerfile:1

# llama.cpp is compiled for the processor this is built on: build the image where it is to run.
FROM python:3.11-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY ingest ingest
COPY prompts prompts
# the cache keeps what was compiled, so that a change of the sources alone builds in seconds
RUN --mount=type=cache,target=/root/.cache/pip /venv/bin/pip install --constraint constraints.txt .

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /venv /venv
RUN useradd --create-home transom && install -d -o transom /data
USER transom
ENV PATH=/venv/bin:$PATH TRANSOM_HOME=/data
VOLUME /data
EXPOSE 8501
CMD ["transom", "chat", "--host", "0.0.0.0"]
