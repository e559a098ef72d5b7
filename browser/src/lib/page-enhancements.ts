// Small behaviors of every page, most of them selected by data attributes.
import { announce } from "./dom.js";

// When a browser loads a page, screen readers read its title. They notice nothing when Turbo replaces the page, so
// announce the heading of the new page, and what it says about the action that led there.
let isFirstPage = true;
document.addEventListener("turbo:load", () => {
  if (!isFirstPage) announceHeading();
  isFirstPage = false;
});

function announceHeading(): void {
  const texts = [...document.querySelectorAll<HTMLElement>("h1, .said > p")]
    .filter((part) => part.checkVisibility())
    .map((part) => part.innerText.trim().replace(/\s+/g, " "));
  if (texts.length > 0) announce(texts.map((text) => text.replace(/\w$/, "$&.")).join(" "));
}

// `data-submit`: choosing another option of this list submits its form.
document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.hasAttribute("data-submit"))
    event.target.form?.requestSubmit();
});

// `data-scripted`: the element is hidden unless scripts run.
function showScripted(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-scripted]"))
    element.hidden = false;
}
document.addEventListener("turbo:load", showScripted);
document.addEventListener("turbo:render", showScripted);
document.addEventListener("hearback:refreshed", showScripted);

// `data-grow`: a text area grows with its text. Browsers with `field-sizing` do this themselves.
if (!CSS.supports("field-sizing", "content")) {
  document.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || !target.hasAttribute("data-grow")) return;
    target.style.height = "auto";
    target.style.height = `${target.scrollHeight + 2}px`;
  });
}
