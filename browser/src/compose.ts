// The entry point of the pages on which updates and groups are edited, in addition to app.ts. The other pages do not
// load the recorder, the uploads and the form.
import "./compose/due-field.js";
import "./upload/upload-queue.js";
import "./compose/draft-form.js";
import "./recorder/screen-recorder.js";
import "./compose/people-field.js";
import "./compose/later-members.js";
import "./compose/trim-editor.js";
import "./compose/media-order.js";
