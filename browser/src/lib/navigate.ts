// Going to another page by a script: what was pressed is gone then, and with it the focus.
import { visit } from "@hotwired/turbo";

/** Goes to a page of ours. Its content has the focus then, unless something of it took it. */
export function navigate(url: string): void {
  document.addEventListener(
    "turbo:load",
    () => {
      if (document.activeElement === document.body)
        document.getElementById("main")?.focus({ preventScroll: true });
    },
    { once: true },
  );
  visit(url);
}
