// Navigation by scripts.
import { visit } from "@hotwired/turbo";

/**
 * Visits a page of this site. The pressed button disappears with the old page, so this moves the focus to the new
 * page's content, unless the new page has already set the focus.
 */
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
