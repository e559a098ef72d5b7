// Bundles the browser's code. Writes scripts and styles under content-hashed names, and manifest.json, which maps
// their plain names to the hashed ones.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const templates = join(here, "../templates");
const icons = join(here, "node_modules/lucide-static/icons");

/**
 * Returns `build`, which builds into the folder `out` and later rebuilds only what changed, and
 * `dispose`, which releases esbuild's resources. A failed build leaves the folder as it was. With
 * `dev`, the code is readable and has source maps, and open pages show each new build (src/dev.ts).
 */
export async function bundler({ out, dev = false }) {
  const entries = {
    "app.js": dev ? "src/dev.ts" : "src/app.ts",
    "compose.js": "src/compose.ts",
    "theme.js": "src/theme.ts",
    "compositor-worker.js": "src/recorder/compositor-worker.ts",
    "recording-uploader-worker.js": "src/upload/recording-uploader-worker.ts",
    "app.css": "styles/app.css",
  };
  const context = await esbuild.context({
    absWorkingDir: here,
    entryPoints: Object.entries(entries).map(([name, path]) => ({
      in: path,
      out: name === "app.css" ? "style" : basename(name, ".js"),
    })),
    outdir: out,
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    // Firefox 115 does not understand nested CSS, so let esbuild flatten it.
    target: ["es2022", "firefox115"],
    minify: !dev,
    sourcemap: dev ? "inline" : false,
    legalComments: "none",
    loader: { ".woff2": "file", ".ttf": "file" },
    metafile: true,
    write: false,
    plugins: [made("emojis", emojis), made("glyphs", glyphs), woff2Only],
    logLevel: "warning",
  });

  /** Builds everything and returns the manifest, which also contains the entries of `more`. */
  async function build(more = {}) {
    const { metafile, outputFiles } = await context.rebuild();
    const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
    const manifest = { ...more };
    for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
      const entry = Object.entries(entries).find(([, source]) => source === entryPoint);
      if (entry) manifest[entry[0]] = basename(path);
    }
    manifest["app.js imports"] = staticImports(metafile.outputs, entries["app.js"]).join(" ");
    const add = (name, text) => {
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase();
      manifest[name] = `${basename(name, extname(name))}-${hash}${extname(name)}`;
      files.set(manifest[name], text);
    };
    add("icons.svg", sprite());
    add("favicon.svg", readFileSync(join(here, "src/favicon.svg"), "utf8"));
    // The page and the server draw text in marks with this font. The page names it in styles/markup-editor.css, and the
    // server looks it up in the manifest.
    manifest["DejaVuSans.ttf"] = nameOf(files, "DejaVuSans-");
    // Every page preloads the font of its title.
    manifest["serif.woff2"] = nameOf(files, "source-serif-4-latin-600-normal-");
    if (!dev) compress(files);
    replace(out, files, manifest);
    return manifest;
  }

  return { build, dispose: () => context.dispose() };
}

/** Returns the name of the file whose name begins with `start`. */
function nameOf(files, start) {
  const name = [...files.keys()].find((name) => name.startsWith(start));
  if (name === undefined) throw new Error(`no file's name begins with ${start}`);
  return name;
}

/** Returns the names of the files that an entry point imports statically, directly or through another file. */
function staticImports(outputs, source) {
  const found = new Set();
  const add = (path) => {
    for (const { path: imported, kind } of outputs[path].imports) {
      if (kind !== "import-statement" || found.has(imported)) continue;
      found.add(imported);
      add(imported);
    }
  };
  add(Object.keys(outputs).find((path) => outputs[path].entryPoint === source));
  return [...found].map((path) => basename(path));
}

/**
 * Writes the new files, then the manifest, and finally deletes the old files, so that every file
 * named in the manifest exists at all times.
 */
function replace(out, files, manifest) {
  mkdirSync(out, { recursive: true });
  for (const [name, contents] of files) writeFileSync(join(out, name), contents);
  const draft = join(out, "manifest.json.new");
  writeFileSync(draft, JSON.stringify(manifest, null, 2));
  renameSync(draft, join(out, "manifest.json"));
  for (const name of readdirSync(out)) {
    if (name !== "manifest.json" && !files.has(name)) rmSync(join(out, name), { recursive: true });
  }
}

/**
 * Adds a `.br` and a `.gz` version of every file that compression makes smaller. The server sends
 * the version that the browser accepts.
 */
function compress(files) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  for (const [name, contents] of [...files]) {
    if (![".js", ".css", ".svg", ".ttf"].includes(extname(name))) continue;
    const add = (extension, compressed) => {
      if (compressed.length < contents.length) files.set(`${name}.${extension}`, compressed);
    };
    add("br", brotliCompressSync(contents, { params }));
    add("gz", gzipSync(contents, { level: constants.Z_BEST_COMPRESSION }));
  }
}

/** Combines the icons that templates and scripts name as icon("…") into one SVG file. */
function sprite() {
  const names = new Set();
  for (const [folder, end] of [
    [templates, ".html"],
    [join(here, "src"), ".ts"],
  ]) {
    for (const file of readdirSync(folder, { recursive: true })) {
      if (!file.endsWith(end)) continue;
      for (const [, name] of readFileSync(join(folder, file), "utf8").matchAll(
        /\bicon\("([a-z0-9-]+)"/g,
      ))
        names.add(name);
    }
  }
  const symbols = [...names].sort().map((name) => {
    const file = join(icons, `${name}.svg`);
    if (!existsSync(file)) throw new Error(`there is no icon "${name}" in lucide-static`);
    const shapes = readFileSync(file, "utf8")
      .replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "")
      .replace(/\s+/g, " ")
      .trim();
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

/** An esbuild plugin that generates the module `name`. The module's default export is the result of `make()`. */
function made(name, make) {
  return {
    name,
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: name }));
      build.onLoad({ filter: /.*/, namespace: name }, () => ({
        contents: JSON.stringify(make()),
        loader: "json",
      }));
    },
  };
}

/** A plugin that leaves out the WOFF version of each font, because every supported browser reads WOFF2. */
const woff2Only = {
  name: "woff2Only",
  setup(build) {
    build.onLoad({ filter: /@fontsource.*\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(/, url\([^)]*\.woff\) format\('woff'\)/g, ""),
      loader: "css",
    }));
  },
};

/**
 * The emojis that the reaction menu's search offers, in their usual order, each as [emoji, search
 * words]. Omits skin tones.
 */
function emojis() {
  const all = JSON.parse(
    readFileSync(join(here, "node_modules/emojibase-data/en/compact.json"), "utf8"),
  );
  const shown = all
    .filter((emoji) => emoji.group !== undefined && emoji.group !== 2)
    .sort((a, b) => a.order - b.order);
  return shown.map((emoji) => [emoji.unicode, [emoji.label, ...(emoji.tags ?? [])].join(" ")]);
}

/**
 * The characters that the font for marks contains, as ranges [first, last, first, last, …]. Reads the font's `cmap`
 * table (OpenType, format 12).
 */
function glyphs() {
  const font = readFileSync(join(here, "node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));
  const tables = Array.from({ length: font.readUInt16BE(4) }, (_, i) => 12 + 16 * i);
  const cmap = font.readUInt32BE(
    tables.find((at) => font.toString("latin1", at, at + 4) === "cmap") + 8,
  );
  const parts = Array.from(
    { length: font.readUInt16BE(cmap + 2) },
    (_, i) => cmap + font.readUInt32BE(cmap + 8 + 8 * i),
  );
  const wide = parts.find((at) => font.readUInt16BE(at) === 12);
  if (wide === undefined) throw new Error("the font of the marks has no cmap of format 12");
  const ranges = [];
  for (let i = 0, at = wide + 16; i < font.readUInt32BE(wide + 12); i += 1, at += 12) {
    const [first, last] = [font.readUInt32BE(at), font.readUInt32BE(at + 4)];
    if (ranges.at(-1) === first - 1) ranges[ranges.length - 1] = last;
    else ranges.push(first, last);
  }
  return ranges;
}
