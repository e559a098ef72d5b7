// Small behaviors of every page, selected by data attributes.

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
