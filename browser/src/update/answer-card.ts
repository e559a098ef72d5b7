// The card in which a recipient answers. In a wide window it is at the top of the right column. In a narrow one it is a
// popover, opened by the line above the navigation. Nothing here scrolls the page or covers the stage.
import { showUndoNotice } from "../lib/undo-notice.js";

/** In these windows, the card is a popover. */
const narrowWindow = matchMedia("(max-width: 899.98px)");
/** The part of a narrow window that the open card leaves free, if the video or picture is not in view. */
const FREE_PART = 0.25;
/** The largest part of the window that the card leaves free. Otherwise there is no room for the form. */
const LARGEST_FREE_PART = 0.65;

const answerCard = (): HTMLElement | null => document.getElementById("answer-card");

function closeCard(): void {
  const card = answerCard();
  if (card?.matches(":popover-open")) card.hidePopover();
}

/** Closes the card when the window becomes wide, because the card is then part of the page. */
export function connectAnswerCard(signal: AbortSignal): void {
  narrowWindow.addEventListener("change", closeCard, { signal });
}

/** Focuses the answer field or button, and opens the card if necessary. */
export function focusAnswer(): void {
  const card = answerCard();
  const field = card?.querySelector<HTMLElement>('[data-key="a"]');
  if (!card || !field) return;
  if (narrowWindow.matches && !card.matches(":popover-open")) card.showPopover();
  else if (!narrowWindow.matches) {
    const column = card.closest<HTMLElement>(".side");
    if (column) column.scrollTop = 0;
  }
  field.focus({ preventScroll: true });
}

/** Leaves the video or picture uncovered if it is in view. */
function fitBelowMedia(card: HTMLElement): void {
  const bottom = document.getElementById("media")?.getBoundingClientRect().bottom ?? 0;
  const free = bottom > 0 ? bottom : innerHeight * FREE_PART;
  card.style.setProperty("--free", `${Math.min(free, innerHeight * LARGEST_FREE_PART)}px`);
}

// `beforetoggle` and `toggle` do not bubble, so listen in the capture phase.
document.addEventListener(
  "beforetoggle",
  ({ target }) => {
    if (target instanceof HTMLElement && target.id === "answer-card") fitBelowMedia(target);
  },
  true,
);
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLElement)) return;
    const opened =
      target.id === "answer-card"
        ? target.matches(":popover-open")
        : target instanceof HTMLDetailsElement && target.open && target.matches(".answer .decline");
    if (!opened) return;
    target.querySelector("textarea")?.focus({ preventScroll: true });
    // Scroll only the card, not the page behind it.
    const card = target.closest<HTMLElement>("#answer-card");
    if (card && target !== card) card.scrollTop = card.scrollHeight;
  },
  true,
);

// Escape leaves the field and keeps what was typed. If the card is a popover, Escape closes it.
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.key === "Escape" && target instanceof HTMLTextAreaElement && target.closest(".answer"))
    target.blur();
});

// After an answer, close the card and offer to undo. The refresh removes the form, which may have had the focus.
document.addEventListener("hearback:form-sent", ({ detail: { form } }) => {
  if (!form.hasAttribute("data-answer")) return;
  const hadFocus = form.contains(document.activeElement);
  closeCard();
  const answerUrl = form.action.replace(/\/decline$/, "/acknowledgement");
  showUndoNotice(form.dataset["said"] ?? "", answerUrl, focusCard);
  document.addEventListener("hearback:refreshed", () => hadFocus && focusCard(), { once: true });
});

/** Focuses the card or, in a narrow window, the line that opens it. */
function focusCard(): void {
  const { activeElement } = document;
  if (activeElement !== null && activeElement !== document.body) return;
  const place = narrowWindow.matches
    ? document.querySelector<HTMLElement>(".answer-open")
    : answerCard();
  place?.focus({ preventScroll: true });
}
