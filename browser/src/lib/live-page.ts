// One stream a page. Browsers open six connections a host, so a hidden tab gives its one back and asks for what it missed later.
import { announce } from "./dom.js";
import { showError } from "./dialogs.js";
import { refresh } from "./refresh.js";

interface Happening {
  kind?: string;
  id?: string;
  owed_by_me?: number;
}

customElements.define(
  "live-page",
  class extends HTMLElement {
    #source: EventSource | null = null;
    #last: string | null = null;
    #pause: ReturnType<typeof setTimeout> | undefined;
    #known = new Set<string>();
    #ended = false;

    connectedCallback(): void {
      this.#last = this.dataset["after"] ?? null;
      this.#known = comments();
      document.addEventListener("visibilitychange", this.#turn);
      document.addEventListener("hearback:refreshed", this.#heard);
      document.addEventListener("hearback:access-lost", this.#end);
      this.#turn();
    }

    disconnectedCallback(): void {
      document.removeEventListener("visibilitychange", this.#turn);
      document.removeEventListener("hearback:refreshed", this.#heard);
      document.removeEventListener("hearback:access-lost", this.#end);
      this.#close();
    }

    #turn = (): void => {
      if (document.hidden) this.#close();
      else this.#open();
    };

    #open(): void {
      const address = this.dataset["src"];
      if (!address || this.#source || this.#ended) return;
      const source = new EventSource(
        this.#last === null ? address : `${address}?after=${encodeURIComponent(this.#last)}`,
      );
      this.#source = source;
      for (const kind of ["comment", "reaction", "receipt", "media", "update", "inbox"]) {
        source.addEventListener(kind, (event: MessageEvent<string>) => this.#happened(kind, event));
      }
      source.addEventListener("error", () => {
        // The browser tries again by itself unless the answer was not a stream (signed out, revoked, restarting).
        if (source.readyState !== EventSource.CLOSED) return;
        // Why, it does not say: the page itself does.
        this.#close();
        this.#pause = setTimeout(this.#turn, 15_000);
        void refresh();
      });
    }

    #close(): void {
      clearTimeout(this.#pause);
      this.#source?.close();
      this.#source = null;
    }

    /** Trashed, revoked, or no longer for this reader. */
    #end = (): void => {
      if (this.#ended) return;
      this.#ended = true;
      this.#close();
      showError("This is no longer open to you. What you typed is still here.");
    };

    #happened(kind: string, event: MessageEvent<string>): void {
      if (event.lastEventId !== "") this.#last = event.lastEventId;
      let data: Happening = {};
      try {
        data = JSON.parse(event.data) as Happening;
      } catch {
        // An event without data still says that something happened.
      }
      if (kind === "inbox") count(data.owed_by_me);
      // An inbox event changes only the inbox; on other pages the count is all there is to see.
      if (kind === "inbox" && !document.getElementById("inbox")) return;
      // Several events of one moment become one fetch.
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => {
        void refresh().then(() => {
          // What comes before one's eyes is read.
          if (kind === "receipt" || kind === "update")
            document.dispatchEvent(new CustomEvent("hearback:activity"));
        });
      }, 150);
    }

    /** After a refresh: says whose comments came. One's own need no saying. */
    #heard = (): void => {
      const names = new Set<string>();
      for (const comment of document.querySelectorAll<HTMLElement>(".comment[id]")) {
        if (!this.#known.has(comment.id) && comment.dataset["mine"] === undefined)
          names.add(comment.dataset["author"] ?? "");
      }
      this.#known = comments();
      if (names.size === 0) return;
      announce(`New comment by ${[...names].join(", ")}.`);
      document.dispatchEvent(new CustomEvent("hearback:activity"));
    };
  },
);

function comments(): Set<string> {
  return new Set([...document.querySelectorAll(".comment[id]")].map((comment) => comment.id));
}

/** How much waits for my answer, in the rail and in the title. */
function count(owed: number | undefined): void {
  if (owed === undefined) return;
  const shown = owed > 1000 ? "1000+" : String(owed); // as filters.rs says it
  const badge = document.getElementById("rail-count");
  if (badge) {
    badge.hidden = owed === 0;
    const number = badge.querySelector("[data-number]");
    if (number) number.textContent = shown;
  }
  document.title = document.title
    .replace(/^\(\d+\+?\) /, "")
    .replace(/^/, owed > 0 ? `(${shown}) ` : "");
}
