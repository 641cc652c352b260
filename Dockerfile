# The server over stdio:  docker run --rm -i -e DICOM_HOST=pacs.example.org -e DICOM_PORT=104 IMAGE
# It runs as nobody in particular and writes nothing: --read-only --cap-drop=ALL are fine.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY src ./src
COPY docs/dicom-mcp.1 ./docs/
# The image's certificates, where a network has an authority of its own that was added to them.
ENV UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true UV_PROJECT_ENVIRONMENT=/opt/dicom-mcp
RUN uv sync --frozen --no-dev --no-editable --compile-bytecode

FROM python:3.12-slim
COPY --from=build /opt/dicom-mcp /opt/dicom-mcp
USER 10001:10001
ENTRYPOINT ["/opt/dicom-mcp/bin/dicom-mcp"]
