// Helpers for the markup tests: painting pictures that contain a secret, operating the editor and
// counting pixels.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, type Locator, type Page } from "@playwright/test";
import { apiHeaders } from "./scene.ts";

/** A position as fractions of the picture's width and height, from the top left. */
export type Position = readonly [x: number, y: number];

/** The color of the part that must be redacted. Nothing else in these tests has this color. */
export const SECRET_COLOR = [255, 0, 254] as const;

/** Paints a striped picture. `secret` is the rectangle (x, y, width, height in pixels) in the secret color. */
export async function paintImage(
  page: Page,
  width: number,
  height: number,
  background: string,
  secret?: readonly [number, number, number, number],
  type = "image/png",
): Promise<Buffer> {
  const base64 = await page.evaluate(
    async ([width, height, background, secret, color, type]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d")!;
      context.fillStyle = background;
      context.fillRect(0, 0, width, height);
      context.fillStyle = "rgb(127 127 127 / .25)";
      for (let y = 20; y < height; y += 40) context.fillRect(20, y, width - 40, 8);
      if (secret) {
        context.fillStyle = `rgb(${color.join(" ")})`;
        context.fillRect(...(secret as [number, number, number, number]));
      }
      const bytes = new Uint8Array(
        await (await canvas.convertToBlob({ type, quality: 0.9 })).arrayBuffer(),
      );
      let binary = "";
      for (let offset = 0; offset < bytes.length; offset += 8192)
        binary += String.fromCharCode(...bytes.subarray(offset, offset + 8192));
      return btoa(binary);
    },
    [width, height, background, secret, SECRET_COLOR, type] as const,
  );
  return Buffer.from(base64, "base64");
}

/** Returns the size of a picture, and the number of its pixels whose color is close to the secret color. */
export async function countSecretPixels(
  page: Page,
  bytes: Buffer,
): Promise<{ width: number; height: number; secret: number }> {
  return page.evaluate(
    async ([base64, color]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      let secret = 0;
      for (let pixel = 0; pixel < data.length; pixel += 4)
        if (color.every((value, channel) => Math.abs(value - data[pixel + channel]!) < 70))
          secret += 1;
      return { width: bitmap.width, height: bitmap.height, secret };
    },
    [bytes.toString("base64"), SECRET_COLOR] as const,
  );
}

/** Like `countSecretPixels`, but for an image element. */
export async function countSecretPixelsIn(
  image: Locator,
): Promise<{ width: number; height: number; secret: number }> {
  const base64 = await image.evaluate((image: HTMLImageElement) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d")!.drawImage(image, 0, 0);
    return canvas.toDataURL("image/png").replace(/^.*,/, "");
  });
  return countSecretPixels(image.page(), Buffer.from(base64, "base64"));
}

/** Pastes a file into the page. */
export async function pasteFile(
  page: Page,
  name: string,
  bytes: Buffer,
  type = "image/png",
): Promise<void> {
  await page.evaluate(
    ([name, base64, type]) => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      data.items.add(new File([bytes], name, { type }));
      document.body.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
      );
    },
    [name, bytes.toString("base64"), type] as const,
  );
}

/** Drops files onto the page. */
export async function dropFiles(
  page: Page,
  files: { name: string; bytes: Buffer; type: string }[],
): Promise<void> {
  await page.evaluate(
    (files) => {
      const data = new DataTransfer();
      for (const { name, base64, type } of files) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
      }
      for (const event of ["dragenter", "drop"])
        document.body.dispatchEvent(
          new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }),
        );
    },
    files.map(({ name, bytes, type }) => ({ name, base64: bytes.toString("base64"), type })),
  );
}

/** Starts a proxy to `target`. The proxy records everything that browsers send. */
export async function startTapProxy(
  target: string,
): Promise<{ url: string; sentBytes: () => Buffer; close: () => void }> {
  const { hostname, port } = new URL(target);
  const sent: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (bytes) => sent.push(bytes));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sentBytes: () => Buffer.concat(sent),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Returns every PNG file that `bytes` contains. */
export function extractPngs(bytes: Buffer): Buffer[] {
  const [signature, trailer] = [
    Buffer.from("89504e470d0a1a0a", "hex"),
    Buffer.from("49454e44ae426082", "hex"),
  ];
  const found: Buffer[] = [];
  for (
    let start = bytes.indexOf(signature);
    start !== -1;
    start = bytes.indexOf(signature, start + 1)
  ) {
    const end = bytes.indexOf(trailer, start);
    if (end !== -1) found.push(bytes.subarray(start, end + trailer.length));
  }
  return found;
}

export type MarkupLayer = {
  revision: number;
  shapes: { kind: string; [member: string]: unknown }[];
  crop: null;
};

/** Fetches the markup of a picture. */
export async function fetchMarkup(page: Page, media: string): Promise<MarkupLayer> {
  return (await (
    await page.request.get(`/media/${media}/markup`, { headers: apiHeaders })
  ).json()) as MarkupLayer;
}

/**
 * Creates an update with files. Publishes it unless `fields` sets `publish` to "false". Once all media are ready,
 * returns the ids of the update and of the media.
 */
export async function postUpdate(
  page: Page,
  fields: Record<string, string>,
  ...files: { name: string; mimeType: string; buffer: Buffer }[]
): Promise<{ id: string; media: string[] }> {
  const body = new FormData();
  for (const [name, value] of Object.entries({ publish: "true", ...fields }))
    body.append(name, value);
  for (const { name, mimeType, buffer } of files)
    body.append("media", new File([new Uint8Array(buffer)], name, { type: mimeType }));
  const response = await page.request.post("/updates", {
    headers: apiHeaders,
    multipart: body,
    timeout: 60_000,
  });
  expect(response.status(), await response.text()).toBe(201);
  const update = (await response.json()) as { id: string; media: { id: string }[] };
  const media = update.media.map(({ id }) => id);
  for (const id of media)
    await expect
      .poll(async () => (await fetchMedia(page, id)).state, { timeout: 30_000 })
      .toBe("ready");
  return { id: update.id, media };
}

/** Operates the markup editor by mouse and keyboard. */
export class Editor {
  readonly dialog: Locator;

  constructor(readonly page: Page) {
    this.dialog = page.locator("dialog.markup");
  }

  async waitUntilOpen(): Promise<void> {
    await expect(this.dialog).toBeVisible();
    await expect(this.dialog.locator(".markup-shapes")).toBeVisible();
  }

  /** Selects a tool by pressing its key. */
  async pickTool(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  async drag(from: Position, to: Position, steps = 4): Promise<void> {
    const [[x, y], [toX, toY]] = [await this.pagePoint(from), await this.pagePoint(to)];
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
    await this.page.mouse.move(toX, toY, { steps });
    await this.page.mouse.up();
  }

  async click(position: Position): Promise<void> {
    const [x, y] = await this.pagePoint(position);
    await this.page.mouse.click(x, y);
  }

  /**
   * Presses the button `name`. If `confirm` is given, also presses the button `confirm` in the
   * dialog that follows. Waits until the editor is closed.
   */
  async finish(name: string, confirm?: string): Promise<void> {
    await this.dialog.getByRole("button", { name, exact: true }).click();
    if (confirm !== undefined)
      await this.page.getByRole("dialog").last().getByRole("button", { name: confirm }).click();
    await expect(this.dialog).toHaveCount(0, { timeout: 30_000 });
  }

  /** Converts a position to coordinates of the page. */
  async pagePoint([x, y]: Position): Promise<[number, number]> {
    const box = await this.dialog.locator(".markup-shapes").evaluate(waitForRest);
    return [box.x + x * box.width, box.y + y * box.height];
  }
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Waits until an element has not moved for three frames. Returns its position and size. */
async function waitForRest(element: Element): Promise<Box> {
  const read = () => JSON.stringify(element.getBoundingClientRect());
  let box = read();
  for (let frames = 0; frames < 3; frames++) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const now = read();
    if (now !== box) frames = -1;
    box = now;
  }
  return JSON.parse(box) as Box;
}

export type Media = {
  id: string;
  state: string;
  width: number;
  height: number;
  renditions: { name: string; type: string; url: string }[];
};

/** Fetches a media item. */
export async function fetchMedia(page: Page, media: string): Promise<Media> {
  return (await (
    await page.request.get(`/media/${media}`, { headers: apiHeaders })
  ).json()) as Media;
}

/** The name and type of a picture, for tests in which the name does not matter. */
export const pngFile = { name: "screen.png", mimeType: "image/png" };

/**
 * Downloads a rendition with the session of `page`. Retries, because a new rendition with a new address may replace it
 * between the request for the address and the download.
 */
export async function fetchRendition(page: Page, media: string, name: string): Promise<Buffer> {
  let body: Buffer = Buffer.alloc(0);
  await expect(async () => {
    const { renditions } = await fetchMedia(page, media);
    const url = renditions.find((rendition) => rendition.name === name)!.url;
    const { pathname, search } = new URL(url);
    const response = await page.request.get(pathname + search);
    expect(response.status(), name).toBe(200);
    body = await response.body();
  }).toPass({ timeout: 20_000 });
  return body;
}

export const readyItems = (page: Page) =>
  page.locator('#media-list [data-media][data-state="ready"]');
export const arrivingItems = (page: Page) => page.locator(".media-list.arriving .media-item");
export const fetchKinds = async (page: Page, media: string) =>
  (await fetchMarkup(page, media)).shapes.map(({ kind }) => kind);
export const firstMediaId = async (page: Page) =>
  (await readyItems(page).first().getAttribute("data-media"))!;
