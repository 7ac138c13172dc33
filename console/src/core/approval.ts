// What an approver has to look at: the texts as a matrix, and what is still missing for an approval.

import type {Approval, Channel, Finding, Text} from '../api/shapes';

export interface Row {
    key: string;
    locale: string;
    segments: string[];
    supplement: boolean;
    cells: Partial<Record<Channel, Text>>;
}

/** One row for each language and set of segments, one cell for each channel. */
export function matrixOf(texts: readonly Text[]): Row[] {
    const rows = new Map<string, Row>();
    for (const text of texts) {
        const key = JSON.stringify([text.locale, text.supplement, text.segments]);
        const row = rows.get(key) ?? {
            key,
            locale: text.locale,
            segments: text.segments,
            supplement: text.supplement,
            cells: {},
        };
        row.cells[text.channel] = text;
        rows.set(key, row);
    }
    return [...rows.values()];
}

export interface Card {
    title: string;
    body: string;
}

/** A push as its screen shows it; nothing for a file that is not one. */
export function cardOf(text: Pick<Text, 'files'>): Card | undefined {
    const file = text.files['apns.json'];
    try {
        const alert = (JSON.parse(file ?? '') as {aps: {alert: Partial<Card>}}).aps.alert;
        return {title: alert.title ?? '', body: alert.body ?? ''};
    } catch {
        return undefined;
    }
}

export interface Sms {
    parts: number;
    text: string;
}

export function smsOf(text: Pick<Text, 'files'>): Sms {
    return {
        parts: Object.keys(text.files).filter((name) => /^part-\d+\.hex$/.test(name)).length,
        text: text.files['text.txt'] ?? '',
    };
}

/** Findings are guesses about wording that somebody has to take on; warnings are only to be read. */
export function toTakeOn(findings: readonly Finding[]): Finding[] {
    const seen = new Set<string>();
    return findings.filter((f) => {
        const open = f.severity === 'finding' && f.accepted === null && !seen.has(f.rule);
        if (open) {
            seen.add(f.rule);
        }
        return open;
    });
}

export interface Ticks {
    read: ReadonlySet<string>; // digests of texts
    taken: ReadonlySet<string>; // rules of findings
    reason: string;
}

export type Missing = {what: 'texts' | 'findings'; count: number} | {what: 'reason'};

/** What keeps this approval from being given, in the order in which one meets it on the page. */
export function missing(a: Pick<Approval, 'findings' | 'texts'>, ticks: Ticks): Missing[] {
    const out: Missing[] = [];
    const open = toTakeOn(a.findings);
    const untaken = open.filter((f) => !ticks.taken.has(f.rule)).length;
    if (untaken > 0) {
        out.push({what: 'findings', count: untaken});
    }
    if (open.length > 0 && ticks.reason.trim() === '') {
        out.push({what: 'reason'});
    }
    const unread = a.texts.filter((t) => !ticks.read.has(t.sha256)).length;
    if (unread > 0) {
        out.push({what: 'texts', count: unread});
    }
    return out;
}

export interface Sums {
    people: number;
    rows: number;
    rejected: number;
    unreachable: number;
    waves: number;
    addresses: [channel: string, count: number][];
}

type Counted = Omit<Approval['waves'][number], 'wave' | 'sha256'>;

export function sumsOf(waves: readonly Counted[]): Sums {
    const sums: Sums = {people: 0, rows: 0, rejected: 0, unreachable: 0, waves: waves.length, addresses: []};
    const addresses = new Map<string, number>();
    for (const wave of waves) {
        sums.people += wave.recipients;
        sums.rows += wave.rows;
        sums.rejected += wave.rejected;
        sums.unreachable += wave.unreachable;
        for (const [channel, count] of Object.entries(wave.addresses)) {
            addresses.set(channel, (addresses.get(channel) ?? 0) + count);
        }
    }
    sums.addresses = [...addresses];
    return sums;
}

/** "0:17 11:3": up to which offset of each partition a ledger had read. */
export function positionOf(position: Readonly<Record<string, number>>): string {
    return Object.entries(position)
        .map(([partition, next]) => `${partition}:${next}`)
        .join(' ');
}
