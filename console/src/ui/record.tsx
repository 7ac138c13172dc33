// A record that grows: the latest first, page by page.

import type {ComponentChildren} from 'preact';
import {useWords} from '../words';
import {useConsole, usePages, type Pages} from './console';
import {Loading, Section, Table, Title, Trouble} from './parts';

type Before = {before?: number};
type Page<T> = {items: T[]; next: number | null};

interface Drawn<T> {
    words: {title: string; what: string; none: string};
    head: [string, 'text' | 'number' | 'list'][];
    line: (item: T) => ComponentChildren;
}
interface Shown<T> extends Drawn<T> {
    read: (before: Before) => Promise<Page<T>>;
}

function Lines<T>({words, head, line, pages}: Drawn<T> & {pages: Pages<T>}) {
    const w = useWords();
    const {items, more, trouble, again} = pages;
    if (items === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    return (
        <>
            <p>{words.what}</p>
            {items.length === 0 ? (
                <p>{words.none}</p>
            ) : (
                <Table label={words.title} head={head}>
                    {items.map(line)}
                </Table>
            )}
            {more !== undefined && (
                <button type="button" onClick={more}>
                    {w.lookups.more}
                </button>
            )}
            {trouble !== undefined && <Trouble why={trouble} />}
        </>
    );
}

export function RecordPage<T>({read, ...drawn}: Shown<T>) {
    const {api} = useConsole();
    const pages = usePages(read, [api]);
    return (
        <>
            {pages.items !== undefined && <Title>{drawn.words.title}</Title>}
            <Lines {...drawn} pages={pages} />
        </>
    );
}

/** The same as a part of a page. */
export function RecordSection<T>({read, ...drawn}: Shown<T>) {
    const {api} = useConsole();
    const pages = usePages(read, [api]);
    return (
        <Section title={drawn.words.title}>
            <Lines {...drawn} pages={pages} />
        </Section>
    );
}
