// The watcher behind bin/dev. An edit of a script or style is bundled again, an edit of Rust or a template is compiled and restarts the server;
// the open page (src/dev.ts) sees both in the manifest and reloads.
//   node browser/dev.mjs PROGRAM ASSETS ARGUMENT…   serves with `PROGRAM ARGUMENT…`; scripts and styles are built into the folder ASSETS
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { bundler } from "./bundle.mjs";

const SCRIPTS = ["browser/src", "browser/styles"];
const RUST = [
  "src",
  "migrations",
  "sample",
  "docs/openapi.json",
  "Cargo.toml",
  "Cargo.lock",
  "build.rs",
];
const QUIET = 30; // ms without another event, because editors write a file in several steps
const STOP = 3_000; // ms until a server that does not stop is killed

const [program, assets, ...args] = process.argv.slice(2);
const { build } = await bundler({ out: assets, dev: true });
let server;
let restarts = 0;

const bundle = queue(async () => {
  const start = performance.now();
  await build({ restarts: String(restarts) });
  say(`Scripts and styles are built (${elapsed(start)})`);
});

const restart = queue(async () => {
  const start = performance.now();
  if ((await exit(spawn("cargo", ["build"], { stdio: "inherit" }))) !== 0) return;
  await stop();
  server = spawn(program, args, {
    env: { ...process.env, HEARBACK_ASSETS: assets },
    stdio: ["ignore", "pipe", "inherit"],
  });
  server.stdout.pipe(process.stdout);
  // The first line says where it listens.
  await Promise.race([once(server.stdout, "data"), once(server, "exit")]);
  if (server.exitCode !== null) return say("The server does not start");
  restarts += 1;
  say(`The program is built and started (${elapsed(start)})`);
  bundle();
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => void stop().then(() => process.exit()));
}
await bundle();
onChange(SCRIPTS, bundle);
// A template can name an icon, and icons.svg holds only those that are named.
onChange(["templates"], restart);
onChange(RUST, restart);
restart();

/** Wraps `work` so that it runs once at a time, and once more if it was called while it ran. An error is logged. */
function queue(work) {
  let running;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await work().catch((error) => {
        // esbuild has printed its own errors.
        if (!error.errors) console.error(error);
      });
    } while (again);
    running = undefined;
  };
  return () => {
    if (running) again = true;
    return (running ??= run());
  };
}

/** Calls `act` after a change of a file in `paths` (files, and folders with all that is below them). */
function onChange(paths, act) {
  let watchers = [];
  let timer;
  const note = (name) => {
    // Editors' swap and backup files.
    if (!name || name.startsWith(".") || name.endsWith("~") || /^\d+$/.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      open();
      void act();
    }, QUIET);
  };
  // One watcher per folder, because Node 18 cannot watch recursively on Linux. They are opened again after each change, for new folders.
  const open = () => {
    const old = watchers;
    watchers = paths.flatMap(follow);
    for (const watcher of old) watcher.close();
  };
  const follow = (path) => {
    if (statSync(path).isDirectory()) {
      const below = readdirSync(path, { withFileTypes: true }).filter((entry) =>
        entry.isDirectory(),
      );
      return [
        watch(path, (_, name) => note(name)),
        ...below.flatMap(({ name }) => follow(join(path, name))),
      ];
    }
    // The folder of a single file, because editors replace files.
    return [watch(dirname(path), (_, name) => name === basename(path) && note(name))];
  };
  open();
}

async function stop() {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = exit(server);
  server.kill("SIGTERM");
  const timer = setTimeout(() => server.kill("SIGKILL"), STOP);
  await ended;
  clearTimeout(timer);
}

async function exit(child) {
  const [code] = await once(child, "exit");
  return code;
}

function elapsed(start) {
  return `${((performance.now() - start) / 1000).toFixed(2)} s`;
}

function say(text) {
  console.error(`== ${text}`);
}
