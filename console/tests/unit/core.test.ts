import {describe, expect, test} from 'vitest';
import type {Approval, Doubt, Text} from '../../src/api/shapes';
import {cardOf, matrixOf, missing, positionOf, smsOf, sumsOf, toTakeOn} from '../../src/core/approval';
import {gravity, spanOf, verdictOf, type Times} from '../../src/core/clock';
import {gapOf, PARTS, share, slicesOf} from '../../src/core/coverage';
import {countFor, groupsOf} from '../../src/core/doubts';
import {every, isStale, waitAfter} from '../../src/core/fresh';
import {base64, belongs, withZone} from '../../src/core/notice_folder';
import {reasonsOf} from '../../src/core/rejects';
import {mayAdd, mayChangeUsers, mayDecide, mayList, mayOpen, mayRevokeUsers, mustSayWhy, placeOf, placesOf, stepsOf, waits} from '../../src/core/rights';
import {codeOf, fragmentOf, isArrival, routeOf, signOnTroubleOf} from '../../src/core/route';

const nobody = {reached: 0, failed: 0, unreachable: 0, in_doubt: 0, outstanding: 0, repeated: 0, rejected: 0};
const plain = (n: number) => String(n);

describe('the coverage', () => {
    test('closes only when its parts sum to the rows', () => {
        expect(gapOf({...nobody, reached: 7, rejected: 3}, 10)).toBe(0);
        expect(gapOf({...nobody, reached: 7}, 10)).toBe(3);
        expect(gapOf({...nobody, reached: 11}, 10)).toBe(-1);
    });
    test('counts every part', () => {
        for (const part of PARTS) {
            expect(gapOf({...nobody, [part]: 1}, 1), part).toBe(0);
        }
    });
    test('fills its bar, and shows one person among millions', () => {
        const slices = slicesOf({...nobody, reached: 33_700_000, failed: 1}, PARTS);
        expect(slices.map((s) => s.part)).toEqual(['reached', 'failed']);
        expect(slices[1]?.width).toBeGreaterThan(0.5);
        const last = slices[slices.length - 1];
        expect((last?.from ?? 0) + (last?.width ?? 0)).toBeCloseTo(100);
        expect(slicesOf(nobody, PARTS)).toEqual([]);
    });
    test('says neither all nor nothing of what is not', () => {
        expect(share(1_997, 2_000, plain)).toBe('99.9 %');
        expect(share(1_999_999, 2_000_000, plain)).toBe('> 99.9 %');
        expect(share(2_000, 2_000, plain)).toBe('100 %');
        expect(share(1, 2_000_000, plain)).toBe('< 0.1 %');
        expect(share(0, 2_000, plain)).toBe('0 %');
        expect(share(0, 0, plain)).toBe('');
    });
});

describe('the clock', () => {
    const now = Date.parse('2026-11-26T12:00:00Z');
    const running: Times = {state: 'running', deadline: '2026-11-26T20:00:00Z', forecast: '2026-11-26T13:48:00Z', outstanding: 5};
    test('knows the margin of a campaign that moves', () => {
        expect(verdictOf(running, now)).toEqual({kind: 'in_time', margin: (6 * 60 + 12) * 60_000});
        expect(verdictOf({...running, forecast: '2026-11-26T20:00:01Z'}, now)).toEqual({kind: 'late', margin: 1_000});
    });
    test('promises nothing when nothing moves', () => {
        expect(verdictOf({...running, forecast: null}, now).kind).toBe('no_forecast');
        expect(verdictOf({...running, state: 'paused'}, now).kind).toBe('paused');
        expect(verdictOf({...running, state: 'approved', forecast: null}, now).kind).toBe('not_started');
    });
    test('says that a deadline has passed, unless all were told before', () => {
        const late = now + 9 * 3_600_000;
        expect(verdictOf(running, late)).toEqual({kind: 'missed', by: 3_600_000});
        expect(verdictOf({...running, state: 'paused'}, late).kind).toBe('missed');
        expect(verdictOf({...running, state: 'finished'}, late).kind).toBe('done');
        expect(verdictOf({...running, state: 'cancelled'}, late).kind).toBe('cancelled');
        expect(verdictOf({...running, deadline: null}, late).kind).toBe('none');
    });
    test('alarms about what is too late and nothing else', () => {
        expect(gravity({kind: 'late', margin: 1})).toBe('alarm');
        expect(gravity({kind: 'missed', by: 1})).toBe('alarm');
        expect(gravity({kind: 'no_forecast', left: 1})).toBe('watch');
        expect(gravity({kind: 'in_time', margin: 1})).toBe('calm');
    });
    test('speaks in two units', () => {
        expect(spanOf(((6 * 60 + 12) * 60 + 30) * 1000)).toEqual({days: 0, hours: 6, minutes: 12, seconds: 0});
        expect(spanOf(27 * 3_600_000)).toEqual({days: 1, hours: 3, minutes: 0, seconds: 0});
        expect(spanOf(61_500)).toEqual({days: 0, hours: 0, minutes: 1, seconds: 1});
        expect(spanOf(12 * 60_000 + 1_000)).toEqual({days: 0, hours: 0, minutes: 12, seconds: 0});
        expect(spanOf(-5)).toEqual({days: 0, hours: 0, minutes: 0, seconds: 0});
    });
});

describe('figures', () => {
    test('are asked for more rarely after each failure, not by all at once, and never given up', () => {
        expect(waitAfter(0, 0.5)).toBe(every);
        const waits_ = [1, 2, 3, 4, 50].map((n) => waitAfter(n, 1));
        expect(waits_).toEqual([4_000, 8_000, 16_000, 30_000, 30_000]);
        expect(waitAfter(4, 0)).toBe(15_000);
    });
    test('are stale after a failure, and when they are old', () => {
        expect(isStale(1_000, 0, 2_000)).toBe(false);
        expect(isStale(1_000, 1, 2_000)).toBe(true);
        expect(isStale(1_000, 0, 60_000)).toBe(true);
    });
});

describe('a route', () => {
    const id = 'c-9viv9wekdx5x8uh2';
    test('is read as it is written', () => {
        for (const route of [
            {page: 'campaigns'},
            {page: 'new'},
            {page: 'decisions'},
            {page: 'lookups'},
            {page: 'access'},
            {page: 'sessions'},
            {page: 'users'},
            {page: 'campaign', id},
            {page: 'approval', id},
            {page: 'doubts', id},
            {page: 'person', id},
            {page: 'follow-up', id},
            {page: 'incident', id},
        ] as const) {
            expect(routeOf(fragmentOf(route))).toEqual(route);
        }
        expect(routeOf('')).toEqual({page: 'campaigns'});
    });
    test('leads nowhere with what is not an id', () => {
        for (const fragment of ['#/campaigns/x', `#/campaigns/${id}/else`, `#/campaigns/${id}/person/4711`, '#/else', '#/users/kim', '#/sessions/7', '#//evil.example', '#javascript:alert(1)']) {
            expect(routeOf(fragment), fragment).toEqual({page: 'nowhere'});
        }
    });
    test('with what the provider refused is a word that is known', () => {
        expect(signOnTroubleOf('#sign-on=no-role')).toBe('no-role');
        for (const other of ['#sign-on=', '#sign-on=<b>', '#sign-on=whatever', '#sign-on=no-role&x', '#/sign-on=no-role', '#code=no-role']) {
            expect(signOnTroubleOf(other), other).toBe(undefined);
        }
        expect(isArrival('#sign-on=whatever')).toBe(true);
        expect(isArrival('#code=abc')).toBe(true);
        expect(isArrival('#/campaigns')).toBe(false);
    });
    test('with a code is the code', () => {
        expect(codeOf('#code=aB-_9')).toBe('aB-_9');
        expect(codeOf('#code=')).toBe('');
        expect(codeOf('#code=a&b')).toBe('');
        expect(codeOf('#/campaigns')).toBe('');
        expect(codeOf(`#code=${'x'.repeat(101)}`)).toBe('');
    });
});

describe('a role', () => {
    const waves = [{state: 'approved'}, {state: 'registered'}] as const;
    test('has its own pages', () => {
        expect(mayOpen(['approver'], 'approval')).toBe(true);
        expect(mayOpen(['operator'], 'approval')).toBe(true); // to read the texts
        expect(mayOpen(['operator'], 'access')).toBe(false);
        expect(mayOpen(['administrator'], 'access')).toBe(true);
        expect(mayOpen(['approver'], 'follow-up')).toBe(false);
        expect(mayOpen(['product'], 'incident')).toBe(true);
        expect(mayOpen(['auditor'], 'person')).toBe(true);
        expect(mayOpen(['product'], 'person')).toBe(false);
        expect(mayOpen(['operator'], 'lookups')).toBe(false);
        expect(mayOpen(['auditor'], 'lookups')).toBe(true);
        expect(mayOpen(['product'], 'new')).toBe(true);
    });
    test('has its own steps, and those that make sense now', () => {
        expect(stepsOf(['operator'], {state: 'approved', waves, canary: null})).toEqual(['launch', 'cancel']);
        expect(stepsOf(['operator'], {state: 'draft', waves: [{state: 'imported'}], canary: null})).toEqual(['seal', 'cancel']);
        expect(stepsOf(['operator'], {state: 'running', waves: [{state: 'launched'}], canary: null})).toEqual(['pause', 'cancel']);
        expect(stepsOf(['operator'], {state: 'paused', waves: [{state: 'launched'}], canary: null})).toEqual(['resume', 'cancel']);
        expect(stepsOf(['approver'], {state: 'running', waves: [{state: 'launched'}], canary: null})).toEqual(['pause', 'cancel']);
        expect(stepsOf(['approver'], {state: 'paused', waves: [{state: 'launched'}], canary: null})).toEqual(['cancel']);
        for (const state of ['draft', 'running', 'paused', 'finished'] as const) {
            expect(stepsOf(['auditor'], {state, waves, canary: null})).toEqual([]);
        }
        const canary = {rows: 10, released: 10, state: 'waiting for release'} as const;
        const launched = [{state: 'launched'}] as const;
        expect(stepsOf(['operator'], {state: 'running', waves: launched, canary})).toEqual(['release', 'pause', 'cancel']);
        expect(stepsOf(['operator'], {state: 'paused', waves: launched, canary})).toEqual(['release', 'resume', 'cancel']);
        expect(stepsOf(['operator'], {state: 'running', waves: launched, canary: {...canary, state: 'released'}})).toEqual(['pause', 'cancel']);
        expect(stepsOf(['approver'], {state: 'running', waves: launched, canary})).toEqual(['pause', 'cancel']);
        expect(stepsOf(['operator'], {state: 'finished', waves, canary: null})).toEqual([]);
        expect(stepsOf(['operator'], {state: 'cancelled', waves, canary: null})).toEqual([]);
    });
    test('never sees go on beside begin', () => {
        expect(stepsOf(['operator'], {state: 'paused', waves, canary: null})).not.toContain('launch');
        expect(stepsOf(['operator'], {state: 'approved', waves, canary: null})).not.toContain('resume');
    });
    test('adds people while there is something to add them to', () => {
        expect(mayAdd(['operator'], 'running')).toBe(true);
        expect(mayAdd(['operator'], 'finished')).toBe(false);
        expect(mayAdd(['approver'], 'draft')).toBe(false);
    });
    test('is one of several that a person may have', () => {
        expect(mayOpen(['operator', 'auditor'], 'person')).toBe(true);
        expect(stepsOf(['auditor', 'approver'], {state: 'running', waves: [{state: 'launched'}], canary: null})).toEqual(['pause', 'cancel']);
        expect(mayList(['approver'])).toBe(false);
        expect(mayList(['approver', 'auditor'])).toBe(true);
        expect(mayOpen([], 'campaigns')).toBe(false);
    });
    test('says why it looks at people, unless it is the auditor', () => {
        expect(mustSayWhy(['operator'])).toBe(true);
        expect(mustSayWhy(['operator', 'auditor'])).toBe(false);
    });
    test('more never lets anybody decide about the own campaign', () => {
        expect(mayDecide(['operator', 'approver'], 'kim', 'lee')).toBe(true);
        expect(mayDecide(['operator', 'approver'], 'kim', 'kim')).toBe(false);
        expect(mayDecide(['operator'], 'kim', 'lee')).toBe(false);
    });
    test('has a place for each piece of its work', () => {
        expect(placesOf(['operator'], ['operator'])).toEqual(['campaigns', 'new', 'decisions', 'sessions']);
        expect(placesOf(['operator'], [])).toEqual(['campaigns', 'decisions', 'sessions']); // a session that only reads
        expect(placesOf(['approver'], ['approver'])).toEqual(['campaigns', 'decisions', 'users', 'sessions']);
        expect(placesOf(['auditor'], ['auditor'])).toEqual(['campaigns', 'decisions', 'lookups', 'access', 'users', 'sessions']);
        expect(placesOf(['administrator'], [])).toEqual(['campaigns', 'access', 'users', 'sessions']);
    });
    test('lets people in, or only takes their rights away', () => {
        expect(mayChangeUsers(['administrator'])).toBe(true);
        expect(mayChangeUsers(['operator', 'approver', 'product', 'auditor'])).toBe(false);
        expect(mayRevokeUsers(['approver'])).toBe(true);
        expect(mayRevokeUsers(['administrator'])).toBe(true);
        expect(mayRevokeUsers(['operator', 'product', 'auditor'])).toBe(false);
        expect(mayRevokeUsers([])).toBe(false); // a session that only reads
    });
    test('sees in which place a page is', () => {
        expect(placeOf('lookups')).toBe('lookups');
        expect(placeOf('doubts')).toBe('campaigns');
        expect(placeOf('nowhere')).toBeUndefined();
    });
    test('is told what waits', () => {
        expect(waits(waves)).toBe(true);
        expect(waits([{state: 'sealed'}, {state: 'launched'}])).toBe(false);
    });
});

function aText(more: Partial<Text>): Text {
    return {channel: 'email', locale: 'ko', segments: [], supplement: false, sha256: 'a', summary: '', files: {}, ...more};
}
function aFinding(more: Partial<Approval['findings'][number]>): Approval['findings'][number] {
    return {rule: 'KR-W3', severity: 'finding', file: 'email.ko.md', line: 3, reason: 'r', mend: '', accepted: null, ...more};
}

describe('an approval', () => {
    test('shows the channels of one language and segment side by side', () => {
        const rows = matrixOf([
            aText({sha256: 'a'}),
            aText({sha256: 'b', channel: 'sms'}),
            aText({sha256: 'c', segments: ['entrance_code']}),
            aText({sha256: 'd', segments: ['entrance_code'], supplement: true}),
            aText({sha256: 'e', locale: 'en'}),
        ]);
        expect(rows.map((r) => Object.values(r.cells).map((t) => t.sha256))).toEqual([['a', 'b'], ['c'], ['d'], ['e']]);
    });
    test('needs every text read, each finding taken on once, and a reason for them', () => {
        const a = {findings: [aFinding({}), aFinding({line: 9}), aFinding({rule: 'W', severity: 'warning'})], texts: [aText({}), aText({sha256: 'b'})]};
        expect(toTakeOn(a.findings)).toHaveLength(1);
        expect(missing(a, {read: new Set(), taken: new Set(), reason: ''})).toEqual([
            {what: 'findings', count: 1},
            {what: 'reason'},
            {what: 'texts', count: 2},
        ]);
        expect(missing(a, {read: new Set(['a', 'b']), taken: new Set(['KR-W3']), reason: ' '})).toEqual([{what: 'reason'}]);
        expect(missing(a, {read: new Set(['a', 'b']), taken: new Set(['KR-W3']), reason: 'so'})).toEqual([]);
    });
    test('needs no reason for what was taken on before', () => {
        const a = {findings: [aFinding({accepted: 'counsel'})], texts: []};
        expect(missing(a, {read: new Set(), taken: new Set(), reason: ''})).toEqual([]);
    });
    test('sums over waves', () => {
        const wave = {rows: 10, rejected: 1, recipients: 9, unreachable: 2, addresses: {email: 5}};
        expect(sumsOf([wave, {...wave, addresses: {email: 1, sms: 3}}])).toEqual({
            people: 18, rows: 20, rejected: 2, unreachable: 4, waves: 2, addresses: [['email', 6], ['sms', 3]],
        });
    });
    test('names the position of a frozen ledger', () => {
        expect(positionOf({'0': 17, '11': 3})).toBe('0:17 11:3');
    });
    test('shows a push as its screen does, and what is no push as nothing', () => {
        expect(cardOf({files: {'apns.json': '{"aps":{"alert":{"title":"T","body":"B"}}}'}})).toEqual({title: 'T', body: 'B'});
        expect(cardOf({files: {}})).toBeUndefined();
        expect(cardOf({files: {'apns.json': '{"aps":{}}'}})).toBeUndefined();
    });
    test('counts the parts of an SMS', () => {
        expect(smsOf({files: {'text.txt': 'x', 'part-1.hex': '', 'part-2.hex': ''}})).toEqual({parts: 2, text: 'x'});
    });
});

describe('doubts', () => {
    const doubt = (more: Partial<Doubt>): Doubt => ({
        notification: 'n', recipient_id: 'r', channel: 'sms', gateway: 'smsc-a', state: 'unresolved',
        since: '2026-11-26T12:00:00Z', evidence: ['e'], decision: 'd', ...more,
    });
    test('that are alike are one group, the largest first', () => {
        const groups = groupsOf([
            doubt({channel: 'email', gateway: 'relay-a'}),
            doubt({since: '2026-11-26T12:00:02Z'}),
            doubt({since: '2026-11-26T12:00:01Z'}),
        ]);
        expect(groups.map((g) => [g.gateway, g.members.length, g.oldest, g.newest])).toEqual([
            ['smsc-a', 2, '2026-11-26T12:00:01Z', '2026-11-26T12:00:02Z'],
            ['relay-a', 1, '2026-11-26T12:00:00Z', '2026-11-26T12:00:00Z'],
        ]);
    });
    test('of other evidence or another state are another group', () => {
        expect(groupsOf([doubt({}), doubt({evidence: ['f']}), doubt({state: 'waiting'}), doubt({decision: 'x'})])).toHaveLength(4);
    });
    test('that are presumed sent are not presumed once more', () => {
        const all = [doubt({}), doubt({state: 'presumed_sent'})];
        expect(countFor('resend', all)).toBe(2);
        expect(countFor('presume-sent', all)).toBe(1);
    });
});

describe('rejects', () => {
    test('are counted by reason, the most frequent first, with one line to look at', () => {
        const csv = 'line,column,reason,effect\r\n8,email,two dots in a row,address left out\r\n9,name,"not UTF-8, ""latin""",row rejected\r\n12,email,two dots in a row,address left out\r\n';
        expect(reasonsOf(csv)).toEqual([
            {column: 'email', reason: 'two dots in a row', effect: 'address left out', count: 2, firstLine: '8'},
            {column: 'name', reason: 'not UTF-8, "latin"', effect: 'row rejected', count: 1, firstLine: '9'},
        ]);
        expect(reasonsOf('line,column,reason,effect\n')).toEqual([]);
        expect(reasonsOf('')).toEqual([]);
    });
    test('of a broken list are shown as they are', () => {
        expect(reasonsOf('h\n1,"open')).toEqual([{column: 'open', reason: '', effect: '', count: 1, firstLine: '1'}]);
        expect(reasonsOf('h\n1')).toEqual([{column: '', reason: '', effect: '', count: 1, firstLine: '1'}]);
    });
});

describe('the folder of a notice', () => {
    test('is its files, without folders in it and hidden ones', () => {
        const picked = ['n/notice.yaml', 'n/email.ko.md', 'n/.git', 'n/old/email.ko.md'].map((path) => ({path, name: path.split('/').pop() ?? ''}));
        expect(picked.filter(belongs).map((f) => f.name)).toEqual(['notice.yaml', 'email.ko.md']);
        expect(belongs({name: 'notice.yaml', path: ''})).toBe(true);
    });
    test('goes over as base64, however long', () => {
        expect(base64(new Uint8Array([0, 255, 16]))).toBe('AP8Q');
        const long = new Uint8Array(100_001).map((_, i) => i % 256);
        expect(Buffer.from(base64(long), 'base64').equals(Buffer.from(long))).toBe(true);
    });
    test('has a deadline with its zone, or none', () => {
        expect(withZone('2026-11-26T20:03')).toBe('2026-11-26T20:03:00.000Z'); // TZ of these tests is UTC
        expect(withZone('')).toBeUndefined();
        expect(withZone('soon')).toBeUndefined();
    });
});
