// Pages on which something is edited need a second script, compose.js. When Turbo is about to show such a page, waits for
// the script, so that nothing moves when its elements are defined. A page that the browser loads names the script itself.

/** Elements that compose.js defines. */
const COMPOSE_ELEMENTS = "draft-form, people-field";

document.addEventListener("turbo:before-render", (event) => {
  const { detail } = event as CustomEvent<{ newBody: HTMLElement; resume: () => void }>;
  const script = document.querySelector<HTMLMetaElement>("meta[name=compose-script]")?.content;
  if (script === undefined || !detail.newBody.querySelector(COMPOSE_ELEMENTS)) return;
  event.preventDefault();
  // If the script cannot be loaded, the page works as it does without scripts.
  void import(script).then(detail.resume, detail.resume);
});
