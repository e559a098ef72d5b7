// The part of Turbo that we use; the package has no types. Also declares the modules that the build generates.
declare module "@hotwired/turbo" {
  export function visit(location: string, options?: { action?: "advance" | "replace" }): void;
  export function morphElements(
    current: Element,
    next: Element,
    options?: { morphStyle?: "outerHTML" | "innerHTML" },
  ): void;
  export const cache: { clear(): void };
  export const config: {
    forms: { confirm: (message: string, form: HTMLFormElement) => Promise<boolean> };
  };
}
declare module "emojis" {
  const emojis: [emoji: string, words: string][];
  export default emojis;
}
declare module "glyphs" {
  const bounds: number[];
  export default bounds;
}
