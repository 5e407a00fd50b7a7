# The core as machine code: see engine/compiled.py. This image has a C compiler, the next has none.
FROM python:3.13.16-trixie AS core
WORKDIR /app
COPY requirements-embedded.txt .
RUN grep -E '^(ast-serialize|librt|msgspec|mypy|mypy-extensions|pathspec|setuptools|typing-extensions)==' \
        requirements-embedded.txt > compiler.txt \
    && pip install --no-cache-dir --disable-pip-version-check -r compiler.txt
COPY engine engine
RUN python -m engine.compile_core

FROM python:3.13.16-slim-trixie

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin exchange
WORKDIR /app

# The pins first, so that a change of the code alone does not install everything again.
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY --from=core /usr/local/compiled-core /usr/local/compiled-core

COPY . .
# Building needs a secret key that nothing is ever signed with.
ENV STATIC_ROOT=/app/staticfiles EXCHANGE_HOME=/tmp/exchange
RUN EXCHANGE_HOME=/tmp/build python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf /tmp/build

USER exchange
ENV PRODUCTION=1
EXPOSE 8000

# Of the web server, which is what the image runs by itself; docker-compose.yml gives the other
# parts their commands and switches this off for them.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["python", "-m", "exchange_site.supervisor.health"]
CMD ["uvicorn", "exchange_site.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--loop", "uvloop", "--http", "httptools", "--ws", "websockets-sansio", \
     "--ws-max-size", "262144", "--ws-per-message-deflate", "false", \
     "--ws-ping-interval", "20", "--ws-ping-timeout", "60", "--lifespan", "off", \
     "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "10"]
