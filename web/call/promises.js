// What browsers of 2023 do not have yet: a promise settled from outside, and a limit beside a signal.

/**
 * A promise, and what settles it.
 * @template T
 * @returns {Pledge<T>}
 */
export function pledge() {
  const made = /** @type {Pledge<T>} */ ({});
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/**
 * A signal that is aborted with another one, or by a TimeoutError after `limitMs`.
 * @param {AbortSignal} signal
 * @param {number} limitMs
 */
export function within(signal, limitMs) {
  const either = new AbortController();
  for (const each of [signal, AbortSignal.timeout(limitMs)]) {
    if (each.aborted) either.abort(each.reason);
    each.addEventListener("abort", () => either.abort(each.reason), { once: true });
  }
  return either.signal;
}
