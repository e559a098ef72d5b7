// Opens another page of this site from a script.
import { visit } from "@hotwired/turbo";

/**
 * Visits a page of this site, and focuses the content of the new page, because the pressed button disappears with the
 * old page. Does not move the focus if the new page has already set it.
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
