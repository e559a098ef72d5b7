// Shows in the tab that the page records: its title and its icon.
const dot =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9" fill="#b92d1f"/></svg>',
  );

let usual: { icon: string; title: string; said: string } | null = null;

/** Says `words` in the tab's title, or nothing more. */
export function sign(words: string | null): void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (words === null) {
    if (!usual) return;
    if (link) link.href = usual.icon;
    // Another page may have come meanwhile.
    if (document.title === usual.said) document.title = usual.title;
    usual = null;
    return;
  }
  usual ??= { icon: link?.href ?? "", title: document.title, said: words };
  if (link && link.href !== dot) link.href = dot;
  usual.said = document.title = words;
}
