import {describe, expect, test} from 'vitest';
import {chosen, exact, languages, timeOfDay} from '../../src/words';
import {en, span} from '../../src/words/en';
import {ko} from '../../src/words/ko';

/** Every word with its place: functions are asked with 1, 2 and words. */
function flat(of: object, at = ''): Map<string, unknown> {
    const out = new Map<string, unknown>();
    for (const [key, value] of Object.entries(of)) {
        const place = `${at}${key}`;
        if (typeof value === 'object' && value !== null) {
            flat(value, `${place}.`).forEach((v, k) => out.set(k, v));
        } else {
            out.set(place, value);
        }
    }
    return out;
}

describe('the two languages', () => {
    test('have the same words, and none is empty', () => {
        const a = flat(en);
        const b = flat(ko);
        expect([...b.keys()]).toEqual([...a.keys()]);
        for (const [place, word] of b) {
            expect(typeof word, place).toBe(typeof a.get(place));
            expect(word, place).not.toBe('');
        }
    });
    test('are two: Korean words have no English in them but names', () => {
        const same = ['otherLanguage', 'signIn.command', 'channel.sms', 'list.id'];
        for (const [place, word] of flat(ko)) {
            if (typeof word === 'string' && !same.includes(place) && place !== 'language') {
                expect(word, place).toMatch(/[가-힣]/);
            }
        }
    });
    test('use every argument that they are given', () => {
        for (const [name, words] of Object.entries(languages)) {
            for (const [place, word] of flat(words)) {
                if (typeof word === 'function' && place !== 'span' && !place.startsWith('number')) {
                    const said = String((word as (...a: string[]) => string)(...['<1>', '<2>', '<3>'].slice(0, word.length)));
                    const numeric = said.includes('NaN');
                    expect(numeric || said.includes('<1>'), `${name} ${place}: ${said}`).toBe(true);
                }
            }
        }
    });
});

test('one is not many', () => {
    expect(en.people(1)).toBe('1 person');
    expect(en.people(1_998)).toBe('1,998 people');
    expect(en.coverage.missing(1)).toContain('1 row is in none');
    expect(en.coverage.missing(2)).toContain('2 rows are in none');
    expect(ko.people(1_998)).toBe('1,998명');
});

test('a span is said in its units', () => {
    expect(span({days: 0, hours: 6, minutes: 12, seconds: 0})).toBe('6 h 12 min');
    expect(span({days: 0, hours: 0, minutes: 0, seconds: 0})).toBe('0 s');
    expect(ko.span({days: 2, hours: 1, minutes: 0, seconds: 0})).toBe('2일 1시간');
});

test('a time has its seconds and its zone', () => {
    expect(exact('2026-11-26T20:03:14Z', en)).toBe('26 Nov 2026, 20:03:14 UTC');
    expect(exact('2026-11-26T20:03:14Z', ko)).toMatch(/2026년 11월 26일 .*20.*3.*14.* UTC/);
    expect(timeOfDay(Date.parse('2026-11-26T00:03:14Z'), en)).toBe('00:03:14');
    expect(timeOfDay(Date.parse('2026-11-26T00:03:14Z'), ko)).toMatch(/^(00:03:14|0시 3분 14초)$/);
});

test('the language is the chosen one, else the first that the browser wants and we have', () => {
    expect(chosen('ko', ['en-US'])).toBe('ko');
    expect(chosen(null, ['de-DE', 'ko-KR', 'en'])).toBe('ko');
    expect(chosen('xx', ['fr'])).toBe('en');
});
