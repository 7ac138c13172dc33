import {expect, test} from 'vitest';
import {Api, Refusal, target} from '../../src/api/client';

interface Asked {
    where: string;
    init: RequestInit;
}

function apiThat(answer: () => Response | Promise<Response>): {api: Api; asked: Asked[]} {
    const asked: Asked[] = [];
    const api = new Api((where, init) => {
        asked.push({where: String(where), init: init ?? {}});
        return Promise.resolve(answer());
    });
    return {api, asked};
}
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), {status});
const headersOf = (a: Asked | undefined) => a?.init.headers as Record<string, string>;

test('puts parameters in their places, and nothing else there', () => {
    expect(target('/v1/campaigns/{id}/waves/{wave}/drop', {id: 'c-1', wave: 2})).toBe('/v1/campaigns/c-1/waves/2/drop');
    expect(target('/v1/users/{user}/revoke', {user: '../a b?x#y'})).toBe('/v1/users/..%2Fa%20b%3Fx%23y/revoke');
    expect(() => target('/v1/campaigns/{id}', {})).toThrow('id');
});

test('sends the guard with what changes something, and only then', async () => {
    const {api, asked} = apiThat(() => json({}));
    api.guard = 'g';
    await api.post('/v1/campaigns/{id}/pause', {id: 'c'}, undefined);
    await api.delete('/v1/session');
    await api.get('/v1/campaigns');
    expect(asked.map((a) => headersOf(a)['Semel-Guard'])).toEqual(['g', 'g', undefined]);
    expect(asked[0]?.init.body).toBeNull();
});

test('says when the page asks by itself', async () => {
    const {api, asked} = apiThat(() => json([]));
    await api.get('/v1/campaigns', {}, 'page');
    await api.get('/v1/campaigns');
    expect(asked.map((a) => headersOf(a)['Semel-Unattended'])).toEqual(['yes', undefined]);
});

test('never lets the browser keep an answer', async () => {
    const {api, asked} = apiThat(() => json([]));
    await api.get('/v1/lookups', {}, 'person', {before: 7});
    await api.get('/v1/campaigns');
    expect(asked[0]?.where).toBe('/v1/lookups?before=7');
    expect(asked[0]?.init.cache).toBe('no-store');
});

test('tells what the api refused, in its words', async () => {
    const {api} = apiThat(() => json({error: 'not yet', hint: 'wait'}, 409));
    const why = await api.get('/v1/campaigns').catch((e: unknown) => e);
    expect(why).toBeInstanceOf(Refusal);
    expect(why).toMatchObject({status: 409, why: 'not yet', hint: 'wait', passes: false});
});

test('takes neither a page of a proxy nor half an answer for data', async () => {
    const proxy = apiThat(() => new Response('<html>', {status: 502}));
    await expect(proxy.api.get('/v1/campaigns')).rejects.toMatchObject({status: 502, passes: true});
    const half = apiThat(() => new Response('[{"id":'));
    await expect(half.api.get('/v1/campaigns')).rejects.toMatchObject({status: 0});
    const gone = apiThat(() => Promise.reject(new TypeError('failed to fetch')));
    await expect(gone.api.get('/v1/campaigns')).rejects.toMatchObject({status: 0, passes: true});
});

test('tells once that the session is over, and not while nobody has signed in', async () => {
    const {api} = apiThat(() => json({error: 'over'}, 401));
    let ends = 0;
    api.onEnd = () => {
        ends += 1;
    };
    await api.get('/v1/session').catch(() => {});
    expect(ends).toBe(0);
    await api.get('/v1/campaigns').catch(() => {});
    expect(ends).toBe(1);
});
