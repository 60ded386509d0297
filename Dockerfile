# Four images from one checkout (docs/deploy.md):
#
#   docker build --target gateway -t wasieve .                                          the gateway, Alpine and Node
#   docker build --target filter --platform wasi/wasm --provenance=false -t overheat .  a module and nothing else
#   docker build --target standalone -t overheat .                                      a static runtime and the module
#   docker build --target piped -t overheat-piped .                                     the same between two MQTT clients
#
# SOURCE names the filter. A mirror or a digest may stand for each base image.

# The last LTS line of Node that is made for arm/v7 as well.
ARG NODE_IMAGE=docker.io/library/node:22-alpine3.22
# The same on the machine that builds.
ARG BUILD_IMAGE=${NODE_IMAGE}
ARG GO_IMAGE=docker.io/library/golang:1.25-alpine3.22
ARG MQTT_IMAGE=docker.io/library/eclipse-mosquitto:2.0.22

# What comes out of these stages runs on any machine, so the builder's own makes it: no emulation.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && mkdir /empty

FROM build AS module
ARG SOURCE=assembly/filters/overheat.ts
RUN node build/bin/main.js build "$SOURCE" -o /filter.wasm

FROM scratch AS filter
COPY --from=module --chmod=755 /filter.wasm /filter.wasm
ENTRYPOINT ["/filter.wasm"]

# As `wasieve pack --standalone` makes it: pinned by deploy/wazero/go.sum, static, no paths, no build id.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS wazero
ARG TARGETARCH
ARG TARGETVARIANT
WORKDIR /src
COPY deploy/wazero/ ./
RUN if [ "$TARGETARCH" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi; \
	CGO_ENABLED=0 GOOS=linux GOARCH="$TARGETARCH" go build -mod=readonly -trimpath -buildvcs=false \
	-ldflags='-s -w -buildid=' -o /wazero github.com/tetratelabs/wazero/cmd/wazero

FROM scratch AS standalone
COPY --from=wazero /wazero /wazero
COPY --from=module --chmod=755 /filter.wasm /filter.wasm
USER 65534:65534
ENTRYPOINT ["/wazero", "run", "-env-inherit", "/filter.wasm"]

FROM ${MQTT_IMAGE} AS piped
COPY --from=wazero /wazero /wazero
COPY --from=module --chmod=755 /filter.wasm /filter.wasm
COPY --chmod=755 deploy/piped.sh /piped.sh
USER 65534:65534
ENTRYPOINT ["/piped.sh"]

FROM ${NODE_IMAGE} AS gateway
ENV NODE_ENV=production
WORKDIR /app
# build/bin has in it all that runs; the embedded broker is left out.
COPY --from=build /src/package.json ./
COPY --from=build /src/build/bin build/bin
COPY --from=build /src/build/*.wasm build/
COPY deploy/gateway.yaml /etc/wasieve/gateway.yaml
COPY --from=build --chown=1000:1000 /empty /data
VOLUME /data
# As a number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=2 \
	CMD ["node", "/app/build/bin/main.js", "health", "/etc/wasieve/gateway.yaml"]
# Node is process 1 and hears SIGTERM itself.
ENTRYPOINT ["node", "/app/build/bin/main.js"]
CMD ["run", "/etc/wasieve/gateway.yaml"]
