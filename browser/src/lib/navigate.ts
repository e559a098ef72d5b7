// Navigation by scripts.
import { visit } from "@hotwired/turbo";

/**
 * Visits a page of this site. The pressed button disappears, so the focus moves to the new content unless the page
 * moves it elsewhere.
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
