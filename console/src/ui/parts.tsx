// Small parts that several pages are made of.

import type {ComponentChildren} from 'preact';
import {useEffect, useId, useRef} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {CampaignState} from '../api/shapes';
import {exact, timeOfDay, useWords} from '../words';
import {leftPage, useConsole} from './console';

export function Time({at}: {at: string | number}) {
    const w = useWords();
    return <time dateTime={new Date(at).toISOString()}>{exact(at, w)}</time>;
}

/** Of the page, and of the window that shows it. */
export function Title({children}: {children: string}) {
    useEffect(() => {
        document.title = `${children} · Semel`;
        return () => {
            document.title = 'Semel';
        };
    }, [children]);
    return <h1>{children}</h1>;
}

/** Words of the api, which are English. */
export function Said({children}: {children: ComponentChildren}) {
    return <span lang="en">{children}</span>;
}

/** To the organisation's provider, and back to this page. */
export function SignOnLink({where, words}: {where: string; words: string}) {
    return (
        <p>
            <a class="button main" href={where} onClick={leftPage.note}>
                {words}
            </a>
        </p>
    );
}

export function Trouble({why, again}: {why: Refusal; again?: (() => void) | undefined}) {
    const w = useWords();
    return (
        <div class="box alarm" role="alert">
            {why.status === 0 ? (
                <p>{w.trouble.unreachable}</p>
            ) : (
                <p>
                    <Said>{why.why}</Said>
                </p>
            )}
            {why.hint !== '' && (
                <p>
                    <Said>{why.hint}</Said>
                </p>
            )}
            {why.signOn !== '' && why.status === 403 && <SignOnLink where={why.signOn} words={w.signIn.anew} />}
            {again !== undefined && (
                <button type="button" onClick={again}>
                    {w.trouble.again}
                </button>
            )}
        </div>
    );
}

export function Loading() {
    return <p role="status">{useWords().loading}</p>;
}

const SIGNS: Record<CampaignState, string> = {
    draft: '✎',
    sealed: '▣',
    approved: '✓',
    running: '▶',
    paused: '❚❚',
    finished: '■',
    cancelled: '✕',
};

export function State({of}: {of: CampaignState}) {
    const w = useWords();
    return (
        <span class={`state ${of}`}>
            <span aria-hidden="true">{SIGNS[of]}</span> {w.state[of]}
        </span>
    );
}

/** The moment of the figures, and that they are old when they are. */
export function Fresh({moment, stale}: {moment: number; stale: boolean}) {
    const w = useWords();
    const time = timeOfDay(moment, w);
    return stale ? (
        <p class="fresh stale" role="alert">
            <span aria-hidden="true">⚠</span> {w.fresh.stale(time)}
        </p>
    ) : (
        <p class="fresh">{w.fresh.of(time)}</p>
    );
}

/** For paper alone: whose print it is, and of when. */
export function Printed({id, moment}: {id: string; moment: number}) {
    const w = useWords();
    const {session} = useConsole();
    return (
        <p class="paper">
            {id} · {w.print(session.user, exact(moment, w))}
        </p>
    );
}

export function Section({title, children, id}: {title: string; children: ComponentChildren; id?: string}) {
    const own = useId();
    return (
        <section aria-labelledby={own} id={id}>
            <h2 id={own}>{title}</h2>
            {children}
        </section>
    );
}

/** A table that scrolls by itself where the page is narrow; then a keyboard can scroll it, too. */
export function Table({label, head, children}: {label: string; head: [string, 'text' | 'number' | 'list'][]; children: ComponentChildren}) {
    return (
        <div class="wide" tabIndex={0} role="group" aria-label={label}>
            <table>
                <thead>
                    <tr>
                        {head.map(([word, kind]) => (
                            <th scope="col" class={kind}>
                                {word}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>{children}</tbody>
            </table>
        </div>
    );
}

export function Numeral({of}: {of: number}) {
    return <td class="number">{useWords().number(of)}</td>;
}

interface Question {
    title: string;
    yes: string;
    no: string;
    grave?: boolean;
    /** False: there is something to fill in before. */
    ready?: boolean;
    onYes: () => void;
    onNo: () => void;
    children: ComponentChildren;
}

/** Asked before what cannot be taken back. The safe answer has the focus. */
export function Dialog({title, yes, no, grave, ready = true, onYes, onNo, children}: Question) {
    const box = useRef<HTMLDialogElement>(null);
    const own = useId();
    useEffect(() => box.current?.showModal(), []);
    return (
        <dialog ref={box} aria-labelledby={own} onCancel={onNo} onClose={onNo}>
            <h2 id={own}>{title}</h2>
            {children}
            <div class="buttons">
                <button type="button" autofocus onClick={onNo}>
                    {no}
                </button>
                <button type="button" class={grave ? 'grave' : 'main'} aria-disabled={ready ? undefined : true} onClick={() => ready && onYes()}>
                    {yes}
                </button>
            </div>
        </dialog>
    );
}
