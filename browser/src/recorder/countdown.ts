/** Calls `say` with 3, 2 and 1, a second apart, and resolves a second later. Stops, and never resolves, once `signal` is aborted. */
export function countdown(say: (number: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let number = 3;
    say(number);
    const timer = setInterval(() => {
      number -= 1;
      if (number > 0) return say(number);
      clearInterval(timer);
      resolve();
    }, 1000);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  });
}
