// Custom events dispatched on the document.
import type { UnseenPerson } from "../comments/sent-notices.js";
import type { Anchor } from "../update/anchors.js";

declare global {
  interface DocumentEventMap {
    /** The page was fetched again and is about to be morphed. The detail is the fetched document. */
    "hearback:before-morph": CustomEvent<Document>;
    /** The page was refreshed, so its content may have changed. */
    "hearback:refreshed": CustomEvent;
    /** Earlier threads or replies were added to the page, because the reader asked for them. */
    "hearback:threads-loaded": CustomEvent;
    /** The reader has lost access to this page. */
    "hearback:access-lost": CustomEvent;
    /** The server is responding again after a failed request, or the browser is online again. */
    "hearback:connected": CustomEvent;
    /**
     * While the reader had the page open, the update or its receipts changed, or someone else
     * commented.
     */
    "hearback:activity": CustomEvent;
    /** A script changed the audience. */
    "hearback:audience-changed": CustomEvent;
    /** A script sent a form, and the server accepted it. */
    "hearback:form-sent": CustomEvent<{
      form: HTMLFormElement;
      answer: { unseen?: UnseenPerson[]; update_id?: string; url?: string } | null;
    }>;
    /** The stage was updated, and may now show another media item. */
    "hearback:media-shown": CustomEvent;
    /** The reader pointed at a place to comment on it. */
    "hearback:point": CustomEvent<Anchor>;
    /** Another comment was selected, or the selection was cleared. */
    "hearback:comment-selected": CustomEvent;
    /** Part of a recording remains only in this browser, because the server refused it. */
    "hearback:recording-kept": CustomEvent;
    /** The list of unfinished recordings was rendered. */
    "hearback:recordings-listed": CustomEvent;
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
