// What the tests of marks are written with: pictures with a secret on them, the editor as a person drives it, and pixels.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, type Locator, type Page } from "@playwright/test";
import { asProgram } from "./scene.ts";

export type Spot = readonly [x: number, y: number];

/** What nobody is to see: no other picture of these tests has this colour. */
export const SECRET = [255, 0, 254] as const;

/** A picture of so many pixels as PNG: stripes of a colour, and on them the secret, if it has one, at x, y, w, h. */
export async function painted(
  page: Page,
  width: number,
  height: number,
  paper: string,
  secret?: readonly [number, number, number, number],
  type = "image/png",
): Promise<Buffer> {
  const text = await page.evaluate(
    async ([width, height, paper, secret, colour, type]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d")!;
      context.fillStyle = paper;
      context.fillRect(0, 0, width, height);
      context.fillStyle = "rgb(127 127 127 / .25)";
      for (let y = 20; y < height; y += 40) context.fillRect(20, y, width - 40, 8);
      if (secret) {
        context.fillStyle = `rgb(${colour.join(" ")})`;
        context.fillRect(...(secret as [number, number, number, number]));
      }
      const bytes = new Uint8Array(
        await (await canvas.convertToBlob({ type, quality: 0.9 })).arrayBuffer(),
      );
      let text = "";
      for (let at = 0; at < bytes.length; at += 8192)
        text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(text);
    },
    [width, height, paper, secret, SECRET, type] as const,
  );
  return Buffer.from(text, "base64");
}

/** How many pixels of a picture are the secret, or nearly, and how large it is. */
export async function secrets(
  page: Page,
  bytes: Buffer,
): Promise<{ width: number; height: number; secret: number }> {
  return page.evaluate(
    async ([text, colour]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      let secret = 0;
      for (let at = 0; at < data.length; at += 4)
        if (colour.every((value, channel) => Math.abs(value - data[at + channel]!) < 70))
          secret += 1;
      return { width: bitmap.width, height: bitmap.height, secret };
    },
    [bytes.toString("base64"), SECRET] as const,
  );
}

/** The same of a picture that a page shows. */
export async function secretsOf(
  image: Locator,
): Promise<{ width: number; height: number; secret: number }> {
  const text = await image.evaluate((image: HTMLImageElement) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d")!.drawImage(image, 0, 0);
    return canvas.toDataURL("image/png").replace(/^.*,/, "");
  });
  return secrets(image.page(), Buffer.from(text, "base64"));
}

/** Puts a file on the page, as pasted. */
export async function paste(
  page: Page,
  name: string,
  bytes: Buffer,
  type = "image/png",
): Promise<void> {
  await page.evaluate(
    ([name, text, type]) => {
      const data = new DataTransfer();
      data.items.add(
        new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name, { type }),
      );
      document.body.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
      );
    },
    [name, bytes.toString("base64"), type] as const,
  );
}

/** The same, as dropped. */
export async function drop(
  page: Page,
  files: { name: string; bytes: Buffer; type: string }[],
): Promise<void> {
  await page.evaluate(
    (files) => {
      const data = new DataTransfer();
      for (const { name, text, type } of files)
        data.items.add(
          new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name, { type }),
        );
      for (const kind of ["dragenter", "drop"])
        document.body.dispatchEvent(
          new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }),
        );
    },
    files.map(({ name, bytes, type }) => ({ name, text: bytes.toString("base64"), type })),
  );
}

/** A line to a server on which everything that a browser sends is heard. */
export async function tap(
  to: string,
): Promise<{ url: string; heard: () => Buffer; close: () => void }> {
  const { hostname, port } = new URL(to);
  const heard: Buffer[] = [];
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => heard.push(bytes));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: () => Buffer.concat(heard),
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** Every PNG in a stretch of bytes. */
export function pngs(bytes: Buffer): Buffer[] {
  const [head, end] = [
    Buffer.from("89504e470d0a1a0a", "hex"),
    Buffer.from("49454e44ae426082", "hex"),
  ];
  const found: Buffer[] = [];
  for (let at = bytes.indexOf(head); at !== -1; at = bytes.indexOf(head, at + 1)) {
    const stop = bytes.indexOf(end, at);
    if (stop !== -1) found.push(bytes.subarray(at, stop + end.length));
  }
  return found;
}

export type Layer = {
  revision: number;
  shapes: { kind: string; [member: string]: unknown }[];
  crop: null;
};

/** The marks of a picture, as a program gets them. */
export async function layer(page: Page, media: string): Promise<Layer> {
  return (await (
    await page.request.get(`/media/${media}/markup`, { headers: asProgram })
  ).json()) as Layer;
}

/** Posts an update with pictures, by who is signed in; answers its id and theirs, when they can be marked. */
export async function post(
  page: Page,
  fields: Record<string, string>,
  ...files: { name: string; mimeType: string; buffer: Buffer }[]
): Promise<{ id: string; media: string[] }> {
  const body = new FormData();
  for (const [name, value] of Object.entries({ publish: "true", ...fields }))
    body.append(name, value);
  for (const { name, mimeType, buffer } of files)
    body.append("media", new File([new Uint8Array(buffer)], name, { type: mimeType }));
  const made = await page.request.post("/updates", {
    headers: asProgram,
    multipart: body,
    timeout: 60_000,
  });
  expect(made.status(), await made.text()).toBe(201);
  const update = (await made.json()) as { id: string; media: { id: string }[] };
  const media = update.media.map(({ id }) => id);
  for (const one of media) {
    await expect
      .poll(
        async () =>
          (
            (await (await page.request.get(`/media/${one}`, { headers: asProgram })).json()) as {
              state: string;
            }
          ).state,
        { timeout: 30_000 },
      )
      .toBe("ready");
  }
  return { id: update.id, media };
}

/** The editor, driven as a person does. Places are shares of the picture. */
export class Editor {
  readonly dialog: Locator;

  constructor(readonly page: Page) {
    this.dialog = page.locator("dialog.markup");
  }

  async opened(): Promise<void> {
    await expect(this.dialog).toBeVisible();
    await expect(this.dialog.locator(".markup-shapes")).toBeVisible();
  }

  /** Picks a tool by its key. */
  async pick(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  async drag(from: Spot, to: Spot, steps = 4): Promise<void> {
    const [[x, y], [toX, toY]] = [await this.at(from), await this.at(to)];
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
    await this.page.mouse.move(toX, toY, { steps });
    await this.page.mouse.up();
  }

  async click(at: Spot): Promise<void> {
    const [x, y] = await this.at(at);
    await this.page.mouse.click(x, y);
  }

  /** Presses the main button, and says yes where it asks. */
  async done(name: string, sure?: string): Promise<void> {
    await this.dialog.getByRole("button", { name, exact: true }).click();
    if (sure !== undefined)
      await this.page.getByRole("dialog").last().getByRole("button", { name: sure }).click();
    await expect(this.dialog).toHaveCount(0, { timeout: 30_000 });
  }

  /** Where on the page a place is. */
  async at([x, y]: Spot): Promise<[number, number]> {
    const box = (await this.dialog.locator(".markup-shapes").boundingBox())!;
    return [box.x + x * box.width, box.y + y * box.height];
  }
}

export type Media = {
  id: string;
  state: string;
  width: number;
  height: number;
  renditions: { name: string; type: string; url: string }[];
};

/** What the server tells of a picture. */
export async function told(page: Page, media: string): Promise<Media> {
  return (await (
    await page.request.get(`/media/${media}`, { headers: asProgram })
  ).json()) as Media;
}

/** What a picture is called where it does not matter. */
export const plain = { name: "screen.png", mimeType: "image/png" };
