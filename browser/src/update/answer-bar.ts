// The bar in which one answers: how tall it is, and that what is opened in it is seen.

/** There the box to say it back in is always open; below, it is folded until it is asked for. */
const wide = matchMedia("(min-width: 1100px)");

/** Lets the page know how tall the bar is, so that nothing lies under it and nothing is kept free in vain. */
export function trackAnswerBar(signal: AbortSignal): void {
  const bar = document.querySelector<HTMLElement>(".answer-bar");
  const body = document.body;
  if (!bar) return;
  const fold = () => {
    const say = bar.querySelector<HTMLDetailsElement>(".say");
    if (say && wide.matches) say.open = true;
    else if (
      say &&
      !say.contains(document.activeElement) &&
      say.querySelector("textarea")?.value === ""
    )
      say.open = false;
  };
  fold();
  wide.addEventListener("change", fold, { signal });
  document.addEventListener("hearback:refreshed", fold, { signal });
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

/** Goes to what answers, opening it where it is folded. */
export function focusAnswer(): void {
  const field = document.querySelector<HTMLElement>('[data-key="a"]');
  field?.closest("details")?.setAttribute("open", "");
  field?.focus();
}

// Opened by hand, one types at once; one of the two is open at a time. `toggle` does not bubble, but it can be captured.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (
      !(target instanceof HTMLDetailsElement) ||
      !target.open ||
      !target.matches(".answer :is(.say, .decline)") ||
      !target.contains(document.activeElement)
    )
      return;
    if (!wide.matches)
      for (const other of document.querySelectorAll<HTMLDetailsElement>(
        ".answer :is(.say, .decline)[open]",
      ))
        if (other !== target) other.open = false;
    target.querySelector("textarea")?.focus({ preventScroll: true });
    // The bar alone: the page behind it stays where it is.
    const bar = target.closest(".answer-bar");
    if (!bar) return;
    const [box, frame] = [target.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (box.bottom > frame.bottom)
      bar.scrollTop += Math.min(box.bottom - frame.bottom, box.top - frame.top);
  },
  true,
);
