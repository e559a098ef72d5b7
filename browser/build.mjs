// Builds browser/dist, which the server embeds.
import { fileURLToPath } from "node:url";
import { bundler } from "./bundle.mjs";

const { build, dispose } = await bundler({ out: fileURLToPath(new URL("dist", import.meta.url)) });
await build();
await dispose();
