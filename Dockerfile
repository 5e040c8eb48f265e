# Perennial from this source, around the project that `perennial init` makes: what docker-compose.yml runs in a clone. A project has an image of its own
# (template/Dockerfile).
ARG BASE_IMAGE=node:22-bookworm-slim

FROM ${BASE_IMAGE} AS source
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && npm pack --pack-destination /tmp && node dist/cli/main.js init /app

FROM ${BASE_IMAGE} AS project
WORKDIR /app
COPY --from=source /app ./
COPY --from=source /tmp/perennial-ml-*.tgz /tmp/perennial-ml.tgz
# Two packages bring a library for each platform; those of others are half of the image.
RUN npm install --omit=dev --no-audit --no-fund /tmp/perennial-ml.tgz \
  && other=$(node -p 'process.arch === "x64" ? "arm64" : "x64"') \
  && triple=$(node -p 'process.arch === "x64" ? "aarch64" : "x86_64"') \
  && cd node_modules \
  && rm -r onnxruntime-node/bin/*/darwin onnxruntime-node/bin/*/win32 onnxruntime-node/bin/*/linux/"$other" \
  && rm -r @temporalio/core-bridge/releases/*-apple-* @temporalio/core-bridge/releases/*-windows-* @temporalio/core-bridge/releases/"$triple"-*-linux-*

FROM ${BASE_IMAGE}
ENV NODE_ENV=production PERENNIAL_HOME=/var/lib/perennial
RUN install -d -o node -g node "$PERENNIAL_HOME" "$PERENNIAL_HOME/features"
WORKDIR /app
COPY --from=project /app ./
USER node
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/v1/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "node_modules/perennial-ml/dist/cli/main.js"]
CMD ["worker", "--port", "8080"]
