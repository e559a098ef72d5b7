// Clients of tus that others made, against the whole server: whatever they do, what is stored is what they sent, byte for byte.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { Upload, type UploadOptions } from "tus-js-client";
import { hash, padded } from "./recording.ts";
import { expect, here, test, type Hearback } from "./test.ts";

const python = process.env.HEARBACK_TEST_TUSPY ?? join(here, "../clients/venv/bin/python");
const MIB = 1 << 20;

/** Someone with a token on a server, and what they can see of what they sent. */
class Sender {
  private constructor(
    readonly server: Hearback,
    readonly token: string,
  ) {}

  static async of(server: Hearback, name: string): Promise<Sender> {
    const [who] = await server.people(name);
    return new Sender(
      server,
      await server.command(["token", "add", "--person", who!.email, "--name", "clients"]),
    );
  }

  get headers() {
    return { authorization: `Bearer ${this.token}` };
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.server.url), {
      ...init,
      headers: { ...this.headers, ...init.headers },
    });
  }

  /** Sends a file and answers its media; `watch` is told of each chunk that was taken. */
  send(
    file: Buffer | Readable,
    options: Partial<UploadOptions> = {},
    watch: (upload: Upload, accepted: number) => void = () => {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const upload: Upload = new Upload(file as Buffer, {
        endpoint: `${this.server.url}/uploads`,
        headers: this.headers,
        metadata: { filename: "größer.webm", filetype: "video/webm" },
        retryDelays: [200, 400, 800, 1600, 3200],
        onChunkComplete: (_bytes, accepted) => watch(upload, accepted),
        onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader("Hearback-Media")!),
        onError: reject,
        ...options,
      });
      upload.start();
    });
  }

  /** The hash of what is stored. */
  async stored(media: string): Promise<string> {
    const said = await this.ask(`/media/${media}`);
    expect(said.status).toBe(200);
    const { renditions } = (await said.json()) as { renditions: { name: string; url: string }[] };
    const file = await fetch(
      new URL(renditions.find(({ name }) => name === "original")!.url, this.server.url),
    );
    expect(file.status).toBe(200);
    return hash(new Uint8Array(await file.arrayBuffer()));
  }

  /** Sends a file with tuspy. */
  async tuspy(
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

test("tus-js-client: a known length, in one request and in many", async ({ hearback }) => {
  const sender = await Sender.of(hearback, "Known Length");
  const file = await padded(3 * MIB + 17);
  for (const chunkSize of [Infinity, 700_001]) {
    const media = await sender.send(file, { chunkSize });
    expect(await sender.stored(media)).toBe(hash(file));
  }
  const small = await padded(400_000);
  expect(await sender.stored(await sender.send(small, { uploadDataDuringCreation: true }))).toBe(
    hash(small),
  );
});

test("tus-js-client: a length that is known only at the end", async ({ hearback }) => {
  const sender = await Sender.of(hearback, "Deferred Length");
  const file = await padded(2 * MIB + 5);
  const media = await sender.send(Readable.from(file), {
    uploadLengthDeferred: true,
    chunkSize: 500_000,
  });
  expect(await sender.stored(media)).toBe(hash(file));
});

test("tus-js-client: several files at once, each its own", async ({ hearback }) => {
  const sender = await Sender.of(hearback, "Several Files");
  const files = await Promise.all([1, 2, 3, 4].map((n) => padded(n * MIB + n)));
  const media = await Promise.all(files.map((file) => sender.send(file, { chunkSize: 300_000 })));
  expect(new Set(media).size).toBe(files.length);
  for (const [index, file] of files.entries())
    expect(await sender.stored(media[index]!)).toBe(hash(file));
});

test("tus-js-client: terminated in the middle, nothing is left of it", async ({ hearback }) => {
  const sender = await Sender.of(hearback, "Terminated");
  const file = await padded(2 * MIB);
  const url = await new Promise<string>((resolve, reject) => {
    sender
      .send(
        file,
        { chunkSize: 256 << 10 },
        (upload) => void upload.abort(true).then(() => resolve(upload.url!), reject),
      )
      .catch(reject);
  });
  const said = await sender.ask(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
  expect([404, 410]).toContain(said.status);
  expect(await (await sender.ask("/uploads")).json()).toMatchObject({ items: [] });
});

test("tus-js-client: goes on where it was after the server was killed", async ({ fresh }) => {
  const sender = await Sender.of(fresh, "Killed");
  const file = await padded(5 * MIB + 3);
  let killed: Promise<void> | undefined;
  const media = await sender.send(file, { chunkSize: 512 << 10 }, (_upload, accepted) => {
    // With the next chunk on its way.
    if (accepted >= 2 * MIB) killed ??= fresh.kill().then(() => fresh.again());
  });
  expect(killed).toBeDefined();
  await killed;
  expect(await sender.stored(media)).toBe(hash(file));
});

test("tuspy: every chunk with its checksum", async ({ hearback }, info) => {
  const sender = await Sender.of(hearback, "Checksums");
  const bytes = await padded(2 * MIB + 9);
  const file = info.outputPath("recording.webm");
  await writeFile(file, bytes);
  const { media } = await sender.tuspy(file, 600_000);
  expect(await sender.stored(media)).toBe(hash(bytes));
});

test("tuspy: goes on in another process, after the server was killed", async ({ fresh }, info) => {
  const sender = await Sender.of(fresh, "Another Process");
  const bytes = await padded(2 * MIB + 11);
  const file = info.outputPath("recording.webm");
  await writeFile(file, bytes);
  const { url } = await sender.tuspy(file, 600_000, "--chunks", "2");
  await fresh.kill();
  await fresh.again();
  const said = await sender.ask(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
  expect(said.headers.get("upload-offset")).toBe("1200000");
  const { media } = await sender.tuspy(file, 600_000, "--url", url);
  expect(await sender.stored(media)).toBe(hash(bytes));
});
