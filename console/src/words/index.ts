// The console's own words, in the language that its user chose. What the api says comes in English and is marked so.

import {createContext} from 'preact';
import {useContext} from 'preact/hooks';
import type {Role} from '../api/shapes';
import {en, type Words} from './en';
import {ko} from './ko';

export type {Words} from './en';
export const languages = {en, ko} as const;
export type Language = keyof typeof languages;

export function chosen(kept: string | null, preferred: readonly string[]): Language {
    const known = (tag: string) => (tag.toLowerCase().startsWith('ko') ? 'ko' : tag.toLowerCase().startsWith('en') ? 'en' : undefined);
    for (const tag of [kept ?? '', ...preferred]) {
        const found = known(tag);
        if (found !== undefined) {
            return found;
        }
    }
    return 'en';
}

export const WordsContext = createContext<Words>(en);
export function useWords(): Words {
    return useContext(WordsContext);
}

/** "operator, auditor" */
export function rolesIn(roles: readonly Role[], w: Words): string {
    return roles.map((role) => w.role[role]).join(', ');
}

/** "26 Nov 2026, 20:03:14 GMT+9": to the second, and with its zone, because two people read it in two places. */
export function exact(time: string | number | Date, w: Words): string {
    return new Intl.DateTimeFormat(w.language === 'ko' ? 'ko-KR' : 'en-GB', {
        year: 'numeric',
        month: 'short',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
        timeZoneName: 'short',
    }).format(new Date(time));
}

/** The time of the day alone: for the moment of figures, which is now or a little ago. */
export function timeOfDay(time: number, w: Words): string {
    return new Intl.DateTimeFormat(w.language === 'ko' ? 'ko-KR' : 'en-GB', {
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
    }).format(time);
}
