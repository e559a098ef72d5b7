// Shows and copies the address of a share link that was just created. The server shows the address only once.
import { icon, make } from "../lib/dom.js";

document.addEventListener("hearback:form-sent", ({ detail: { form, answer } }) => {
  if (!form.matches("[data-new-link]") || answer?.url === undefined) return;
  form.reset();
  form.parentElement?.querySelector(".new-link")?.remove();
  const field = make("input", {
    type: "text",
    readonly: true,
    value: answer.url,
    "aria-label": "Address of the new link",
  });
  const copy = make(
    "copy-button",
    { class: "copy", "data-now": true },
    field,
    make("button", { type: "button", class: "button" }, icon("copy"), make("span", {}, "Copy")),
  );
  form.after(
    make(
      "div",
      { class: "new-link", role: "status", "data-js": true },
      make("p", { class: "hint" }, "Copy this link now. Its address is shown only once."),
      copy,
    ),
  );
});
