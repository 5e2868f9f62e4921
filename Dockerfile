# The worker as an image: compiled in one stage, run in another that has neither sources nor development tools.
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
# Redis must answer; RunCloud is left out, so that its outage does not restart workers that only have to wait.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
  CMD ["node", "dist/cli.js", "doctor", "--redis-only"]
# Node itself must get SIGTERM, so no shell and no npm in between. Start with `--init` or in compose, which has it.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["worker"]
