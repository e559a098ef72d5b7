// Asks guests for their name when they first say something. The server knows the name from then on.
import { askGuestName } from "./dialogs.js";
import { Problem } from "./request.js";

/**
 * Sends a request. If the server needs the guest's name, asks for it and calls `send` again with the name. Rejects with
 * the server's problem if the guest cancels.
 */
export async function withGuestName<T>(send: (name?: string) => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Problem) || error.errors["name"] === undefined) throw error;
    const name = await askGuestName();
    if (name === null) throw error;
    return send(name);
  }
}
