// The api, as docs/openapi.yaml describes it: paths, bodies and answers are typed by what is generated from there.

import type {components, paths} from './openapi';

export type Schemas = components['schemas'];

type Method = 'get' | 'post' | 'delete';
/** The paths that know this method. */
export type PathsOf<M extends Method> = {
    [P in keyof paths]: paths[P][M] extends {responses: unknown} ? P : never;
}[keyof paths];
type Good = 200 | 201 | 202;
type Content<R> = R extends {content: {'application/json': infer J}} ? J : never;
export type Answer<P extends keyof paths, M extends Method> = paths[P][M] extends {responses: infer R}
    ? {[S in keyof R & Good]: Content<R[S]>}[keyof R & Good]
    : never;
type Sent<O> = O extends {requestBody?: infer R} ? NonNullable<R> : never;
/** Of a body that may be left out, also nothing. */
export type Body<P extends keyof paths, M extends Method> = paths[P][M] extends {
    requestBody: {content: {'application/json': infer J}};
}
    ? J
    : [Sent<paths[P][M]>] extends [{content: {'application/json': infer J}}]
      ? [Sent<paths[P][M]>] extends [never]
          ? undefined
          : J | undefined
      : undefined;
export type Query<P extends keyof paths> = paths[P]['get'] extends {parameters: {query?: infer Q}} ? NonNullable<Q> : never;
export type Places = Record<string, string | number>;

/** What the api refused, or that it did not answer (status 0). */
export class Refusal extends Error {
    constructor(
        readonly status: number,
        readonly why: string,
        readonly hint: string,
        /** Where a person signs on with the organisation's provider, if that would help; else empty. */
        readonly signOn: string = '',
    ) {
        super(why);
    }
    /** Waiting may help: nobody answered, or the api itself has to wait. */
    get passes(): boolean {
        return this.status === 0 || this.status === 429 || this.status >= 500;
    }
}

/** "/v1/campaigns/{id}" with its parameters in their places. */
export function target(path: keyof paths, places: Places = {}): string {
    return path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = places[name];
        if (value === undefined) {
            throw new Error(`${path} needs ${name}`);
        }
        return encodeURIComponent(value);
    });
}

async function refusal(answer: Response): Promise<Refusal> {
    let said: Partial<Schemas['Problem']> = {};
    try {
        said = (await answer.json()) as Schemas['Problem'];
    } catch {
        // a proxy's page, perhaps
    }
    return new Refusal(answer.status, said.error ?? `HTTP ${answer.status}`, said.hint ?? '', said.sign_on ?? '');
}

/** Whether a person asks, or the page by itself: that keeps no session alive (api: Semel-Unattended). */
export type Asker = 'person' | 'page';

export class Api {
    /** Sent back with each change: says that the console's own page asks. */
    guard = '';
    /** Called once the session is over. */
    onEnd: (why: Refusal) => void = () => {};

    constructor(private readonly fetcher: typeof fetch = (...a) => fetch(...a)) {}

    get<P extends PathsOf<'get'>>(path: P, places?: Places, by: Asker = 'person', query?: Query<P>): Promise<Answer<P, 'get'>> {
        const rest = new URLSearchParams(Object.entries(query ?? {}).map(([k, v]) => [k, String(v)])).toString();
        return this.#ask('GET', target(path, places) + (rest === '' ? '' : `?${rest}`), undefined, by === 'page' ? {'Semel-Unattended': 'yes'} : {});
    }
    /** A list that is no JSON. */
    async text<P extends PathsOf<'get'>>(path: P, places: Places): Promise<string> {
        const answer = await this.#send('GET', target(path, places), null, {});
        return answer.text();
    }
    /** A file as it is; says how many bytes have gone. fetch() tells nothing of that. */
    upload(where: string, file: Blob, went: (bytes: number) => void): Promise<Schemas['Upload']> {
        return new Promise((done, failed) => {
            const request = new XMLHttpRequest();
            request.open('POST', where);
            request.setRequestHeader('Semel-Guard', this.guard);
            request.setRequestHeader('Content-Type', 'application/octet-stream');
            request.upload.onprogress = (event) => went(event.loaded);
            request.onerror = () => failed(new Refusal(0, 'the upload broke off', ''));
            request.onload = () => {
                const answer = new Response(request.responseText, {status: request.status});
                if (answer.ok) {
                    answer.json().then(done, () => failed(new Refusal(0, 'the answer broke off', '')));
                } else {
                    this.#refused(answer, where).then(failed, failed);
                }
            };
            request.send(file);
        });
    }
    post<P extends PathsOf<'post'>>(path: P, places: Places, body: Body<P, 'post'>): Promise<Answer<P, 'post'>> {
        return this.#ask('POST', target(path, places), body, {'Semel-Guard': this.guard});
    }
    delete<P extends PathsOf<'delete'>>(path: P, places: Places = {}): Promise<Answer<P, 'delete'>> {
        return this.#ask('DELETE', target(path, places), undefined, {'Semel-Guard': this.guard});
    }

    async #ask<T>(method: string, where: string, body: unknown, headers: Record<string, string>): Promise<T> {
        const json: Record<string, string> = body === undefined ? {} : {'Content-Type': 'application/json'};
        const answer = await this.#send(method, where, body === undefined ? null : JSON.stringify(body), {...headers, ...json});
        try {
            return (await answer.json()) as T;
        } catch {
            throw new Refusal(0, 'the answer broke off', '');
        }
    }

    async #send(method: string, where: string, body: string | null, headers: Record<string, string>): Promise<Response> {
        let answer: Response;
        try {
            answer = await this.fetcher(where, {method, headers, body, credentials: 'same-origin', cache: 'no-store'});
        } catch (why) {
            throw new Refusal(0, String(why instanceof Error ? why.message : why), '');
        }
        if (!answer.ok) {
            throw await this.#refused(answer, where);
        }
        return answer;
    }

    async #refused(answer: Response, where: string): Promise<Refusal> {
        const why = await refusal(answer);
        if (answer.status === 401 && where !== '/v1/session') {
            this.onEnd(why);
        }
        return why;
    }
}
