// The texts of a notice as people will see them, side by side.

import {useId} from 'preact/hooks';
import {target} from '../api/client';
import type {Channel, Text} from '../api/shapes';
import {cardOf, matrixOf, smsOf, type Row} from '../core/approval';
import {useWords, type Words} from '../words';

const ORDER: readonly Channel[] = ['email', 'push', 'sms'];

function rowName(row: Row, w: Words): string {
    const of = row.segments.length === 0 ? w.approval.everybody : w.approval.segments(row.segments.join(', '));
    return row.supplement ? `${of}; ${w.approval.supplement}` : of;
}

/** The name of a language in the console's own, with its tag: "Korean (ko)". */
function localeName(locale: string, w: Words): string {
    try {
        return `${new Intl.DisplayNames([w.language], {type: 'language'}).of(locale) ?? locale} (${locale})`;
    } catch {
        return locale;
    }
}

function Mail({id, text, name}: {id: string; text: Text; name: string}) {
    const w = useWords();
    return (
        <>
            <iframe
                sandbox=""
                loading="lazy"
                title={`${w.approval.asMail}: ${name}`}
                lang={text.locale}
                src={target('/v1/campaigns/{id}/mails/{sha256}', {id, sha256: text.sha256})}
            />
            <details>
                <summary>{w.approval.asText}</summary>
                <pre lang={text.locale}>{text.summary}</pre>
            </details>
        </>
    );
}

function Push({text}: {text: Text}) {
    const card = cardOf(text);
    return card === undefined ? (
        <pre lang={text.locale}>{text.summary}</pre>
    ) : (
        <div class="lockscreen" lang={text.locale}>
            <strong>{card.title}</strong>
            <p>{card.body}</p>
        </div>
    );
}

function Sms({text}: {text: Text}) {
    const w = useWords();
    const sms = smsOf(text);
    return (
        <>
            <p class="bubble" lang={text.locale}>
                {sms.text}
            </p>
            <p class="help">{w.approval.smsParts(sms.parts)}</p>
        </>
    );
}

interface Given {
    id: string;
    texts: readonly Text[];
    read: ReadonlySet<string>;
    /** Nothing where nobody ticks. */
    tick?: ((sha256: string, read: boolean) => void) | undefined;
}

function Cell({id, text, name, read, tick}: {text: Text; name: string} & Omit<Given, 'texts'>) {
    const w = useWords();
    const box = useId();
    const channel = w.channel[text.channel] ?? text.channel;
    return (
        <article class="card">
            <h4>{channel}</h4>
            {text.channel === 'email' && <Mail id={id} text={text} name={name} />}
            {text.channel === 'push' && <Push text={text} />}
            {text.channel === 'sms' && <Sms text={text} />}
            <p class="help">
                {w.approval.digest} <code title={text.sha256}>{text.sha256.slice(0, 12)}</code>
            </p>
            {tick !== undefined && (
                <label for={box} class="tick">
                    <input id={box} type="checkbox" checked={read.has(text.sha256)} onChange={(e) => tick(text.sha256, e.currentTarget.checked)} />
                    <span>
                        {w.approval.read}
                        <span class="unseen">: {`${channel}, ${name}`}</span>
                    </span>
                </label>
            )}
        </article>
    );
}

export function Texts(given: Given) {
    const w = useWords();
    const rows = matrixOf(given.texts);
    const locales = [...new Set(rows.map((row) => row.locale))];
    return (
        <>
            {locales.map((locale) => (
                <section key={locale} class="locale">
                    <h3>{localeName(locale, w)}</h3>
                    {rows
                        .filter((row) => row.locale === locale)
                        .map((row) => (
                            <div key={row.key}>
                                <p class="rowname">{rowName(row, w)}</p>
                                <div class="matrix">
                                    {ORDER.map((channel) => {
                                        const text = row.cells[channel];
                                        return (
                                            text !== undefined && (
                                                <Cell
                                                    key={channel}
                                                    id={given.id}
                                                    text={text}
                                                    name={`${localeName(locale, w)}, ${rowName(row, w)}`}
                                                    read={given.read}
                                                    tick={given.tick}
                                                />
                                            )
                                        );
                                    })}
                                </div>
                            </div>
                        ))}
                </section>
            ))}
        </>
    );
}
