import {describe, expect, test} from 'vitest';
import type {ChannelCounts, Lane} from '../../src/api/shapes';
import {mapOf, slowOf} from '../../src/core/lanes';

const counts = (outstanding: number, rate_per_s: number, retrying = 0): ChannelCounts => ({
    planned: 0, accepted: 0, failed: 0, retrying, in_doubt: 0, unresolved: 0, resent: 0, outstanding, rate_per_s,
});
const lane = (more: Partial<Lane>): Lane => ({
    service: 'sms', instance: 'sms-1', gateway: 'smsc-a', state: 'throttled', since: '2026-11-26T12:00:00Z', words: '', limit_per_s: null, ...more,
});

describe('the delivery map', () => {
    test('has every channel, and a row for each trouble', () => {
        const lanes = [lane({gateway: 'smsc-b'}), lane({}), lane({service: 'plan', instance: 'plan-1', gateway: '', state: 'kafka'})];
        const rows = mapOf({channels: {email: counts(1, 1), sms: counts(1, 1)}, lanes});
        expect(rows.map((r) => [r.service, r.lane?.gateway])).toEqual([['email', undefined], ['sms', 'smsc-a'], ['sms', 'smsc-b'], ['plan', '']]);
    });
    test('names the process where two tell of the same gateway', () => {
        const two = [lane({instance: 'sms-2'}), lane({}), lane({gateway: 'smsc-b'})];
        expect(mapOf({channels: {sms: counts(1, 1)}, lanes: two}).map((r) => [r.lane?.instance, r.several])).toEqual([
            ['sms-1', true], ['sms-2', true], ['sms-1', false],
        ]);
    });
    test('keeps its order whatever the api tells first', () => {
        const all = [lane({}), lane({gateway: 'smsc-b'}), lane({instance: 'sms-2'})];
        const order = (lanes: Lane[]) => mapOf({channels: {sms: counts(1, 1)}, lanes}).map((r) => r.lane);
        expect(order([...all].reverse())).toEqual(order(all));
    });
});

describe('what is slow', () => {
    const channels = {email: counts(900, 100), sms: counts(300, 10)};
    test('is what takes longest, with what its gateways tell', () => {
        const why = [lane({})];
        expect(slowOf({state: 'running', channels, lanes: [...why, lane({service: 'email'})]})).toEqual({
            kind: 'longest', channel: 'sms', messages: 300, left: 30_000, why,
        });
    });
    test('is before all what does not move', () => {
        expect(slowOf({state: 'running', channels: {...channels, push: counts(5, 0, 2)}, lanes: []})).toEqual({
            kind: 'stands', channels: ['push'], messages: 5, retrying: 2, why: [],
        });
    });
    test('may be what all channels need', () => {
        const plan = lane({service: 'plan', gateway: '', state: 'kafka'});
        expect(slowOf({state: 'running', channels, lanes: [plan]})).toMatchObject({kind: 'longest', why: [plan]});
    });
    test('is nothing where nothing is to be sent now', () => {
        expect(slowOf({state: 'paused', channels, lanes: []}).kind).toBe('none');
        expect(slowOf({state: 'running', channels: {email: counts(0, 0)}, lanes: []}).kind).toBe('none');
    });
});
