// The bar in which a recipient responds. This module reports the bar's height to the styles of the page, and opens and
// scrolls the forms in the bar.

/** In a wide window the readback form is always open. In a narrow one it expands on demand. */
const wideWindow = matchMedia("(min-width: 1100px)");

/**
 * Publishes the height of the bar as `--bar`, so that the page leaves exactly that much space below
 * its content. Also opens or closes the readback form when the window's width changes or the page
 * is refreshed.
 */
export function trackAnswerBar(signal: AbortSignal): void {
  const bar = document.querySelector<HTMLElement>(".answer-bar");
  const body = document.body;
  if (!bar) return;
  const foldReadback = () => {
    const readback = bar.querySelector<HTMLDetailsElement>(".say");
    if (!readback) return;
    if (wideWindow.matches) readback.open = true;
    else if (
      !readback.contains(document.activeElement) &&
      readback.querySelector("textarea")?.value === ""
    )
      readback.open = false;
  };
  foldReadback();
  wideWindow.addEventListener("change", foldReadback, { signal });
  document.addEventListener("hearback:refreshed", foldReadback, { signal });
  const observer = new ResizeObserver(() => {
    const height = Math.round(bar.getBoundingClientRect().height);
    body.style.setProperty("--bar", `${height}px`);
    document.documentElement.style.scrollPaddingBottom = `calc(${height}px + ${getComputedStyle(body).getPropertyValue("--bottom-bar")} + 16px)`;
  });
  observer.observe(bar);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    document.documentElement.style.scrollPaddingBottom = "";
  });
}

/** Focuses the response field or button, and expands its form if necessary. */
export function focusAnswer(): void {
  const field = document.querySelector<HTMLElement>('[data-key="a"]');
  field?.closest("details")?.setAttribute("open", "");
  field?.focus();
}

// When the person expands a form, focus its text area. In a narrow window, collapse the other form.
// `toggle` does not bubble, so listen in the capture phase.
document.addEventListener(
  "toggle",
  ({ target }) => {
    const forms = ".answer :is(.say, .decline)";
    if (
      !(target instanceof HTMLDetailsElement) ||
      !target.open ||
      !target.matches(forms) ||
      !target.contains(document.activeElement)
    )
      return;
    if (!wideWindow.matches)
      for (const other of document.querySelectorAll<HTMLDetailsElement>(`${forms}[open]`))
        if (other !== target) other.open = false;
    target.querySelector("textarea")?.focus({ preventScroll: true });
    // Scroll only the bar, not the page behind it.
    const bar = target.closest(".answer-bar");
    if (!bar) return;
    const [box, frame] = [target.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (box.bottom > frame.bottom)
      bar.scrollTop += Math.min(box.bottom - frame.bottom, box.top - frame.top);
  },
  true,
);
