# Worker and server as one image: compiled in one stage, run in another that has neither sources nor development tools.
# The base image by its digest; docs/guides/operations.md says where it is from and how it is renewed.
ARG NODE_IMAGE=node:24-bookworm-slim@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the workspaces (client, simulator): nothing here needs them.
RUN npm ci --ignore-scripts --workspaces=false
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# Nothing optional either: npm counts the compiler as such, since something would use it if it were there.
RUN node_modules/.bin/tsc -p tsconfig.build.json && npm prune --omit=dev --omit=optional --ignore-scripts --workspaces=false

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
# A worker's health: that it lives. One that waits for Redis or RunCloud has only to wait; a restart would not help it.
ENV WORKER_ADDRESS=127.0.0.1:8788
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8788/healthz').then((r) => process.exit(r.ok ? 0 : 1))"]
# Node itself must get SIGTERM, so no shell and no npm in between. Start with `--init` or in compose, which has it.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["worker"]
