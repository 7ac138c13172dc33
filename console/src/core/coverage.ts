// The account that must close: seven parts that sum to the rows.

import type {Coverage} from '../api/shapes';

export const PARTS = [
    'reached',
    'failed',
    'unreachable',
    'in_doubt',
    'outstanding',
    'repeated',
    'rejected',
] as const satisfies readonly (keyof Coverage)[];
export type Part = (typeof PARTS)[number];

export interface Slice<P = Part> {
    part: P;
    count: number;
    /** In hundredths of the bar, from its left. */
    from: number;
    width: number;
}

/** A part that is there is seen, however small: it gets at least this much of the bar. */
const least = 0.6;

export function slicesOf<P extends string>(counts: Readonly<Record<P, number>>, parts: readonly P[]): Slice<P>[] {
    const total = parts.reduce((sum, part) => sum + counts[part], 0);
    const there = parts.filter((part) => counts[part] > 0);
    const raw = there.map((part) => Math.max(least, (100 * counts[part]) / total));
    const scale = 100 / raw.reduce((a, b) => a + b, 0);
    let from = 0;
    return there.map((part, i) => {
        const width = (raw[i] ?? 0) * scale;
        const slice = {part, count: counts[part], from, width};
        from += width;
        return slice;
    });
}

export function sumOf(coverage: Coverage): number {
    return PARTS.reduce((sum, part) => sum + coverage[part], 0);
}

/** How many rows the parts miss (more than 0) or have too many; 0: the account closes. */
export function gapOf(coverage: Coverage, rows: number): number {
    return rows - sumOf(coverage);
}

/** "99.8 %". Never 100 % of what is not all, never 0 % of what is not nothing. */
export function share(count: number, of: number, format: (n: number) => string): string {
    if (of === 0) {
        return '';
    }
    const tenths = Math.round((1000 * count) / of);
    if (tenths === 0 && count > 0) {
        return `< ${format(0.1)} %`;
    }
    if (tenths === 1000 && count < of) {
        return `> ${format(99.9)} %`;
    }
    return `${format(tenths / 10)} %`;
}
