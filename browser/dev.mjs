// The watcher behind bin/dev. It builds the scripts and styles again when one of them changes. When Rust code or a
// template changes, it compiles the program and restarts the server. Every build changes the manifest. The open page
// (src/dev.ts) polls the manifest, and then shows the new build.
//   node browser/dev.mjs PROGRAM ASSETS ARGUMENT…
// runs `PROGRAM ARGUMENT…` as the server, and builds the scripts and styles into the folder ASSETS.
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
const QUIET = 30; // ms to wait for further events, because editors write a file in several steps
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
  // The server prints its address as its first line, so wait for output.
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
// Templates are compiled into the program and name the icons in icons.svg, so rebuild the program and the icons.
onChange(["templates"], restart);
onChange(RUST, restart);
restart();

/**
 * Wraps `work` so that only one call runs at a time. Calls made during a run cause one more run in
 * total. Errors are logged.
 */
function queue(work) {
  let running;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await work().catch((error) => {
        // esbuild prints its build errors (`error.errors`) itself.
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

/** Calls `act` after a file in `paths` has changed. A path is a file, or a folder including its subfolders. */
function onChange(paths, act) {
  let watchers = [];
  let timer;
  const note = (name) => {
    // Ignore the swap and backup files of editors.
    if (!name || name.startsWith(".") || name.endsWith("~") || /^\d+$/.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      open();
      void act();
    }, QUIET);
  };
  // Open one watcher per folder, because Node 18 cannot watch recursively on Linux. Open all of them again after each
  // change, because the change may have created a folder.
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
    // Watch the file's folder, because a watcher on the file itself is lost when an editor replaces the file.
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
