# One image for every process: migrate, relay, projector, sealer, advance, and the command line.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --require-hashes --requirement requirements/runtime.txt \
    && python -m pip install --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY services services
COPY projections projections
COPY adapters adapters
RUN python -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /venv/bin/python -m pip install --no-index --no-deps /wheels/*.whl \
    && /venv/bin/python -m compileall -q /venv/lib

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 seatledger \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin seatledger \
    && install --directory --owner=10001 --group=10001 --mode=0711 /var/lib/seatledger /var/lib/seatledger-seal
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SEATLEDGER_HOME=/tmp/seatledger
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["seatledger"]
CMD ["--help"]
