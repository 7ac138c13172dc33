import {describe, expect, test} from 'vitest';
import type {Status} from '../../src/api/shapes';
import {askedOf, choiceOf, expected, mayChoose, OUTCOMES, peopleOf, type Terms} from '../../src/core/follow_up';

const coverage = {reached: 100, failed: 20, unreachable: 3, in_doubt: 4, outstanding: 0, repeated: 50, rejected: 60};
const wave = (state: Status['waves'][number]['state']) => ({wave: 1, state, rows: 237, rejected: 60, sha256: ''});

describe('a follow-up', () => {
    test('is of people who were told, and of an outcome that is known', () => {
        expect(choiceOf({waves: [], coverage})).toBe('nobody');
        expect(choiceOf({waves: [wave('approved')], coverage})).toBe('nobody');
        expect(choiceOf({waves: [wave('launched'), wave('imported')], coverage})).toBe('any');
        expect(choiceOf({waves: [wave('launched')], coverage: {...coverage, outstanding: 1}})).toBe('all_alone');
    });
    test('of all can be made while others cannot', () => {
        expect(OUTCOMES.filter((o) => mayChoose('all_alone', o))).toEqual(['all']);
        expect(OUTCOMES.filter((o) => mayChoose('any', o))).toEqual([...OUTCOMES]);
        expect(OUTCOMES.filter((o) => mayChoose('nobody', o))).toEqual([]);
    });
    test('counts people, and neither a row that repeats one nor one that could not be read', () => {
        expect(OUTCOMES.map((o) => [o, peopleOf({...coverage, outstanding: 5}, o)])).toEqual([
            ['reached', 100], ['failed', 20], ['in-doubt', 4], ['unreachable', 3], ['all', 132],
        ]);
    });
    test('promises no count that nobody has made yet', () => {
        const terms: Terms = {outcome: 'failed', channel: '', segment: ''};
        expect(expected(coverage, terms)).toBe(20);
        expect(expected(coverage, {...terms, outcome: undefined})).toBeUndefined();
        expect(expected(coverage, {...terms, channel: 'sms'})).toBeUndefined();
        expect(expected(coverage, {...terms, segment: 'entrance_code'})).toBeUndefined();
    });
    test('says to the api only what was chosen', () => {
        expect(askedOf({outcome: 'all', channel: '', segment: ''}, false)).toEqual({outcome: 'all'});
        expect(askedOf({outcome: 'failed', channel: 'email', segment: 's'}, true)).toEqual({
            outcome: 'failed', channel: 'email', segment: 's', accept_unreachable: true,
        });
    });
});
