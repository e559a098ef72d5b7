// <live-page> listens to the server-sent events of a page, and refreshes the page when events arrive. Browsers allow
// about six connections per host, so a hidden tab closes its stream. When the tab is visible again, it resumes after
// the last event it received.
import { announce } from "./dom.js";
import { showError } from "./error-banner.js";
import { refresh, refreshAll, refreshComment } from "./refresh.js";

const eventKinds = ["comment", "reaction", "receipt", "media", "update", "inbox"];
const RECONNECT_DELAY_MS = 15_000;
/** Events that arrive within this time cause one refresh. */
const REFRESH_DELAY_MS = 150;

interface EventData {
  kind?: string;
  id?: string;
  owed_by_me?: number;
}

class LivePage extends HTMLElement {
  #source: EventSource | null = null;
  #lastEventId: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #knownComments = new Set<string>();
  /** The newest comment that the page had when it was opened. Ids sort by creation. */
  #newestAtStart = "";
  #accessLost = false;

  connectedCallback(): void {
    this.#lastEventId = this.dataset["after"] ?? null;
    this.#knownComments = new Set(commentIds());
    this.#newestAtStart = commentIds().sort().at(-1) ?? "";
    document.addEventListener("visibilitychange", this.#updateConnection);
    document.addEventListener("hearback:refreshed", this.#announceNewComments);
    document.addEventListener("hearback:threads-loaded", this.#rememberComments);
    document.addEventListener("hearback:access-lost", this.#endAccess);
    addEventListener("online", this.#reconnect);
    this.#updateConnection();
  }

  disconnectedCallback(): void {
    document.removeEventListener("visibilitychange", this.#updateConnection);
    document.removeEventListener("hearback:refreshed", this.#announceNewComments);
    document.removeEventListener("hearback:threads-loaded", this.#rememberComments);
    document.removeEventListener("hearback:access-lost", this.#endAccess);
    removeEventListener("online", this.#reconnect);
    this.#close();
  }

  #updateConnection = (): void => {
    if (document.hidden) this.#close();
    else this.#open();
  };

  /**
   * Reconnects and refreshes at once when the network is back, because the browser may wait before
   * it tries again.
   */
  #reconnect = (): void => {
    this.#close();
    this.#updateConnection();
    if (!document.hidden && !this.#accessLost) void refreshAll();
  };

  #open(): void {
    const url = this.dataset["src"];
    if (!url || this.#source || this.#accessLost) return;
    const source = new EventSource(
      this.#lastEventId === null ? url : `${url}?after=${encodeURIComponent(this.#lastEventId)}`,
    );
    this.#source = source;
    for (const kind of eventKinds)
      source.addEventListener(kind, (event: MessageEvent<string>) => this.#receive(kind, event));
    source.addEventListener("error", () => {
      // After a network failure, the browser reconnects by itself. After an error response, for example because the
      // reader is signed out or the server is restarting, it does not.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#close();
      this.#timer = setTimeout(this.#updateConnection, RECONNECT_DELAY_MS);
      // EventSource does not expose the status of the response. Fetch the page to find out whether the reader has lost
      // access.
      void refresh();
    });
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** Handles the loss of access: the update was trashed, or this reader may no longer open it. */
  #endAccess = (): void => {
    if (this.#accessLost) return;
    this.#accessLost = true;
    this.#close();
    showError("You can no longer open this update. Your text is still here.");
  };

  #receive(kind: string, event: MessageEvent<string>): void {
    if (event.lastEventId !== "") this.#lastEventId = event.lastEventId;
    let data: EventData = {};
    try {
      data = JSON.parse(event.data) as EventData;
    } catch {
      // Ignore the error, because some events carry no data.
    }
    if (kind === "inbox") showInboxCount(data.owed_by_me);
    // Only the inbox shows the items that an inbox event changes; other pages show just the count.
    if (kind === "inbox" && !document.getElementById("inbox")) return;
    // Fetch only the thread of a comment, without the delay.
    const isAboutComment = kind === "comment" || (kind === "reaction" && !this.#isUpdate(data.id));
    if (isAboutComment && data.id !== undefined && document.getElementById("threads"))
      return void refreshComment(data.id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void refresh().then(() => {
        if (kind === "receipt" || kind === "update")
          document.dispatchEvent(new CustomEvent("hearback:activity"));
      });
    }, REFRESH_DELAY_MS);
  }

  #isUpdate(id: string | undefined): boolean {
    return document.querySelector<HTMLElement>("update-page")?.dataset["update"] === id;
  }

  /** Comments that were loaded because the reader asked for them are not new. */
  #rememberComments = (): void => {
    for (const id of commentIds()) this.#knownComments.add(id);
  };

  /**
   * After a refresh, announces who has written new comments. Ignores the reader's own comments, and older ones that are
   * added to the page because their thread changed.
   */
  #announceNewComments = (): void => {
    const authors = new Set<string>();
    for (const comment of document.querySelectorAll<HTMLElement>(".comment[id]")) {
      const isNew = comment.id > this.#newestAtStart && !this.#knownComments.has(comment.id);
      if (isNew && comment.dataset["mine"] === undefined)
        authors.add(comment.dataset["author"] ?? "");
    }
    this.#rememberComments();
    if (authors.size === 0) return;
    announce(`New comment by ${[...authors].join(", ")}.`);
    document.dispatchEvent(new CustomEvent("hearback:activity"));
  };
}

customElements.define("live-page", LivePage);

declare global {
  interface HTMLElementTagNameMap {
    "live-page": LivePage;
  }
}

function commentIds(): string[] {
  return [...document.querySelectorAll(".comment[id]")].map(({ id }) => id);
}

/** Shows the number of updates that await the reader's response, in the navigation and in the title. */
function showInboxCount(owed: number | undefined): void {
  if (owed === undefined) return;
  const text = owed > 1000 ? "1000+" : String(owed); // filters.rs formats the count in the same way
  const badge = document.getElementById("rail-count");
  if (badge) {
    badge.hidden = owed === 0;
    const number = badge.querySelector("[data-number]");
    if (number) number.textContent = text;
  }
  document.title = document.title
    .replace(/^\(\d+\+?\) /, "")
    .replace(/^/, owed > 0 ? `(${text}) ` : "");
}
