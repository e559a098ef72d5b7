// With 500 comments, everything that a person presses on an update's page acts on what the page already contains. The test
// prints how long each press takes until the next paint (INP); it does not depend on the speed of the machine.
import { publishWithManyComments } from "./many-comments.ts";
import { expect, openSignedInPage, test, type Page } from "./test.ts";

/** What the page has measured: the length of each interaction in milliseconds, and the layout shifts. */
type Measured = { durations: Record<string, number>; moved: string[] };

/** Starts to measure. The browser reports interactions that take at least 16 ms, in steps of 8 ms. */
async function measure(page: Page): Promise<void> {
  await page.evaluate(() => {
    const measured: Measured = { durations: {}, moved: [] };
    Object.assign(window, { measured, interaction: "" });
    const observe = (type: string, use: (entry: PerformanceEntry) => void) =>
      new PerformanceObserver((list) => list.getEntries().forEach(use)).observe({
        type,
        durationThreshold: 16,
      } as PerformanceObserverInit);
    observe("event", (entry) => {
      if ((entry as PerformanceEntry & { interactionId: number }).interactionId === 0) return;
      const { interaction } = window as unknown as { interaction: string };
      const longest = measured.durations[interaction] ?? 0;
      measured.durations[interaction] = Math.max(longest, entry.duration);
    });
    observe("layout-shift", (entry) => {
      const { sources, hadRecentInput } = entry as PerformanceEntry & {
        sources: { node: Node | null }[];
        hadRecentInput: boolean;
      };
      if (hadRecentInput) return;
      const { interaction } = window as unknown as { interaction: string };
      for (const { node } of sources)
        measured.moved.push(
          `${interaction}: ${node instanceof Element ? node.outerHTML.slice(0, 120) : (node?.textContent ?? "")}`,
        );
    });
  });
}

test("with 500 comments, each press acts on what the page contains, and nothing shifts", async ({
  browser,
  hearback,
}, info) => {
  const [ada, bob] = await hearback.addPeople("Ada Quick", "Bob Quick");
  const author = await openSignedInPage(browser, hearback, ada!);
  const page = await openSignedInPage(browser, hearback, bob!);
  const path = await publishWithManyComments(author, page, bob!.email);
  await page.setViewportSize({ width: 1280, height: 800 });
  // The first visit records that Bob opened the update, which refreshes the open pages of the update.
  const opening = page.waitForResponse((response) => response.url().endsWith("/opening"));
  await page.goto(path);
  await opening;
  await page.goto(path);
  await expect(page.locator("video")).toHaveJSProperty("readyState", 4);
  let current = "load";
  const fetched: string[] = [];
  page.on("request", (request) => {
    if (
      request.method() === "GET" &&
      ["document", "fetch", "script"].includes(request.resourceType())
    )
      fetched.push(`${current}: ${request.url()}`);
  });
  await measure(page);

  /** Runs one interaction and waits until the browser has reported it. */
  const interact = async (name: string, run: () => Promise<void>) => {
    current = name;
    await page.evaluate((name) => Object.assign(window, { interaction: name }), name);
    await run();
    await page.evaluate(
      () =>
        new Promise<void>((resolve) =>
          requestAnimationFrame(() =>
            requestAnimationFrame(() => requestIdleCallback(() => resolve())),
          ),
        ),
    );
  };
  const first = page.locator(".threads .comment").first();
  await interact("reaction menu", async () => {
    await first.locator("button[name=react]").click();
    await expect(first.locator(".menu-items button").first()).toBeVisible();
  });
  await page.keyboard.press("Escape");
  await interact("reply", async () => {
    await page
      .getByRole("button", { name: /^Reply/ })
      .first()
      .click();
    await expect(page.locator(".threads textarea").first()).toBeFocused();
  });
  await page.keyboard.press("Escape");
  await interact("typing", () => page.locator("#body").pressSequentially("A longer remark. "));
  await page.keyboard.press("Escape");
  await page.locator(".film").focus();
  for (const key of ["j", "l", "k", "k", "n", "n", "p"])
    await interact(`key ${key}`, () => page.keyboard.press(key));
  await interact("time", () =>
    page
      .getByRole("link", { name: /^Go to/ })
      .nth(2)
      .click(),
  );
  // The page loads a thread when its dot is pressed, so press the dot of a thread that it contains.
  const loaded = await page
    .locator(".timeline button")
    .evaluateAll((dots: HTMLElement[]) =>
      dots.findIndex(({ dataset }) =>
        document.getElementById((dataset["mark"] ?? "").split(" ")[0] ?? ""),
      ),
    );
  await interact("dot", () => page.locator(".timeline button").nth(loaded).click());

  const { durations, moved } = await page.evaluate(
    () => (window as unknown as { measured: Measured }).measured,
  );
  console.log(`INP in ms: ${JSON.stringify(durations)}`);
  info.annotations.push({ type: "INP in ms", description: JSON.stringify(durations) });
  expect(moved).toEqual([]);
  expect(fetched).toEqual([]);
});
