// No page moves while it loads.
import { readFileSync } from "node:fs";
import { postUpdate } from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { expect, fixture, openSignedInPage, person, test, type Page } from "./test.ts";

/** Returns what has moved since the page began to load. */
const shifts = (page: Page) =>
  page.evaluate(async () => {
    await document.fonts.ready;
    return new Promise<string[]>((resolve) => {
      const moved: string[] = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & {
          value: number;
          sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[];
        })[])
          for (const { node, previousRect, currentRect } of entry.sources)
            moved.push(
              `${node instanceof Element ? node.outerHTML.slice(0, 120) : (node?.textContent ?? "")}: ` +
                `${JSON.stringify(previousRect)} to ${JSON.stringify(currentRect)}`,
            );
      }).observe({ type: "layout-shift", buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(moved)));
    });
  });

test("no page shifts while it loads", async ({ browser, hearback }) => {
  const [ada, bob] = await hearback.addPeople(person("Ada Calm", { admin: true }), "Bob Calm");
  const author = await openSignedInPage(browser, hearback, ada!);
  const reader = await openSignedInPage(browser, hearback, bob!);
  const guest = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  const { id } = await postUpdate(
    author,
    {
      title: "The new rota",
      notes: "A paragraph.\n\n".repeat(8),
      audience: bob!.email,
      expectation: "readback",
    },
    {
      name: "rota.webm",
      mimeType: "video/webm",
      buffer: readFileSync(fixture("rec-vp9-opus-10s.webm")),
    },
  );
  const path = `/updates/${id}`;
  const post = async (page: Page, url: string, data: object) => {
    const response = await page.request.post(url, { headers: apiHeaders, data });
    expect(response.ok(), await response.text()).toBe(true);
    return (await response.json()) as { id: string; url: string };
  };
  for (let n = 0; n < 3; n++) await post(reader, `${path}/comments`, { body: `Remark ${n}` });
  const draft = await post(author, "/updates", { title: "A draft" });
  const link = await post(author, `${path}/links`, { name: "Customer", comments: true });
  await post(author, "/groups", { name: "calm-people", members: [bob!.email] });

  const pages: [Page, string[]][] = [
    [
      reader,
      ["/inbox", path, "/updates", "/updates/new", "/receipts", "/people", "/groups", "/me"],
    ],
    [
      author,
      [
        "/inbox",
        path,
        `${path}/receipts`,
        `${path}/versions`,
        `${path}/edit`,
        `/updates/${draft.id}/edit`,
        "/updates?state=draft",
        "/updates?state=trashed",
        "/receipts",
        "/people",
        "/workspace",
        "/workspace?edit",
        "/links",
        "/me",
        "/nothing-here",
      ],
    ],
    [guest, [link.url, "/session", "/nothing-here"]],
  ];
  for (const viewport of [
    { width: 375, height: 560 },
    { width: 1280, height: 800 },
  ])
    for (const [page, addresses] of pages) {
      await page.setViewportSize(viewport);
      for (const address of addresses) {
        await page.goto(address);
        expect(await shifts(page), `${address} at ${viewport.width} px`).toEqual([]);
      }
    }
});
