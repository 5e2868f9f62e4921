# Worker and server as one image: compiled in one stage, run in another that has neither sources nor development tools.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node_modules/.bin/tsc -p tsconfig.build.json

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist ./dist
USER node
# A worker's health: that it lives. One that waits for Redis or RunCloud has only to wait; a restart would not help it.
ENV WORKER_ADDRESS=127.0.0.1:8788
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8788/healthz').then((r) => process.exit(r.ok ? 0 : 1))"]
# Node itself must get SIGTERM, so no shell and no npm in between. Start with `--init` or in compose, which has it.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["worker"]
