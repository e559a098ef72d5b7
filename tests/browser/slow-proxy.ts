// A proxy with a slow uplink between a browser and a server.
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

export interface Uplink {
  bytesPerSecond: number;
  /** The delay in each direction, in milliseconds. */
  delayMs: number;
}

/** Listens on a free port and forwards to `target`. All connections share the bandwidth of the uplink. */
export async function startSlowProxy(
  target: string,
  uplink: Uplink,
): Promise<{ url: string; close: () => void }> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  /** The time at which the uplink will have sent all bytes that it has accepted. */
  let idleAt = performance.now();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (bytes) => {
      idleAt = Math.max(idleAt, performance.now()) + (bytes.length * 1000) / uplink.bytesPerSecond;
      // Stop reading until these bytes are nearly sent. The client then cannot send faster than the uplink.
      client.pause();
      setTimeout(() => client.resume(), idleAt - performance.now() - 50);
      setTimeout(() => upstream.write(bytes), idleAt - performance.now() + uplink.delayMs);
    });
    upstream.on("data", (bytes) => setTimeout(() => client.write(bytes), uplink.delayMs));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
