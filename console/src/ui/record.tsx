// A record that grows: the latest first, page by page.

import type {ComponentChildren} from 'preact';
import {useWords} from '../words';
import {useConsole, usePages} from './console';
import {Loading, Table, Title, Trouble} from './parts';

type Before = {before?: number};
type Page<T> = {items: T[]; next: number | null};

interface Shown<T> {
    words: {title: string; what: string; none: string};
    head: [string, 'text' | 'number' | 'list'][];
    read: (before: Before) => Promise<Page<T>>;
    line: (item: T) => ComponentChildren;
}

export function RecordPage<T>({words, head, read, line}: Shown<T>) {
    const w = useWords();
    const {api} = useConsole();
    const {items, more, trouble, again} = usePages(read, [api]);
    if (items === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    return (
        <>
            <Title>{words.title}</Title>
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
