// Stands in for the api: the built files with the api's own headers, and answers out of a world that a test changes. The
// real api is asked in tests/console.

import {readFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {extname, join} from 'node:path';
import type {AddressInfo} from 'node:net';
import type {KnownUser, NewToken, Role} from '../../src/api/shapes';
import {FOLLOWING, freezing, WAITING, type World} from './world';

const SITE = process.env.SEMEL_CONSOLE_SITE ?? join(__dirname, '../../../build/console/site');
export const GUARD = 'the-guard';
export const TOKEN = `semel_${'5'.repeat(64)}`;

const TYPES: Record<string, string> = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
};

/** The value of Content-Security-Policy in the source of the api (services/api/edge/strict_headers.cpp). */
function policyOf(kind: 'as_page' | 'as_preview'): string {
    const source = readFileSync(join(__dirname, '../../../services/api/edge/strict_headers.cpp'), 'utf8');
    const body = source.slice(source.indexOf(`void ${kind}(`));
    const call = body.slice(body.indexOf('"Content-Security-Policy",'), body.indexOf(');', body.indexOf('"Content-Security-Policy",')));
    return [...call.matchAll(/"([^"]*)"/g)].slice(1).map((m) => m[1]).join('');
}

type Answer = {status?: number; body: object};

/** How many lines of a record come at once. */
const pageful = 3;

/** The part of whoever asks, or all of it for this role; page by page. */
function recordOf<T extends {number: number; user: string}>(world: World, query: URLSearchParams, key: string, all: T[], role: Role): Answer {
    if (query.has('everybody') && world.role !== role) {
        return {status: 403, body: {error: `${world.role} may only see the own ${key}`}};
    }
    const before = Number(query.get('before') ?? Infinity);
    const meant = all
        .map((one) => ({...one, user: one.user === '' ? world.role : one.user}))
        .filter((one) => (query.has('everybody') || one.user === world.role) && one.number < before);
    const page = meant.slice(0, pageful);
    return {body: {[key]: page, next: meant.length > pageful ? (page.at(-1)?.number ?? null) : null}};
}

function endSession(world: World, number: number): Answer {
    const found = world.sessions.find((one) => one.number === number);
    world.sessions = world.sessions.filter((one) => one !== found);
    return found === undefined ? {status: 404, body: {error: 'there is no such session, or it is over'}} : {body: {session: number, user: found.user, ended: true}};
}

/** A new token of this user, who is added where it is a new one. */
function makeToken(world: World, user: string, wish: {roles?: Role[]; scope?: ('read' | Role)[]}): Answer {
    const known: KnownUser = world.users.find((one) => one.user === user) ?? {user, roles: wish.roles ?? [], from_file: false, sign_on: false, added_by: world.role, added: new Date().toISOString(), tokens: []};
    const made = {number: 21, scope: wish.scope ?? [], made_by: world.role, made: new Date().toISOString(), expires: '2027-03-01T00:00:00Z'};
    world.users = [...world.users.filter((one) => one !== known), {...known, tokens: [...known.tokens, made]}];
    const told: NewToken = {...made, user, roles: known.roles, token: TOKEN};
    return {status: 201, body: told};
}

function changeUser(world: World, user: string, what: string, body: {roles?: Role[]; token?: number} | undefined): Answer {
    const known = world.users.find((one) => one.user === user);
    if (known === undefined) {
        return {status: 404, body: {error: 'there is no such user, or the rights are revoked already'}};
    }
    if (what === 'tokens') {
        return makeToken(world, user, body ?? {});
    }
    if (what === 'roles') {
        known.roles = body?.roles ?? [];
        return {body: {user, roles: known.roles}};
    }
    if (body?.token === undefined) {
        world.users = world.users.filter((one) => one !== known);
    } else {
        known.tokens = known.tokens.filter((one) => one.number !== body.token);
    }
    return {body: {user, revoked: true, token: body?.token ?? null}};
}

function answerOf(world: World, what: string, query: URLSearchParams, body: unknown): Answer | undefined {
    const ending = /^DELETE \/v1\/sessions\/(\d+)$/.exec(what);
    if (ending !== null) {
        return endSession(world, Number(ending[1]));
    }
    const changing = /^POST \/v1\/users\/([^/]+)\/(roles|tokens|revoke)$/.exec(what);
    if (changing !== null) {
        return changeUser(world, decodeURIComponent(changing[1] ?? ''), changing[2] ?? '', body as object | undefined);
    }
    const session = {user: world.role, roles: [world.role], read_only: world.readOnly, guard: GUARD};
    const step = /^POST \/v1\/campaigns\/[^/]+\/(seal|launch|release|pause|resume|cancel|approve)$/.exec(what);
    if (step !== null) {
        if (step[1] === 'release' && world.status.canary !== null) {
            world.status.canary.state = 'released';
        }
        if (step[1] === 'pause') {
            world.status.state = 'paused';
        } else if (step[1] === 'cancel') {
            world.status.state = 'cancelled';
        } else if (step[1] !== 'approve') {
            world.status.state = 'running';
        }
        return {body: {id: world.status.id, state: world.status.state, waves: []}};
    }
    switch (what.replace(/c-[a-z0-9]{16}/, 'ID')) {
        case 'POST /v1/session':
            return (body as {code?: string}).code === 'good' ? {body: session} : {status: 401, body: {error: 'the code is not known: it holds for five minutes and once', hint: '`semel console` prints another address'}};
        case 'DELETE /v1/session':
            return {body: {closed: true}};
        case 'GET /v1/session':
            return {body: session};
        case 'GET /v1/users':
            return {body: world.users};
        case 'POST /v1/users':
            return makeToken(world, (body as {user: string}).user, body as object);
        case 'GET /v1/sessions':
            return recordOf(world, query, 'sessions', world.sessions, 'administrator');
        case 'GET /v1/decisions':
            return recordOf(world, query, 'decisions', world.decisions, 'auditor');
        case 'GET /v1/lookups': {
            const look = world.looks.shift();
            return {body: {lookups: look === undefined ? [] : [look], next: world.looks.length > 0 ? (look?.number ?? null) : null}};
        }
        case 'GET /v1/users/events': {
            const event = world.access.shift();
            return {body: {events: event === undefined ? [] : [event], next: world.access.length > 0 ? (event?.number ?? null) : null}};
        }
        case 'GET /v1/campaigns':
            return {body: world.campaigns};
        case 'POST /v1/campaigns':
            return {status: 201, body: {id: world.status.id, warnings: ['notice.yaml:6: warning: told late'], deadline: world.status.deadline, deadline_basis: '7 days'}};
        case 'POST /v1/campaigns/ID/follow-ups':
            world.uploads = freezing(body as object);
            return {status: 201, body: {id: FOLLOWING, upload: 1, follow_up: world.uploads[0]?.frozen, warnings: [], deadline: world.status.deadline, deadline_basis: '7 days'}};
        case 'POST /v1/campaigns/ID/uploads':
            return {status: 202, body: {...world.uploads[0], known: false}};
        case 'GET /v1/campaigns/ID/uploads/1':
            return {body: (world.uploads.length > 1 ? world.uploads.shift() : world.uploads[0]) ?? {}};
        case 'GET /v1/campaigns/ID':
            return {body: what.endsWith(WAITING) ? world.waiting : world.status};
        case 'GET /v1/campaigns/ID/approval':
            return {body: world.approval};
        case 'GET /v1/campaigns/ID/incident':
            return {body: {...world.incident, ...world.families.find((f) => f.family.some((id) => what.includes(id)))}};
        case 'GET /v1/campaigns/ID/in-doubt':
            return {body: world.doubts};
        case 'POST /v1/campaigns/ID/in-doubt': {
            const resolved = world.doubts.length;
            world.doubts = [];
            return {status: 202, body: {id: world.status.id, resolved}};
        }
        case 'GET /v1/campaigns/ID/resent':
            return {body: world.resent};
        case 'GET /v1/campaigns/ID/history':
            return {body: world.history};
        case 'POST /v1/campaigns/ID/audit':
            return (body as {recipient_id?: string}).recipient_id === world.story.recipient_id ? {body: world.story} : {status: 404, body: {error: 'this campaign knows no such recipient', hint: 'check the id; it is compared exactly'}};
        default:
            return undefined;
    }
}

function sendFile(answer: ServerResponse, path: string): void {
    const name = path === '/' ? '/index.html' : path;
    try {
        const bytes = readFileSync(join(SITE, name));
        answer.writeHead(200, {
            'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
            'Content-Security-Policy': policyOf('as_page'),
            'X-Content-Type-Options': 'nosniff',
            'X-Frame-Options': 'DENY',
        });
        answer.end(bytes);
    } catch {
        answer.writeHead(404).end();
    }
}

async function textOf(request: IncomingMessage): Promise<string> {
    let text = '';
    for await (const piece of request) {
        text += String(piece);
    }
    return text;
}

async function serve(world: World, request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const {pathname: path, searchParams: query} = new URL(request.url ?? '/', 'http://stand-in');
    const what = `${request.method} ${path}`;
    const text = await textOf(request);
    if (world.away) {
        request.socket.destroy();
        return;
    }
    if (!path.startsWith('/v1/')) {
        sendFile(answer, path);
        return;
    }
    const body: unknown = text === '' ? undefined : request.headers['content-type'] === 'application/json' ? JSON.parse(text) : text;
    world.asked.push({what, body, headers: request.headers});
    const signed = (request.headers.cookie ?? '').includes('semel-1=secret');
    const data = (status: number, said: object, headers: Record<string, string> = {}) => {
        answer.writeHead(status, {'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers});
        answer.end(JSON.stringify(said));
    };
    const refused = world.refuse[what];
    if (!signed && what !== 'POST /v1/session') {
        if (what === 'GET /v1/sign-on') {
            answer.writeHead(303, {'Location': '/', 'Set-Cookie': 'semel-1=secret; Path=/; HttpOnly; SameSite=Strict'}).end();
            return;
        }
        data(401, {error: 'the session is over', hint: '`semel console` prints the address of a new one', ...(world.provider ? {sign_on: '/v1/sign-on'} : {})});
    } else if (what === 'GET /v1/sign-on') {
        answer.writeHead(303, {Location: '/'}).end();
    } else if (refused !== undefined) {
        data(refused.status, refused.body);
    } else if (signed && request.method !== 'GET' && what !== 'POST /v1/session' && request.headers['semel-guard'] !== GUARD) {
        data(403, {error: "this did not come from the console's own page"});
    } else if (/^GET \/v1\/campaigns\/[^/]+\/mails\//.test(what)) {
        answer.writeHead(200, {'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policyOf('as_preview'), 'X-Frame-Options': 'SAMEORIGIN'});
        const sha256 = path.slice(path.lastIndexOf('/') + 1);
        answer.end(world.mails[world.approval.texts.find((text) => text.sha256 === sha256)?.locale ?? '']);
    } else if (/^GET .*\/(unreached|repeated)$/.test(what)) {
        answer.writeHead(200, {'Content-Type': 'text/csv'});
        answer.end('recipient_id,name,why\n');
    } else if (/^GET .*\/rejects$/.test(what)) {
        answer.writeHead(200, {'Content-Type': 'text/csv'});
        answer.end(world.rejects);
    } else {
        const over = what === 'DELETE /v1/session' || world.sessions.some((one) => one.current && what === `DELETE /v1/sessions/${one.number}`);
        const said = answerOf(world, what, query, body);
        const cookie: Record<string, string> = what === 'POST /v1/session' && said?.status === undefined ? {'Set-Cookie': 'semel-1=secret; Path=/; HttpOnly; SameSite=Strict'} : over ? {'Set-Cookie': 'semel-1=; Path=/; Max-Age=0'} : {};
        said === undefined ? data(404, {error: `the stand-in does not know ${what}`}) : data(said.status ?? 200, said.body, cookie);
    }
}

export async function standIn(world: World): Promise<{address: string; close: () => Promise<void>}> {
    const server: Server = createServer((request, answer) => void serve(world, request, answer));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return {
        address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () =>
            new Promise((done) => {
                server.closeAllConnections();
                server.close(() => done());
            }),
    };
}
