FROM node:24.21.0-bookworm-slim

ENV NODE_ENV=production
WORKDIR /app

# Optional packages are the embedded engines, half a gigabyte that a deployed service has no use for.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

COPY schemas ./schemas
COPY migrations ./migrations
COPY pipeline ./pipeline
COPY api ./api
COPY deploy ./deploy

# What a volume here begins as, so that the user below may write it.
RUN mkdir -p /var/lib/tidemark/nats/users && chown -R node:node /var/lib/tidemark
USER node
EXPOSE 8080 9090
# Batches of rows are short-lived; small nurseries halve the memory and cost no speed.
ENTRYPOINT ["node", "--max-semi-space-size=4", "deploy/cli.ts"]
CMD ["--help"]
