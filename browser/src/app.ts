// What runs in the browser: each element attaches itself by its own name to a page that works without it.
import "@hotwired/turbo";
import "@github/relative-time-element";
import "./morph.js";
import "./forms.js";
import "./menus.js";
import "./keys.js";
import "./live-page.js";
import "./copy-button.js";
import "./small-fields.js";
import "./upload-queue.js";
import "./draft-form.js";
import "./people-field.js";
import "./update-stage.js";
import "./comment-composer.js";
import "./talk.js";
import "./update-page.js";
