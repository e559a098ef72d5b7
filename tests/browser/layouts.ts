// Simulates key presses on other keyboard layouts.
import type { Page } from "@playwright/test";

/**
 * Sends a key press to the focused element. `key` is the character that the simulated keyboard layout produces, and
 * `code` is the position of the key on the keyboard.
 */
export async function pressPlace(
  page: Page,
  key: string,
  code: string,
  modifiers: { ctrlKey?: boolean; altKey?: boolean; shiftKey?: boolean } = {},
): Promise<void> {
  await page.evaluate(
    ([key, code, modifiers]) => {
      const init = { key, code, bubbles: true, cancelable: true, ...modifiers };
      (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", init));
    },
    [key, code, modifiers] as const,
  );
}
