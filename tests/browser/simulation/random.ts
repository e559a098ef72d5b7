// Random decisions that depend only on their keys. A decision therefore stays the same when other decisions are added
// or when the server behaves differently.

/** Returns a number from 0 (inclusive) to 1 (exclusive) that depends only on `keys`. */
export function roll(...keys: (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const character of keys.join("\u0000")) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  // Apply the finalizer of MurmurHash3, so that similar keys give unrelated numbers.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Returns one element of a non-empty list. The choice depends only on `keys`. */
export function pick<T>(list: readonly T[], ...keys: (string | number)[]): T {
  return list[Math.floor(roll(...keys) * list.length)]!;
}

/** Returns the elements of a list in an order that depends only on `keys`. */
export function shuffle<T>(list: readonly T[], ...keys: (string | number)[]): T[] {
  return list
    .map((element, at) => ({ element, order: roll(...keys, at) }))
    .sort((a, b) => a.order - b.order)
    .map(({ element }) => element);
}
