import {describe, expect, test} from 'vitest';
import type {Incident} from '../../src/api/shapes';
import {byIncident, toldSum, treeOf, uncounted} from '../../src/core/incidents';

const nobody = {reached: 0, failed: 0, unreachable: 0, in_doubt: 0, outstanding: 0, repeated: 0, rejected: 0};
type Listed = Incident['campaigns'][number];
const listed = (id: string, follow_up_of: string | null = null): Listed => ({
    id, name: id, state: 'finished', follow_up_of, outcome: follow_up_of === null ? null : 'all', rows: 0, coverage: nobody,
});

test('campaigns of an incident are together, the latest first', () => {
    const c = (id: string, incident: string) => ({id, incident, name: id, state: 'draft' as const, waves: 0});
    const all = byIncident([c('1', 'a'), c('2', 'b'), c('3', 'a')]);
    expect(all.map((i) => [i.incident, i.campaigns.map((x) => x.id)])).toEqual([['a', ['3', '1']], ['b', ['2']]]);
});

describe('the campaigns of an incident', () => {
    test('stand below what they follow, each once', () => {
        const all = [listed('a'), listed('b'), listed('a1', 'a'), listed('b1', 'b'), listed('a11', 'a1'), listed('a2', 'a')];
        expect(treeOf(all).map(({campaign, depth}) => [campaign.id, depth])).toEqual([
            ['a', 0], ['a1', 1], ['a11', 2], ['a2', 1], ['b', 0], ['b1', 1],
        ]);
    });
    test('stand there, too, when what they follow does not', () => {
        expect(treeOf([listed('x1', 'x'), listed('x11', 'x1')]).map(({campaign, depth}) => [campaign.id, depth])).toEqual([['x1', 0], ['x11', 1]]);
        expect(treeOf([listed('x', 'y'), listed('y', 'x')]).map(({campaign}) => campaign.id).sort()).toEqual(['x', 'y']);
    });
    test('are counted family by family', () => {
        const all = [listed('a'), listed('a1', 'a'), listed('b'), listed('b1', 'b')];
        expect(uncounted(all, [['a', 'a1']])).toBe('b');
        expect(uncounted(all, [['a', 'a1'], ['b', 'b1']])).toBeUndefined();
    });
});

test('people are told never, once, twice or more: none is in two of these', () => {
    expect(toldSum({people: 10, never: 1, once: 2, twice: 3, more: 4})).toBe(10);
});
