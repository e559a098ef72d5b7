# docker build -t hearback . && docker run -p 8080:8080 -v hearback:/data hearback     (prints the set-up link)

FROM node:22-bookworm-slim AS browser
WORKDIR /src/browser
COPY browser/package.json browser/package-lock.json browser/.npmrc ./
RUN npm ci
COPY browser ./
COPY templates ../templates
RUN npm run build

FROM rust:1.95-bookworm AS program
WORKDIR /src
COPY . .
COPY --from=browser /src/browser/dist browser/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/hearback /usr/local/bin/

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 8080 --no-create-home --home-dir /data hearback \
    && install -d -o hearback -g hearback /data
COPY --from=program /usr/local/bin/hearback /usr/local/bin/
COPY LICENSE /usr/share/doc/hearback/
USER hearback
WORKDIR /data
VOLUME /data
ENV HEARBACK_DATA=/data HEARBACK_LISTEN=0.0.0.0:8080
EXPOSE 8080
# The image has no curl, but bash can send the request.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/${HEARBACK_LISTEN##*:} && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["hearback"]
CMD ["serve"]
