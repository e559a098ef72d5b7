// Speaks the lines of a recording with flite, and joins them into one sound track.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

const RATE = 24_000;
const BYTES_PER_SECOND = RATE * 2;
/** Silence before the first line, between two lines and after the last one, in seconds. */
const [BEFORE, BETWEEN, AFTER] = [0.9, 0.75, 1.6];

/**
 * Speaks each line. Returns the seconds at which the lines start and end, the length of the whole in seconds, and
 * the path of the sound track. `voice` is the name of a voice of flite and optionally a factor for its pitch, such as
 * "slt 1.06".
 */
export function speak(lines, voice, folder) {
  const [name, pitch = "1"] = voice.split(" ");
  const inputs = lines.map((line, number) =>
    speakLine(line, name, pitch, join(folder, `${number}`)),
  );
  const starts = [];
  let at = BEFORE;
  for (const { seconds } of inputs) {
    starts.push(at);
    at += seconds + BETWEEN;
  }
  const ends = starts.map((start, number) => start + inputs[number].seconds);
  const length = at - BETWEEN + AFTER;
  const sound = join(folder, "sound.wav");
  const delays = starts
    .map((start, n) => `[${n}]adelay=${Math.round(start * 1000)}[d${n}]`)
    .join(";");
  const mix = `${starts.map((_, n) => `[d${n}]`).join("")}amix=inputs=${starts.length}:normalize=0`;
  ffmpeg([
    ...inputs.flatMap(({ path }) => ["-i", path]),
    ...["-filter_complex", `${delays};${mix},apad,atrim=0:${length}`, sound],
  ]);
  return { starts, ends, length, sound };
}

/** Speaks one line. Raises the pitch by resampling, and then restores the speed. */
function speakLine(line, name, pitch, path) {
  const [spoken, even] = [`${path}-spoken.wav`, `${path}.wav`];
  execFileSync("flite", [
    "-voice",
    name,
    "--setf",
    "duration_stretch=1.06",
    "-t",
    line,
    "-o",
    spoken,
  ]);
  const shift = `asetrate=16000*${pitch},aresample=${RATE},atempo=1/${pitch}`;
  ffmpeg([
    "-i",
    spoken,
    "-af",
    `${shift},highpass=f=70,loudnorm=I=-19:TP=-2,aresample=${RATE}`,
    even,
  ]);
  // The header of the file is as long as a millisecond and a half.
  return { path: even, seconds: statSync(even).size / BYTES_PER_SECOND };
}

/** Runs ffmpeg without messages, and without anything in its output that differs between two runs. */
export function ffmpeg(argumentList) {
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-nostdin", "-y", ...argumentList]);
}
