// The entry point of the builds that bin/dev serves; all other builds use app.ts. This module loads
// the app and polls the manifest. When a new build appears, it replaces the stylesheet or reloads
// the page.
import "./app.js";

type Manifest = Record<string, string>;

const POLL = 250; // ms

async function readManifest(): Promise<Manifest | undefined> {
  try {
    const response = await fetch("/assets/manifest.json", { cache: "no-store" });
    return response.ok ? ((await response.json()) as Manifest) : undefined;
  } catch {
    return undefined; // The server is restarting.
  }
}

/** Replaces the stylesheet without a reload, so that dialogs stay open and typed text is kept. */
function swapStyles(name: string): void {
  const old = document.querySelector<HTMLLinkElement>("link[rel=stylesheet]");
  if (!old) return;
  const link = old.cloneNode() as HTMLLinkElement;
  link.href = `/assets/${name}`;
  link.addEventListener("load", () => old.remove());
  old.after(link);
}

let shown: Manifest | undefined;

async function poll(): Promise<void> {
  const built = document.hidden ? undefined : await readManifest();
  if (built && shown) {
    const changed = Object.keys({ ...built, ...shown }).filter(
      (name) => built[name] !== shown?.[name],
    );
    const styles = built["app.css"];
    if (changed.length === 1 && changed[0] === "app.css" && styles) swapStyles(styles);
    else if (changed.length > 0) return location.reload();
  }
  shown = built ?? shown;
  setTimeout(() => void poll(), POLL);
}

void poll();
