// A line between a browser and a server that is slow one way, as uplinks are.
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

/** Bytes a second up, and milliseconds that everything takes on its way, there and back. */
export interface Line {
  up: number;
  delay: number;
}

/** Listens on a free port and passes everything on to `to`, no faster than the line is. */
export async function slowLine(
  to: string,
  line: Line,
): Promise<{ url: string; close: () => void }> {
  const { hostname, port } = new URL(to);
  const open = new Set<Socket>();
  // One bucket for all connections: it is one line.
  let free = performance.now();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => {
      free = Math.max(free, performance.now()) + (bytes.length * 1000) / line.up;
      // So much is under way, and no more is taken until it is through.
      near.pause();
      setTimeout(() => near.resume(), free - performance.now() - 50);
      setTimeout(() => far.write(bytes), free - performance.now() + line.delay);
    });
    far.on("data", (bytes) => setTimeout(() => near.write(bytes), line.delay));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
