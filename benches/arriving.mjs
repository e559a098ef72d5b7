// Measures the cost of concurrent recordings: the server's memory use, the response times, and the number of SQL
// statements and storage requests per minute of recording.
//
// Usage: node benches/arriving.mjs [recordings] [seconds]
//
// By default, measures 20 recordings of 60 seconds. HEARBACK_BIN names the program to measure; by default, this is
// the build in target/release or, if there is none, in target/debug. If HEARBACK_TEST_S3_ENDPOINT is set
// (bin/test-servers prints it), the program stores files in S3, and uses the PostgreSQL database that
// HEARBACK_BENCH_DATABASE names, if any. Otherwise, it uses SQLite and a folder.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program =
  process.env.HEARBACK_BIN ??
  ["release", "debug"].map((profile) => join(root, "target", profile, "hearback")).find(existsSync);
const [recordings = 20, seconds = 60] = process.argv.slice(2).map(Number);
// Number of bytes in one second of a recording: 2.5 Mbit/s of video and 96 kbit/s of audio.
const second = Math.round(2_596_000 / 8);
const beginning = readFileSync(join(root, "tests/fixtures/rec-vp9-opus-10s.webm")).subarray(
  0,
  second,
);

const folder = mkdtempSync(join(tmpdir(), "hearback-bench-"));
const env = {
  ...process.env,
  HEARBACK_DATA: folder,
  HEARBACK_LISTEN: "127.0.0.1:0",
  HEARBACK_LOG: "error,sqlx::query=debug",
};
const real = process.env.HEARBACK_TEST_S3_ENDPOINT;
const counted = { statements: 0, calls: new Map() };
let proxy;
if (real) {
  proxy = await counting(real);
  Object.assign(env, {
    DATABASE_URL: process.env.HEARBACK_BENCH_DATABASE ?? "",
    HEARBACK_STORAGE: `s3://hearback-test/bench-${randomBytes(6).toString("hex")}`,
    HEARBACK_S3_ENDPOINT: `http://127.0.0.1:${proxy.address().port}`,
    HEARBACK_S3_PATH_STYLE: "true",
  });
}
const server = spawn(program, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
const printed = createInterface({ input: server.stdout });
const base = await new Promise((found) =>
  printed.on("line", (line) => {
    const link = /(https?:\/\/\S+)\/setup\?code=/.exec(line);
    if (link) found(link[1]);
    count(line);
  }),
);
createInterface({ input: server.stderr }).on("line", count);
function count(line) {
  if (line.includes("sqlx::query")) counted.statements += 1;
}

let watch;

try {
  // Create one person per recording.
  const tokens = Array.from({ length: recordings }, (_, n) => {
    const email = `person${n}@example.org`;
    execFileSync(
      program,
      ["person", "add", "--email", email, "--name", `Person ${n}`, "--password-stdin"],
      { env, input: "correct horse battery staple\n", stdio: ["pipe", "ignore", "ignore"] },
    );
    return execFileSync(program, ["token", "add", "--person", email, "--name", "bench"], {
      env,
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim();
  });
  const agent = new Agent({ keepAlive: true, maxSockets: recordings });
  const ask = (who, method, path, more, body) =>
    new Promise((done, failed) => {
      const headers = { authorization: `Bearer ${tokens[who]}`, "tus-resumable": "1.0.0" };
      const sent = request(
        base + path,
        { method, agent, headers: { ...headers, ...more, "content-length": body?.length ?? 0 } },
        (answer) => {
          answer
            .resume()
            .on("end", () =>
              answer.statusCode < 300
                ? done(answer.headers)
                : failed(new Error(`${method} ${path}: ${answer.statusCode}`)),
            );
        },
      );
      sent.on("error", failed).end(body);
    });

  await ask(0, "GET", "/updates", {});
  const idle = memory("VmRSS");
  const noise = randomBytes(second);
  counted.statements = 0;
  counted.calls.clear();
  const took = [];
  let most = 0;
  watch = setInterval(() => {
    most = Math.max(most, memory("VmRSS"));
  }, 100);
  const ends = await Promise.all(
    Array.from({ length: recordings }, async (_, n) => {
      const path = new URL(
        (await ask(n, "POST", "/uploads", { "upload-defer-length": "1" })).location,
      ).pathname;
      // Spread the start times over one second.
      await pause((n * 1000) / recordings);
      const began = performance.now();
      let at = 0;
      for (let piece = 0; piece < seconds; piece += 1) {
        await pause(began + piece * 1000 - performance.now());
        const bytes =
          piece === 0 ? Buffer.concat([beginning, noise.subarray(beginning.length)]) : noise;
        const asked = performance.now();
        at = Number(
          (
            await ask(
              n,
              "PATCH",
              path,
              { "upload-offset": at, "content-type": "application/offset+octet-stream" },
              bytes,
            )
          )["upload-offset"],
        );
        took.push(performance.now() - asked);
      }
      return [path, at];
    }),
  );
  const arriving = most;
  const { statements } = counted;
  const calls = [...counted.calls].sort();
  const whole = await Promise.all(
    ends.map(async ([path, at], n) => {
      const asked = performance.now();
      await ask(n, "PATCH", path, {
        "upload-offset": at,
        "upload-length": at,
        "content-type": "application/offset+octet-stream",
      });
      return performance.now() - asked;
    }),
  );
  const minutes = (recordings * seconds) / 60;
  const all = calls.reduce((sum, [, times]) => sum + times, 0);
  const perMinute = (count) => (count / minutes).toFixed(0);
  const slowest = took.sort((a, b) => a - b)[Math.floor(took.length * 0.99)];
  const place = real ? "PostgreSQL or SQLite, and S3" : "SQLite and a folder";
  const build = program.includes("release") ? "release" : "debug";
  const rate = (second / 125_000).toFixed(1);
  const perCall = calls.map(([name, times]) => `${name} ${(times / minutes).toFixed(1)}`);
  for (const line of [
    `${place}; ${recordings} recordings of ${seconds} s at ${rate} Mbit/s; ${build} build`,
    `memory: ${mib(idle)} before, at most ${mib(arriving)} during the recordings (${mib(arriving - idle)} more)`,
    `a second of recording is durable after ${ms(median(took))} (median; 99%: ${ms(slowest)})`,
    `the finishing request: ${ms(median(whole))} (median of ${recordings} concurrent requests)`,
    `a minute of recording: ${perMinute(statements)} statements, ${perMinute(all)} storage requests`,
    ...perCall.map((call) => `  ${call}`),
  ])
    console.log(line);
} finally {
  clearInterval(watch);
  server.kill("SIGTERM");
  await once(server, "exit");
  proxy?.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Returns the field `name` of the server's /proc/PID/status, in KiB. */
function memory(name) {
  return Number(
    new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1],
  );
}
function mib(kib) {
  return `${(kib / 1024).toFixed(1)} MiB`;
}
function ms(value) {
  return `${value.toFixed(0)} ms`;
}
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
function pause(time) {
  return new Promise((done) => setTimeout(done, Math.max(0, time)));
}

/** Starts a proxy in front of the storage. The proxy counts the requests by method and query parameter. */
async function counting(to) {
  const { hostname, port } = new URL(to);
  const agent = new Agent({ keepAlive: true });
  const passing = createServer((asked, answer) => {
    const query = new URL(asked.url, to).searchParams;
    const kind = ["versions", "partNumber", "uploads", "uploadId", "list-type"].find((name) =>
      query.has(name),
    );
    const name = kind ? `${asked.method} ?${kind}` : asked.method;
    counted.calls.set(name, (counted.calls.get(name) ?? 0) + 1);
    const on = request(
      {
        hostname,
        port,
        agent,
        method: asked.method,
        path: asked.url,
        headers: asked.headers,
        setHost: false,
      },
      (back) => {
        answer.writeHead(back.statusCode, back.headers);
        back.pipe(answer);
      },
    );
    on.on("error", () => answer.destroy());
    asked.pipe(on);
  });
  await new Promise((listening) => passing.listen(0, "127.0.0.1", listening));
  return passing;
}
