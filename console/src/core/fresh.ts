// How figures stay alive, and say so when they do not.

export const every = 2_000;
const longest = 30_000;
/** Older than this, figures are called stale even while a request is under way. */
export const staleAfter = 3 * every;

/** When to ask again after so many failures in a row: twice as long each time, and never all browsers at once. */
export function waitAfter(failures: number, random: number): number {
    if (failures === 0) {
        return every;
    }
    const base = Math.min(longest, every * 2 ** Math.min(failures, 10));
    return base / 2 + (base / 2) * random;
}

export function isStale(figuresOf: number, failures: number, now: number): boolean {
    return failures > 0 || now - figuresOf > staleAfter;
}
