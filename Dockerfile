# Every program of Periplus as `npm run build` has bundled it, and the Node.js that runs them: docker-compose.yml says
# which one a container runs.
ARG NODE_IMAGE=node:24-slim
FROM ${NODE_IMAGE}
COPY dist /periplus
ENTRYPOINT ["node"]
