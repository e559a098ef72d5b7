// Shows in the browser tab's title and icon that the page is recording.
const recordingIcon =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9" fill="#b92d1f"/></svg>',
  );

/** The tab's original icon and title, and the title that was set last. */
let replaced: { icon: string; title: string; shownTitle: string } | null = null;

/** Sets the title and the recording icon; null restores the originals. */
export function showInTab(title: string | null): void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (title === null) {
    if (!replaced) return;
    if (link) link.href = replaced.icon;
    // If another page has set its own title, keep that title.
    if (document.title === replaced.shownTitle) document.title = replaced.title;
    replaced = null;
    return;
  }
  replaced ??= { icon: link?.href ?? "", title: document.title, shownTitle: title };
  if (link && link.href !== recordingIcon) link.href = recordingIcon;
  replaced.shownTitle = document.title = title;
}
