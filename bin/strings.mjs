// Prints every string that a person can meet, with its place. See bin/strings.
//
// Finds the texts and attributes of templates, and the string literals of Rust and TypeScript that read like text. Leaves
// out tests and the texts of the demo's people.
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";

/** Attributes of HTML elements whose values are shown or read to people. */
const shownAttributes =
  "aria-label|title|placeholder|alt|data-turbo-confirm|data-verb|label|content|value";

const paths = process.argv.slice(2);
const files = execFileSync("git", [
  "ls-files",
  "-co",
  "--exclude-standard",
  "--",
  ...(paths.length ? paths : ["."]),
])
  .toString()
  .split("\n")
  .filter((file) => file !== "" && !/tests?(\/|\.rs$)|^src\/demo\/|^tests\//.test(file));

for (const file of files.sort()) {
  const found = [];
  if (/^templates\/.*\.html$/.test(file)) found.push(...templateStrings(read(file)));
  else if (/^src\/.*\.rs$/.test(file)) found.push(...rustStrings(file, read(file)));
  else if (/^browser\/src\/.*\.ts$/.test(file))
    found.push(...literals(read(file), false).filter(isProse).filter(isNoSelector));
  else if (/^sample\/.*\.md$/.test(file)) found.push(...lines(read(file)));
  for (const { at, text } of found) print(file, at, text);
}

function read(file) {
  return readFileSync(file, "utf8");
}

/** Prints a string on one line. */
function print(file, line, text) {
  const clean = text.replace(/\s+/g, " ").trim();
  if (/\p{L}/u.test(clean.replace(/\{[^{}]*\}/g, ""))) console.log(`${file}:${line}: ${clean}`);
}

function lineOf(source, offset) {
  return source.slice(0, offset).split("\n").length;
}

function lines(source) {
  return source.split("\n").map((text, index) => ({ at: index + 1, text }));
}

/** Returns the texts between the tags of a template, its shown attributes, and the literals in its expressions. */
function templateStrings(source) {
  const found = [];
  // Replace comments by spaces of the same length, so that offsets stay valid.
  const blank = (match) => match.replace(/[^\n]/g, " ");
  const html = source
    .replace(/\{#[\s\S]*?#\}/g, blank)
    .replace(/<(script|style|svg)\b[\s\S]*?<\/\1>/g, blank);
  for (const match of html.matchAll(/\{[{%]([\s\S]*?)[%}]\}/g))
    for (const literal of match[1].matchAll(/"((?:[^"\\]|\\.)*)"/g))
      if (isProse({ text: literal[1] }) || /^[A-Z][a-z]+$/.test(literal[1]))
        found.push({ at: lineOf(html, match.index + literal.index), text: literal[1] });
  // A statement or a macro separates texts; any other expression is a part of its text.
  const plain = html
    .replace(/\{%[\s\S]*?%\}|\{\{-?\s*m::[\s\S]*?\}\}/g, (match) => match.replace(/[^\n]/g, "\0"))
    .replace(/\{\{-?([\s\S]*?)-?\}\}/g, (match) =>
      `{${match.slice(2, -2).replace(/[<>"{}]/g, "_")}}`.padEnd(match.length, "\u0001"),
    );
  const attribute = new RegExp(`\\s(?:${shownAttributes})="([^"]*)"`, "g");
  for (const match of plain.matchAll(attribute))
    found.push({ at: lineOf(plain, match.index), text: match[1] });
  let offset = 0;
  for (const part of plain.split(/(<[^>]*>|\0+)/)) {
    if (!part.startsWith("<") && !part.startsWith("\0"))
      found.push({
        at: lineOf(plain, offset + (part.length - part.trimStart().length)),
        text: part,
      });
    offset += part.length;
  }
  return found
    .map(({ at, text }) => ({ at, text: decode(text.replace(/[\0\u0001]+/g, "")) }))
    .sort((a, b) => a.at - b.at);
}

function decode(text) {
  return text
    .replace(/&nbsp;/g, " ")
    .replace(/&amp;/g, "&")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">");
}

/** Returns the string literals that read like text and, in main.rs, the documentation of the commands. */
function rustStrings(file, source) {
  const tests = source.search(/^#\[cfg\(test\)\]$/m);
  const code = tests < 0 ? source : source.slice(0, tests);
  const found = literals(code, true).filter((literal) => isProse(literal) && !isSql(literal.text));
  if (file === "src/main.rs") found.push(...commandHelp(code));
  return found.sort((a, b) => a.at - b.at);
}

/** Returns the documentation of the commands and their options, which `hearback --help` prints. */
function commandHelp(code) {
  const before = code.split("#[derive(Parser)]")[0].split("\n").length;
  return lines(code)
    .map(({ at, text }) => ({ at, documentation: /^( *)\/\/\/ (.*)$/.exec(text) }))
    .filter(
      ({ at, documentation }) => documentation && (documentation[1] !== "" || at === before - 1),
    )
    .map(({ at, documentation }) => ({ at, text: documentation[2] }));
}

function isSql(text) {
  return [
    /\b(SELECT|INSERT INTO|DELETE FROM|VALUES|EXISTS|PRAGMA|RETURNING|ESCAPE|CASE WHEN|THEN '|BEGIN|VACUUM)\b/,
    /\b(ORDER BY|GROUP BY|WHERE|FROM|AND|SET|IN|NOT IN|FOR UPDATE|IS NULL|IS NOT NULL|CREATE (TABLE|INDEX))\b/,
    /\b[a-z]+\.[a-z_]+ (=|<>|<|>|\|\|)/,
    /^\) AS [a-z]\b/,
  ].some((pattern) => pattern.test(text));
}

/** Whether a text reads like a sentence, a phrase or a label, rather than like a name in code. */
function isProse({ text }) {
  const words = text.replace(/\{[^{}]*\}/g, " ");
  return (
    (/\p{L}[\p{L}’',.:;…!?)”]* +[^\s]*\p{L}/u.test(words) &&
      !/^[a-z0-9._:/-]+( [a-z0-9._:/-]+)*$/.test(text)) ||
    /^\p{Lu}[\p{Ll}’' ]+…?$/u.test(words.trim()) ||
    (/^[a-z]/.test(words) && /[a-z]{2,} [a-z]{2,} [a-z]{2,}/.test(words))
  );
}

/** Whether a text is neither a CSS selector nor a media query. */
function isNoSelector({ text }) {
  return !/^[.#:([]|\[[\w-]+[\]=]|, (button|select|textarea|\.)|^(button|input|video), /.test(text);
}

/** Returns the string literals of a Rust or TypeScript source. In template literals, `{…}` stands for an expression. */
function literals(source, isRust) {
  const found = [];
  const start = isRust
    ? /\/\/|\/\*|\bb?r(#*)"|b?"|'/g
    : /\/\/|\/\*|["'`]|(?<=[(,=:[!&|?{};\n]\s*)\/(?![*/])/g;
  for (let match = start.exec(source); match; match = start.exec(source)) {
    const at = match.index;
    let end;
    if (match[0] === "//") end = source.indexOf("\n", at);
    else if (match[0] === "/*") end = source.indexOf("*/", at) + 2;
    else if (match[0] === "/")
      end =
        at +
        (/^\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+\//.exec(source.slice(at))?.[0].length ?? 1);
    else if (isRust && match[0] === "'")
      end = at + (/^'(?:\\u\{[^}]*\}|\\.|[^'\\])'/.exec(source.slice(at))?.[0].length ?? 1);
    else if (isRust && match[1] !== undefined) {
      const from = at + match[0].length;
      end = source.indexOf(`"${match[1]}`, from);
      found.push({ at: lineOf(source, at), text: source.slice(from, end) });
      end += 1 + match[1].length;
    } else if (match[0] === 'b"') end = endOfLiteral(source, at + 1);
    else {
      end = endOfLiteral(source, at);
      found.push({ at: lineOf(source, at), text: unescaped(source.slice(at + 1, end - 1)) });
    }
    start.lastIndex = end > at ? end : source.length;
  }
  return found;
}

/** Returns the offset after the literal that begins at `at`. */
function endOfLiteral(source, at) {
  const quote = source[at];
  for (let offset = at + 1; offset < source.length; offset++) {
    if (source[offset] === "\\") offset++;
    else if (source[offset] === quote) return offset + 1;
    else if (quote === "`" && source.startsWith("${", offset))
      offset = endOfExpression(source, offset + 2) - 1;
  }
  return source.length;
}

/** Returns the offset after the expression of a template literal that begins at `at`. */
function endOfExpression(source, at) {
  for (let depth = 1, offset = at; offset < source.length; offset++) {
    if (/["'`]/.test(source[offset])) offset = endOfLiteral(source, offset) - 1;
    else if (source[offset] === "{") depth++;
    else if (source[offset] === "}" && --depth === 0) return offset + 1;
  }
  return source.length;
}

function unescaped(text) {
  let plain = "";
  for (let offset = 0; offset < text.length; offset++) {
    if (text.startsWith("${", offset)) {
      offset = endOfExpression(text, offset + 2) - 1;
      plain += "{…}";
    } else if (text[offset] === "\\") {
      offset++;
      if (text[offset] === "\n") {
        while (/\s/.test(text[offset + 1] ?? "")) offset++;
      } else if (text[offset] === "u") {
        const escape = /^u\{?([0-9a-fA-F]+)\}?/.exec(text.slice(offset));
        plain += escape ? String.fromCodePoint(parseInt(escape[1], 16)) : "";
        offset += (escape?.[0].length ?? 1) - 1;
      } else plain += text[offset] === "n" ? " " : text[offset];
    } else plain += text[offset];
  }
  return plain;
}
