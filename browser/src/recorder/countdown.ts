/**
 * Calls `say` with 3, 2 and 1, one second apart, and resolves one second after the last call. If `signal` is aborted,
 * stops and never resolves.
 */
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
