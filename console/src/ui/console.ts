// What every page has: the api and who is signed in; and how a page reads once, or stays alive.

import {createContext} from 'preact';
import {useCallback, useContext, useEffect, useRef, useState} from 'preact/hooks';
import {Refusal, type Api, type Asker} from '../api/client';
import {actsAs, rolesOf, type Role, type Session} from '../api/shapes';
import {every, isStale, waitAfter} from '../core/fresh';

export interface Console {
    api: Api;
    session: Session;
    roles: readonly Role[];
    /** Those in which something is changed: none with a token that only reads. */
    acts: readonly Role[];
}
export const consoleOf = (api: Api, session: Session): Console => ({api, session, roles: rolesOf(session), acts: actsAs(session)});
export const ConsoleContext = createContext<Console | undefined>(undefined);
export function useConsole(): Console {
    const found = useContext(ConsoleContext);
    if (found === undefined) {
        throw new Error('a page outside of the console');
    }
    return found;
}

export function refusalOf(why: unknown): Refusal {
    return why instanceof Refusal ? why : new Refusal(0, String(why), '');
}

const LEFT = 'semel.left';

/** The page from which somebody goes to the provider, to come back to it. Storage may be forbidden; then to the first. */
export const leftPage = {
    note: (): void => {
        try {
            sessionStorage.setItem(LEFT, location.hash);
        } catch {
            // as said
        }
    },
    take: (): string => {
        try {
            const left = sessionStorage.getItem(LEFT) ?? '';
            sessionStorage.removeItem(LEFT);
            return left;
        } catch {
            return '';
        }
    },
};

export interface Read<T> {
    data?: T;
    trouble?: Refusal;
    again: () => void;
}

/** Reads when the page opens, and when somebody asks for it again. */
export function useRead<T>(read: () => Promise<T>, on: readonly unknown[]): Read<T> {
    const [got, setGot] = useState<{data?: T; trouble?: Refusal}>({});
    const [turn, setTurn] = useState(0);
    useEffect(() => {
        let here = true;
        read().then(
            (data) => here && setGot({data}),
            (why: unknown) => here && setGot((before) => ({...before, trouble: refusalOf(why)})),
        );
        return () => {
            here = false;
        };
    }, [turn, ...on]);
    const again = useCallback(() => setTurn((t) => t + 1), []);
    return {...got, again};
}

export interface Pages<T> {
    /** Nothing until the first page is there. */
    items?: readonly T[];
    /** Reads the next page; nothing at the end. */
    more?: () => void;
    trouble?: Refusal;
    again: () => void;
}

/** A list that the api tells page by page: what it told stays, and the next page comes below. */
export function usePages<T>(read: (before: {before?: number}) => Promise<{items: T[]; next: number | null}>, on: readonly unknown[]): Pages<T> {
    const first = useRead(() => read({}), on);
    const [later, setLater] = useState<{items: T[]; next: number | null}>();
    const [trouble, setTrouble] = useState<Refusal>();
    if (first.data === undefined) {
        return {...(first.trouble === undefined ? {} : {trouble: first.trouble}), again: first.again};
    }
    const next = later === undefined ? first.data.next : later.next;
    const more = () => {
        setTrouble(undefined);
        read(next === null ? {} : {before: next}).then(
            (page) => setLater((had) => ({items: [...(had?.items ?? []), ...page.items], next: page.next})),
            (why: unknown) => setTrouble(refusalOf(why)),
        );
    };
    return {
        items: [...first.data.items, ...(later?.items ?? [])],
        again: first.again,
        ...(next === null ? {} : {more}),
        ...(trouble === undefined ? {} : {trouble}),
    };
}

export interface Live<T> extends Read<T> {
    /** When the figures came; 0: none have. */
    moment: number;
    stale: boolean;
}

/** Reads again and again while somebody can see it; says when the figures have become old. */
export function useLive<T>(read: (by: Asker) => Promise<T>, on: readonly unknown[]): Live<T> {
    const [got, setGot] = useState<{data?: T; trouble?: Refusal; moment: number}>({moment: 0});
    const [failures, setFailures] = useState(0);
    const [, setNow] = useState(0);
    const [turn, setTurn] = useState(0);
    const touched = useRef(true);
    useEffect(() => {
        const touch = () => {
            touched.current = true;
        };
        const kinds = ['pointerdown', 'keydown', 'wheel'] as const;
        kinds.forEach((kind) => addEventListener(kind, touch, {passive: true}));
        return () => kinds.forEach((kind) => removeEventListener(kind, touch));
    }, []);
    useEffect(() => {
        let here = true;
        let timer = 0;
        let failed = 0;
        let asking = false;
        const ask = async () => {
            if (document.hidden || asking) {
                return; // goes on when it is seen again, or is on its way
            }
            asking = true;
            const by = touched.current ? 'person' : 'page';
            touched.current = false;
            try {
                const data = await read(by);
                failed = 0;
                if (here) {
                    setGot({data, moment: Date.now()});
                }
            } catch (why) {
                failed += 1;
                if (here) {
                    setGot((before) => ({...before, trouble: refusalOf(why)}));
                }
            }
            asking = false;
            if (here) {
                setFailures(failed);
                timer = window.setTimeout(ask, waitAfter(failed, Math.random()));
            }
        };
        const seen = () => {
            if (!document.hidden) {
                window.clearTimeout(timer);
                void ask();
            }
        };
        void ask();
        const tick = window.setInterval(() => setNow(Date.now()), every); // old figures become stale by themselves
        document.addEventListener('visibilitychange', seen);
        return () => {
            here = false;
            window.clearTimeout(timer);
            window.clearInterval(tick);
            document.removeEventListener('visibilitychange', seen);
        };
    }, [turn, ...on]);
    const again = useCallback(() => {
        touched.current = true;
        setTurn((t) => t + 1);
    }, []);
    return {...got, stale: got.moment > 0 && isStale(got.moment, failures, Date.now()), again};
}
