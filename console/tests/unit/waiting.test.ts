import {describe, expect, test} from 'vitest';
import type {ListedCampaign, Status} from '../../src/api/shapes';
import {candidates, waitingFor} from '../../src/core/waiting';

const listed = (id: string, state: ListedCampaign['state'], waves = 1): ListedCampaign => ({id, name: id, incident: '', state, waves});
const nobody = {reached: 0, failed: 0, unreachable: 0, in_doubt: 0, outstanding: 0, repeated: 0, rejected: 0};

function status(id: string, creator: string, states: Status['waves'][number]['state'][]): Status {
    const waves = states.map((state, i) => ({wave: i + 1, state, rows: 10, rejected: 0, sha256: '', plan: {recipients: 9, unreachable: 0, addresses: {}}}));
    return {
        id, name: id, creator, incident: '', notice_sha256: '', compiled: true, follow_up: null, segments: [], state: 'sealed', canary: null, halted: null, start: null,
        deadline: null, deadline_basis: '', forecast_finish: null, warnings: [], lanes: [], rows: 0, coverage: nobody, channels: {}, waves,
    };
}

describe('what waits for an approver', () => {
    test('is looked for where a wave may wait: also in what runs already', () => {
        const all = [listed('a', 'running'), listed('b', 'draft'), listed('c', 'sealed'), listed('d', 'finished'), listed('e', 'paused'), listed('f', 'cancelled'), listed('g', 'sealed', 0)];
        expect(candidates(all).map((c) => c.id)).toEqual(['e', 'c', 'a']);
    });
    test('is what others made, with the people of the waves that wait', () => {
        const {decide, own} = waitingFor('kim', [status('a', 'lee', ['launched', 'registered', 'registered']), status('b', 'kim', ['registered'])]);
        expect(decide).toEqual([{id: 'a', name: 'a', deadline: null, waves: 2, people: 18}]);
        expect(own.map((one) => one.id)).toEqual(['b']);
    });
    test('is nothing of which no wave is counted yet', () => {
        expect(waitingFor('kim', [status('a', 'lee', ['sealed', 'launched'])])).toEqual({decide: [], own: []});
    });
});
