// The events of the document that are not the browser's own.
import type { Unseen } from "../comments/sent-notices.js";
import type { Anchor } from "../update/anchors.js";

declare global {
  interface DocumentEventMap {
    /** The page is arranged like the fetched one, which comes along, before it is morphed into it. */
    "hearback:fetched": CustomEvent<Document>;
    /** The page may have changed: it was refreshed. */
    "hearback:fresh": CustomEvent;
    /** The page is no longer open to this reader. */
    "hearback:gone": CustomEvent;
    /** Something arrived while the reader looked at the page. */
    "hearback:heard": CustomEvent;
    /** The audience was filled in by a script. */
    "hearback:audience": CustomEvent;
    /** A form was sent by a script and accepted. */
    "hearback:answered": CustomEvent<{
      form: HTMLFormElement;
      answer: { unseen?: Unseen[]; update_id?: string } | null;
    }>;
    /** Another medium is shown on the stage. */
    "hearback:shown": CustomEvent;
    /** The reader points at a place, to comment on it. */
    "hearback:place": CustomEvent<Anchor>;
    /** Another comment is chosen. */
    "hearback:chosen": CustomEvent;
    /** A recording stays in this browser because the server did not take all of it. */
    "hearback:kept": CustomEvent;
    /** The list of unfinished recordings was made. */
    "hearback:offered": CustomEvent;
    "turbo:before-visit": CustomEvent<{ url: string }>;
    "turbo:before-morph-element": CustomEvent<{ newElement?: Element }>;
    "turbo:before-morph-attribute": CustomEvent<{ attributeName: string }>;
    "text-expander-change": CustomEvent<{
      key: string;
      text: string;
      provide(result: Promise<{ matched: boolean; fragment?: HTMLElement }>): void;
    }>;
    "text-expander-value": CustomEvent<{ item: HTMLElement; value: string | null }>;
    "text-expander-committed": CustomEvent<{ input: HTMLTextAreaElement }>;
  }
}
