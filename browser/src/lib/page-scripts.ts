// Pages on which something is edited need a second script, compose.js. Before Turbo fetches such a page, waits for the
// script, so that nothing moves when its elements are defined. A page that the browser loads names the script itself.
// Do not wait later: a video of a page that Turbo has parsed but not shown fails to load.

/** Paths of the pages that need the script. */
const COMPOSE_PAGES = /^\/(updates\/(new|[^/]+\/edit)|groups)$/;

document.addEventListener("turbo:before-fetch-request", (event) => {
  const { detail } = event as CustomEvent<{ url: URL; resume: (value?: unknown) => void }>;
  const script = document.querySelector<HTMLMetaElement>("meta[name=compose-script]")?.content;
  if (script === undefined || !COMPOSE_PAGES.test(detail.url.pathname)) return;
  event.preventDefault();
  // If the script cannot be loaded, show the page anyway, without the elements that the script defines.
  void import(script).then(
    () => detail.resume(),
    () => detail.resume(),
  );
});
