// Deadlines for promises that a browser, a device or the server may never settle.

/**
 * Settles like `promise`, but rejects with `timeoutError()` if `promise` is still pending after
 * `ms` milliseconds.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  timeoutError: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(timeoutError()), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Settles like `promise`, but resolves with `fallback` if `promise` is still pending after `ms`
 * milliseconds.
 */
export function withFallback<T, F>(promise: Promise<T>, ms: number, fallback: F): Promise<T | F> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(fallback), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
