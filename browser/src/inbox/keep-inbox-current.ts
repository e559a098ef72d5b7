// While a person goes through their inbox, the navigation keeps Inbox lit on the pages of its updates. The server cannot
// know how the person came to an update, because the addresses are the same.
import { readStorage, writeStorage } from "../lib/dom.js";

/** The session storage key that is set while the person reads updates from the inbox. */
const FROM_INBOX_KEY = "from-inbox";

function keepInboxCurrent(body: HTMLElement): void {
  const isOnUpdate = body.querySelector("update-page, hearing-list") !== null;
  if (!isOnUpdate) {
    const isInbox = body.querySelector("inbox-keys") !== null;
    writeStorage("sessionStorage", FROM_INBOX_KEY, isInbox ? "yes" : null);
    return;
  }
  const inbox = body.querySelector('.rail li > a[href="/inbox"]');
  const current = body.querySelector(".rail [aria-current]");
  if (!inbox || !current || readStorage("sessionStorage", FROM_INBOX_KEY) === null) return;
  current.removeAttribute("aria-current");
  inbox.setAttribute("aria-current", "page");
}

// Change the new page before it is shown, so that the navigation does not flicker.
document.addEventListener("turbo:before-render", (event) => {
  const { newBody } = (event as CustomEvent<{ newBody: HTMLElement }>).detail;
  keepInboxCurrent(newBody);
});
keepInboxCurrent(document.body);
