// Resumes the upload of a file after a reload. This browser remembers the uploads that it began.
import { defaultOptions, type Upload } from "tus-js-client";

/**
 * Looks for unfinished uploads of the same file to the same update that this browser began. If there are any, makes
 * `upload` continue one of them and returns `true`.
 */
export async function resumeEarlierUpload(upload: Upload, update: string): Promise<boolean> {
  const previous = upload.url ? [] : await upload.findPreviousUploads();
  const resumable = previous.filter(({ metadata }) => metadata["update"] === update).at(-1);
  if (resumable) upload.resumeFromPreviousUpload(resumable);
  return resumable !== undefined;
}

/** Whether this browser began the upload. If so, choosing the same file again continues it. */
export async function canResume(id: string): Promise<boolean> {
  const known = (await defaultOptions.urlStorage?.findAllUploads()) ?? [];
  return known.some(({ uploadUrl }) => uploadUrl?.endsWith(`/uploads/${id}`) ?? false);
}
