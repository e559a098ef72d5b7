// Uploads by third-party tus clients. The server must always store exactly the bytes that the clients send.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { Upload, type UploadOptions } from "tus-js-client";
import { sha256, paddedRecording } from "./recording.ts";
import { expect, here, test, type Hearback } from "./test.ts";

const python = process.env.HEARBACK_TEST_TUSPY ?? join(here, "../clients/venv/bin/python");
const MIB = 1 << 20;

/** Uploads files with a person's API token. */
class TusClient {
  private constructor(
    readonly server: Hearback,
    readonly token: string,
  ) {}

  static async create(server: Hearback, name: string): Promise<TusClient> {
    const [account] = await server.addPeople(name);
    return new TusClient(
      server,
      await server.runCommand(["token", "add", "--person", account!.email, "--name", "clients"]),
    );
  }

  get headers() {
    return { authorization: `Bearer ${this.token}` };
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.server.url), {
      ...init,
      headers: { ...this.headers, ...init.headers },
    });
  }

  /**
   * Sends a file with tus-js-client and returns the id of the new media item. `onChunk` is called
   * after each chunk.
   */
  send(
    file: Buffer | Readable,
    options: Partial<UploadOptions> = {},
    onChunk: (upload: Upload, accepted: number) => void = () => {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const upload: Upload = new Upload(file as Buffer, {
        endpoint: `${this.server.url}/uploads`,
        headers: this.headers,
        metadata: { filename: "größer.webm", filetype: "video/webm" },
        retryDelays: [200, 400, 800, 1600, 3200],
        onChunkComplete: (_bytes, accepted) => onChunk(upload, accepted),
        onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader("Hearback-Media")!),
        onError: reject,
        ...options,
      });
      upload.start();
    });
  }

  /** Returns the SHA-256 hash of the stored original of a media item. */
  async storedHash(media: string): Promise<string> {
    const response = await this.fetch(`/media/${media}`);
    expect(response.status).toBe(200);
    const { renditions } = (await response.json()) as {
      renditions: { name: string; url: string }[];
    };
    const file = await fetch(
      new URL(renditions.find(({ name }) => name === "original")!.url, this.server.url),
    );
    expect(file.status).toBe(200);
    return sha256(new Uint8Array(await file.arrayBuffer()));
  }

  /** Sends a file with tuspy, in chunks of `chunk` bytes. */
  async sendWithTuspy(
    file: string,
    chunk: number,
    ...more: string[]
  ): Promise<{ url: string; media: string }> {
    const script = join(here, "../clients/send.py");
    const { stdout } = await promisify(execFile)(python, [
      script,
      this.server.url,
      this.token,
      file,
      String(chunk),
      ...more,
    ]);
    const [url = "", media = ""] = stdout.split("\n");
    return { url, media };
  }
}

test("tus-js-client uploads a file of known length in one request or in several requests", async ({
  hearback,
}) => {
  const client = await TusClient.create(hearback, "Known Length");
  const file = await paddedRecording(3 * MIB + 17);
  for (const chunkSize of [Infinity, 700_001]) {
    const media = await client.send(file, { chunkSize });
    expect(await client.storedHash(media)).toBe(sha256(file));
  }
  const small = await paddedRecording(400_000);
  expect(
    await client.storedHash(await client.send(small, { uploadDataDuringCreation: true })),
  ).toBe(sha256(small));
});

test("tus-js-client uploads a file whose length is known only at the end", async ({ hearback }) => {
  const client = await TusClient.create(hearback, "Deferred Length");
  const file = await paddedRecording(2 * MIB + 5);
  const media = await client.send(Readable.from(file), {
    uploadLengthDeferred: true,
    chunkSize: 500_000,
  });
  expect(await client.storedHash(media)).toBe(sha256(file));
});

test("tus-js-client uploads several files at once", async ({ hearback }) => {
  const client = await TusClient.create(hearback, "Several Files");
  const files = await Promise.all([1, 2, 3, 4].map((n) => paddedRecording(n * MIB + n)));
  const media = await Promise.all(files.map((file) => client.send(file, { chunkSize: 300_000 })));
  expect(new Set(media).size).toBe(files.length);
  for (const [index, file] of files.entries())
    expect(await client.storedHash(media[index]!)).toBe(sha256(file));
});

test("an upload that tus-js-client terminates leaves nothing behind", async ({ hearback }) => {
  const client = await TusClient.create(hearback, "Terminated");
  const file = await paddedRecording(2 * MIB);
  const url = await new Promise<string>((resolve, reject) => {
    client
      .send(
        file,
        { chunkSize: 256 << 10 },
        (upload) => void upload.abort(true).then(() => resolve(upload.url!), reject),
      )
      .catch(reject);
  });
  const response = await client.fetch(url, {
    method: "HEAD",
    headers: { "Tus-Resumable": "1.0.0" },
  });
  expect([404, 410]).toContain(response.status);
  expect(await (await client.fetch("/uploads")).json()).toMatchObject({ items: [] });
});

test("tus-js-client resumes an upload after the server is killed", async ({ freshServer }) => {
  const client = await TusClient.create(freshServer, "Killed");
  const file = await paddedRecording(5 * MIB + 3);
  let killed: Promise<void> | undefined;
  const media = await client.send(file, { chunkSize: 512 << 10 }, (_upload, accepted) => {
    // Kill the server while the next chunk is being sent.
    if (accepted >= 2 * MIB) killed ??= freshServer.kill().then(() => freshServer.restart());
  });
  expect(killed).toBeDefined();
  await killed;
  expect(await client.storedHash(media)).toBe(sha256(file));
});

test("tuspy uploads a file and sends a checksum with every chunk", async ({ hearback }, info) => {
  const client = await TusClient.create(hearback, "Checksums");
  const bytes = await paddedRecording(2 * MIB + 9);
  const file = info.outputPath("recording.webm");
  await writeFile(file, bytes);
  const { media } = await client.sendWithTuspy(file, 600_000);
  expect(await client.storedHash(media)).toBe(sha256(bytes));
});

test("tuspy resumes an upload in another process after the server is killed", async ({
  freshServer,
}, info) => {
  const client = await TusClient.create(freshServer, "Another Process");
  const bytes = await paddedRecording(2 * MIB + 11);
  const file = info.outputPath("recording.webm");
  await writeFile(file, bytes);
  const { url } = await client.sendWithTuspy(file, 600_000, "--chunks", "2");
  await freshServer.kill();
  await freshServer.restart();
  const response = await client.fetch(url, {
    method: "HEAD",
    headers: { "Tus-Resumable": "1.0.0" },
  });
  expect(response.headers.get("upload-offset")).toBe("1200000");
  const { media } = await client.sendWithTuspy(file, 600_000, "--url", url);
  expect(await client.storedHash(media)).toBe(sha256(bytes));
});
