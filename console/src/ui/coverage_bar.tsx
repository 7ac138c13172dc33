// Seven parts that sum to the rows: a bar for the eye, and the table that it is drawn from.

import type {ComponentChildren} from 'preact';
import type {Coverage} from '../api/shapes';
import {gapOf, PARTS, share, slicesOf, type Part, type Slice} from '../core/coverage';
import {useWords} from '../words';
import {Table} from './parts';

/** No two neighbours differ by colour alone. Once in each window, for all its bars. */
export function Patterns() {
    return (
        <svg class="unseen" aria-hidden="true">
            <defs>
                <pattern id="hatched" width="1" height="3" patternUnits="userSpaceOnUse">
                    <rect width="1" height="1" class="ink" />
                </pattern>
                <pattern id="dotted" width="1.2" height="6" patternUnits="userSpaceOnUse">
                    <rect width="0.5" height="6" class="ink" />
                </pattern>
            </defs>
        </svg>
    );
}
const PATTERN: Partial<Record<string, string>> = {failed: 'url(#hatched)', in_doubt: 'url(#dotted)', never: 'url(#dotted)'};

/** Without a label it only repeats what stands beside it. */
export function Bar({slices, label}: {slices: readonly Slice<string>[]; label?: string}) {
    const spoken = label === undefined ? ({'aria-hidden': true} as const) : ({role: 'img', 'aria-label': label} as const);
    return (
        <svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" {...spoken}>
            {slices.map(({part, from, width}) => (
                <g key={part}>
                    <rect x={from} width={width} height="12" class={`part ${part}`} />
                    {PATTERN[part] !== undefined && <rect x={from} width={width} height="12" fill={PATTERN[part]} />}
                </g>
            ))}
        </svg>
    );
}

export function Swatch({part}: {part: string}) {
    return (
        <svg class="swatch" viewBox="0 0 6 6" aria-hidden="true">
            <rect width="6" height="6" class={`part ${part}`} />
            {PATTERN[part] !== undefined && <rect width="6" height="6" fill={PATTERN[part]} />}
        </svg>
    );
}

function Account({coverage, rows}: {coverage: Coverage; rows: number}) {
    const w = useWords();
    const gap = gapOf(coverage, rows);
    if (gap === 0) {
        return <p>{w.coverage.sum}</p>;
    }
    return (
        <p class="box alarm large" role="alert">
            {gap > 0 ? w.coverage.missing(gap) : w.coverage.tooMany(-gap)}
        </p>
    );
}

interface Given {
    coverage: Coverage;
    rows: number;
    /** The list behind a number; nothing where there is none for this user. */
    listOf: (part: Part) => ComponentChildren;
}

export function CoverageAccount({coverage, rows, listOf}: Given) {
    const w = useWords();
    if (rows === 0 && gapOf(coverage, rows) === 0) {
        return <p>{w.coverage.none}</p>;
    }
    const said = PARTS.filter((part) => coverage[part] > 0)
        .map((part) => `${w.coverage[part]} ${w.number(coverage[part])}`)
        .join(', ');
    return (
        <>
            <Bar slices={slicesOf(coverage, PARTS)} label={w.coverage.bar(said)} />
            <Account coverage={coverage} rows={rows} />
            <Table
                label={w.coverage.title}
                head={[
                    [w.coverage.part, 'text'],
                    [w.coverage.count, 'number'],
                    [w.coverage.share, 'number'],
                    [w.coverage.list, 'list'],
                ]}
            >
                {PARTS.map((part) => (
                    <tr key={part}>
                        <th scope="row" class="text">
                            <Swatch part={part} />
                            {w.coverage[part]}
                            <span class="help">{w.coverage.help[part]}</span>
                        </th>
                        <td class="number">{w.number(coverage[part])}</td>
                        <td class="number">{share(coverage[part], rows, w.number)}</td>
                        <td class="list">{coverage[part] > 0 ? listOf(part) : null}</td>
                    </tr>
                ))}
                <tr class="sum">
                    <th scope="row" class="text">
                        {w.coverage.rows}
                    </th>
                    <td class="number">{w.number(rows)}</td>
                    <td class="number" />
                    <td class="list" />
                </tr>
            </Table>
        </>
    );
}
