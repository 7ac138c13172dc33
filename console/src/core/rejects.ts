// The list of rejects (line,column,reason,effect), by reason: how many, and one line to look at.

export interface Reason {
    column: string;
    reason: string;
    effect: string;
    count: number;
    firstLine: string;
}

/** One line of CSV (RFC 4180) without line breaks in its fields. */
function fieldsOf(line: string): string[] {
    const fields: string[] = [];
    let at = 0;
    while (at <= line.length) {
        if (line[at] === '"') {
            let field = '';
            at += 1;
            for (; at < line.length; ++at) {
                if (line[at] === '"' && line[at + 1] === '"') {
                    field += '"';
                    at += 1;
                } else if (line[at] === '"') {
                    break;
                } else {
                    field += line[at];
                }
            }
            fields.push(field);
            at += 2;
        } else {
            const comma = line.indexOf(',', at);
            const end = comma === -1 ? line.length : comma;
            fields.push(line.slice(at, end));
            at = end + 1;
        }
    }
    return fields;
}

/** The most frequent first. */
export function reasonsOf(csv: string): Reason[] {
    const found = new Map<string, Reason>();
    for (const line of csv.split(/\r?\n/).slice(1)) {
        if (line === '') {
            continue;
        }
        const [first = '', column = '', reason = '', effect = ''] = fieldsOf(line);
        const key = JSON.stringify([column, reason, effect]);
        const known = found.get(key);
        if (known === undefined) {
            found.set(key, {column, reason, effect, count: 1, firstLine: first});
        } else {
            known.count += 1;
        }
    }
    return [...found.values()].sort((a, b) => b.count - a.count);
}
