// What the stand-in of the api knows. Typed by docs/openapi.yaml, so that it cannot answer what the api does not.

import type {Schemas} from '../../src/api/client';
import type {Approval, Decided, Doubt, Incident, KnownUser, ListedCampaign, Look, OpenSession, Resent, Role, Status, Story, Text, Act} from '../../src/api/shapes';

export const RUNNING = 'c-9viv9wekdx5x8uh2';
export const WAITING = 'c-aaaabbbbccccdddd';
export const FOLLOWING = 'c-ffffgggghhhhjjjj';
export const hex = (digit: string) => digit.repeat(64);

const minute = 60_000;
const at = (offset: number) => new Date(Date.now() + offset).toISOString();

type AccessEvent = Schemas['AccessEvents']['events'][number];

export interface World {
    role: Role;
    readOnly: boolean;
    campaigns: ListedCampaign[];
    status: Status;
    /** Of the campaign that waits for an approval; `status` is of the one that runs. */
    waiting: Status;
    approval: Approval;
    doubts: Doubt[];
    resent: Resent[];
    history: Act[];
    incident: Pick<Incident, 'incident' | 'campaigns'>;
    /** Which campaigns are counted together, and how often their people were told. */
    families: Pick<Incident, 'family' | 'told'>[];
    story: Story;
    /** Of the one upload, each time that somebody looks; the last one stays. */
    looks: Look[];
    access: AccessEvent[];
    /** The latest first. Here and in `sessions` the user '' is whoever is signed in. */
    decisions: Decided[];
    sessions: OpenSession[];
    users: KnownUser[];
    uploads: Schemas['Upload'][];
    rejects: string;
    /** By method and path, "POST /v1/...": what is refused, and how. */
    refuse: Record<string, {status: number; body: object}>;
    /** Nobody answers. */
    away: boolean;
    /** By the language of the text. */
    mails: Record<string, string>;
    /** There is a provider to sign on with. */
    provider: boolean;
    /** What was asked, in its order. */
    asked: {what: string; body: unknown; headers: Record<string, string | string[] | undefined>}[];
}

function aStatus(): Status {
    return {
        id: RUNNING,
        name: 'Renewed notice',
        incident: 'autumn-leak',
        creator: 'operator',
        notice_sha256: hex('a'),
        compiled: true,
        follow_up: null,
        segments: ['entrance_code'],
        state: 'running',
        canary: null,
        halted: null,
        start: null,
        deadline: at(8 * 60 * minute),
        deadline_basis: '7 days after the creation; the 72 hours of KR-PIPA ended at 2026-11-21T00:00:00Z',
        forecast_finish: at(108 * minute),
        warnings: ['12 sms messages wait for another try'],
        lanes: [
            {
                service: 'sms',
                instance: 'sms-1',
                gateway: 'smsc-a',
                state: 'throttled',
                since: at(-4 * minute),
                words: 'the gateway asked for less: 120 a second instead of 200 since four minutes',
                limit_per_s: 120,
            },
        ],
        rows: 2000,
        coverage: {reached: 1204, failed: 3, unreachable: 11, in_doubt: 2, outstanding: 776, repeated: 2, rejected: 2},
        channels: {
            email: {planned: 1828, accepted: 901, failed: 2, retrying: 0, in_doubt: 0, unresolved: 0, resent: 0, outstanding: 925, rate_per_s: 182},
            push: {planned: 1534, accepted: 765, failed: 5, retrying: 0, in_doubt: 0, unresolved: 0, resent: 1, outstanding: 764, rate_per_s: 152},
            sms: {planned: 1796, accepted: 263, failed: 2, retrying: 12, in_doubt: 2, unresolved: 2, resent: 0, outstanding: 1529, rate_per_s: 26},
        },
        waves: [
            {wave: 1, state: 'launched', rows: 2000, rejected: 2, sha256: hex('8'), plan: {recipients: 1998, unreachable: 11, addresses: {email: 1891, push: 1549, sms: 1905}}},
        ],
    };
}

function waiting(): Status {
    const of = (wave: number, rows: number, recipients: number) => ({
        wave, state: 'registered' as const, rows, rejected: rows - recipients, sha256: hex('8'), plan: {recipients, unreachable: 0, addresses: {email: recipients}},
    });
    return {
        ...aStatus(), id: WAITING, name: 'Second wave', incident: 'spring-leak', state: 'sealed', forecast_finish: null, warnings: [], lanes: [], channels: {},
        rows: 2500, coverage: {reached: 0, failed: 0, unreachable: 0, in_doubt: 0, outstanding: 2498, repeated: 0, rejected: 2},
        waves: [of(1, 2000, 1998), of(2, 500, 500)],
    };
}

function texts(): Text[] {
    const of = (locale: string, ko: boolean, segments: string[], digit: string): Text[] => {
        const door = segments.length > 0;
        const sms = ko ? `[가람마켓] 개인정보 유출 안내. ${door ? '출입번호를 바꾸십시오. ' : ''}문의 1577-1577` : `[Garam Market] Your data leaked. ${door ? 'Change your door code. ' : ''}Call 1577-1577`;
        return [
            {channel: 'email', locale, segments, supplement: false, sha256: hex(digit), summary: ko ? '제목: 개인정보 유출 안내 (재안내)' : 'Subject: Notice of personal data leak (follow-up)', files: {'message.html': ''}},
            {channel: 'push', locale, segments, supplement: false, sha256: hex(String(Number(digit) + 1)), summary: '', files: {'apns.json': JSON.stringify({aps: {alert: {title: ko ? '개인정보 유출 안내' : 'Your data leaked', body: sms}}})}},
            {channel: 'sms', locale, segments, supplement: false, sha256: hex(String(Number(digit) + 2)), summary: sms, files: {'text.txt': `${sms}\n`, 'part-1.hex': '00\n', ...(ko ? {'part-2.hex': '00\n'} : {})}},
        ];
    };
    return [...of('ko', true, [], '0'), ...of('ko', true, ['entrance_code'], '3'), ...of('en', false, [], '6')];
}

function anApproval(): Approval {
    return {
        id: WAITING,
        name: 'Second wave',
        state: 'sealed',
        creator: 'operator',
        refusal: null,
        follow_up: {
            of: RUNNING, root: RUNNING, outcome: 'reached', segment: '', channel: '', people: 2498, rows: 2500, sha256: hex('8'),
            position: {'0': 1204, '11': 877},
        },
        waves: [
            {wave: 1, rows: 2000, rejected: 2, sha256: hex('8'), recipients: 1998, unreachable: 11, addresses: {email: 1891, push: 1549, sms: 1905}},
            {wave: 2, rows: 500, rejected: 0, sha256: hex('9'), recipients: 500, unreachable: 0, addresses: {email: 480, sms: 499}},
        ],
        changed: null,
        seen: {notice: hex('a'), audience: hex('b'), plan: hex('c')},
        digest: '141363a5d8ee3a270f62c2438848d89f1d89929c15045b35bcef977e05e28fdb',
        findings: [
            {rule: 'KR-W3', severity: 'finding', file: 'email.ko.md', line: 12, reason: 'the text says "exposure" where the law says "leak"', mend: 'say "leak"', accepted: null},
            {rule: 'KR-T1', severity: 'warning', file: 'notice.yaml', line: 6, reason: 'KR-PIPA wants people told within 72 hours of aware_at', mend: '', accepted: null},
        ],
        texts: texts(),
    };
}

function doubts(): Doubt[] {
    const of = (k: number, more: Partial<Doubt>): Doubt => ({
        notification: hex('d').slice(0, 60) + String(k).padStart(4, '0'),
        recipient_id: `A${String(k).padStart(9, '0')}`,
        channel: 'sms',
        gateway: 'smsc-a',
        state: 'unresolved',
        since: at(-40 * minute + k * 1000),
        evidence: ['the connection was lost after the last byte', 'no delivery report fits: smsc-a has sent 1,204 reports since'],
        decision: 'an approver decides: the policy is hold',
        ...more,
    });
    return [
        ...Array.from({length: 61}, (_, k) => of(k, {})),
        of(900, {channel: 'email', gateway: 'relay-a', state: 'waiting', evidence: ['the relay closed after the final dot'], decision: 'sent again at 21:04:11 unless evidence comes'}),
    ];
}

function aStory(): Story {
    const sent = hex('e');
    return {
        recipient_id: 'A000000002',
        campaign: RUNNING,
        events: [
            {time: at(-9 * minute), channel: '', kind: 'recipient', gateway: '', code: '', text: 'wave 1, row 2', content_sha256: ''},
            {time: at(-8 * minute), channel: 'email', kind: 'accepted', attempt: 1, gateway: 'relay-a', code: '250 2.0.0', text: 'Ok: queued as S661336F106174', content_sha256: sent},
            {time: at(-7 * minute), channel: 'sms', kind: 'in_doubt', attempt: 1, gateway: 'smsc-a', code: 'semel:lost', text: 'the connection was lost', content_sha256: ''},
        ],
        messages: [
            {channel: 'email', notification: hex('1'), role: 'own', supplement: false, sent_sha256: sent, rendered_sha256: sent, content: ['Subject: 개인정보 유출 안내 (재안내)\n\n이우민 님께 ...']},
            {channel: 'sms', notification: hex('2'), role: 'covered', supplement: false},
        ],
    };
}

const KO = [
    '이우민 님께',
    '2026년 11월 18일 저희 회사의 고객 데이터베이스에 허가받지 않은 접근이 있었고, 고객님의 개인정보가 유출되었습니다.',
    '유출된 항목: 이름, 이메일 주소, 전화번호, 배송지',
    '비밀번호와 결제 정보는 유출되지 않았습니다.',
    '저희를 사칭하는 전화와 문자에 주의하십시오. 문의: 1577-1577',
];
const EN = [
    'Dear Woomin Lee,',
    'On 18 November 2026 somebody had access to our customer database without permission, and your personal data leaked.',
    'What leaked: name, email address, phone number, delivery address',
    'Passwords and payment details did not leak.',
    'Be careful with calls and messages in our name. Questions: +82 1577-1577',
];

/** With a script that must not run. */
function aMail(lang: string, title: string, paragraphs: string[]): string {
    const body = paragraphs.map((words) => `<p>${words}</p>`).join('');
    return `<!doctype html><html lang="${lang}"><body style="font-family:sans-serif;margin:24px;color:#222;background:#fff"><h1 style="color:#14507a;font-size:22px">${title}</h1>${body}<script>parent.document.title="owned"</script></body></html>`;
}

export const FIRST = 'c-2222333344445555';

function anIncident(): World['incident'] {
    const of = (id: string, name: string, more: Partial<Incident['campaigns'][number]>) => ({
        id, name, state: 'finished' as const, follow_up_of: null, outcome: null, rows: 2000,
        coverage: {reached: 1980, failed: 3, unreachable: 11, in_doubt: 2, outstanding: 0, repeated: 2, rejected: 2}, ...more,
    });
    const coverage = aStatus().coverage;
    return {
        incident: 'autumn-leak',
        campaigns: [
            of(FIRST, 'First notice', {}),
            of(RUNNING, 'Renewed notice', {state: 'running', coverage}),
            of(FOLLOWING, 'Look out for calls', {
                follow_up_of: FIRST, outcome: 'reached', rows: 1980,
                coverage: {reached: 1902, failed: 70, unreachable: 8, in_doubt: 0, outstanding: 0, repeated: 0, rejected: 0},
            }),
        ],
    };
}

function decisions(): Decided[] {
    const of = (number: number, ago: number, what: Decided['what'], more: Partial<Decided> = {}): Decided => ({
        number, time: at(-ago * minute), user: '', campaign: RUNNING, name: 'Renewed notice', what, text: '', messages: null, ...more,
    });
    return [
        of(31, 4, 'resend', {messages: 61}),
        of(30, 9, 'pause', {user: 'kim'}),
        of(28, 15, 'cancel', {campaign: FOLLOWING, name: 'Look out for calls'}),
        of(22, 20, 'approve', {text: `waves 1, 2; digest ${hex('1')}; accepted KR-W3: counsel agreed`}),
        of(17, 40, 'drop_wave', {text: 'wave 3', campaign: WAITING, name: 'Second wave'}),
    ];
}

function users(): KnownUser[] {
    const added = at(-400 * 24 * 60 * minute);
    const token = (number: number, more: Partial<KnownUser['tokens'][number]> = {}) => ({number, scope: [], made_by: 'administrator', made: added, expires: at(60 * 24 * 60 * minute), ...more});
    const of = (user: string, roles: Role[], more: Partial<KnownUser>): KnownUser => ({user, roles, from_file: false, sign_on: false, added_by: 'administrator', added, tokens: [], ...more});
    return [
        of('administrator', ['administrator'], {from_file: true, added_by: 'tokens_dir', tokens: [token(5, {made_by: 'tokens_dir', expires: null})]}),
        of('choi@example.com', ['approver', 'auditor'], {sign_on: true, added_by: 'sign-on'}),
        of('kim', ['operator', 'auditor'], {tokens: [token(7), token(9, {scope: ['read', 'auditor']})]}),
        of('lee', ['approver'], {}),
    ];
}

function sessions(): OpenSession[] {
    const of = (number: number, more: Partial<OpenSession>): OpenSession => ({
        number, user: '', how: 'code', token: 3, opened: at(-50 * minute), seen: at(-minute), ends: at(29 * minute), from: '127.0.0.1', seen_from: '127.0.0.1',
        current: false, ...more,
    });
    return [
        of(14, {user: 'kim', how: 'sign_on', token: null, from: '10.0.0.7', seen_from: '10.0.0.7'}),
        of(12, {current: true}),
        of(9, {opened: at(-300 * minute), seen: at(-20 * minute), ends: at(10 * minute), seen_from: '192.0.2.44'}),
        of(4, {user: 'lee', from: null, seen_from: '10.0.0.8'}),
    ];
}

/** Nothing is outstanding any more: every outcome is known. */
export function finish(world: World): void {
    world.status.state = 'finished';
    world.status.lanes = [];
    world.status.warnings = [];
    world.status.coverage = {reached: 1980, failed: 3, unreachable: 11, in_doubt: 2, outstanding: 0, repeated: 2, rejected: 2};
}

/** The upload of a follow-up, from one look to the next. */
export function freezing(more: Partial<Schemas['FollowUp']> = {}): Schemas['Upload'][] {
    const asked: Schemas['FollowUp'] = {of: RUNNING, root: RUNNING, outcome: 'failed', segment: '', channel: '', ...more};
    const frozen = {...asked, people: 3, rows: 4, sha256: hex('7'), position: {'0': 1204, '11': 877}};
    const upload = {upload: 1, rows: 0, rejected: 0, unreachable: 0, warnings: [], columns: [], has_rejects: false};
    return [
        {...upload, state: 'freezing', frozen: asked},
        {...upload, state: 'importing', frozen},
        {...upload, state: 'imported', wave: 1, rows: 4, frozen},
    ];
}

export function aWorld(): World {
    return {
        role: 'operator',
        readOnly: false,
        campaigns: [
            {id: FIRST, name: 'First notice', incident: 'autumn-leak', state: 'finished', waves: 3},
            {id: WAITING, name: 'Second wave', incident: 'spring-leak', state: 'sealed', waves: 2},
            {id: RUNNING, name: 'Renewed notice', incident: 'autumn-leak', state: 'running', waves: 1},
        ],
        status: aStatus(),
        waiting: waiting(),
        approval: anApproval(),
        doubts: doubts(),
        resent: [
            {notification: hex('f'), recipient_id: 'A000000077', channel: 'push', gateway: 'fcm', state: 'accepted', first_resent: at(-20 * minute), times: 1, withdrawn: 0, decided_by: ''},
        ],
        history: [
            {time: at(-30 * minute), kind: 'operator', actor: 'operator', text: 'create', wave: 0, channel: '', notification: '', attempt: 0, gateway: '', code: ''},
            {time: at(-20 * minute), kind: 'operator', actor: 'approver', text: 'approve 141363a5', wave: 0, channel: '', notification: '', attempt: 0, gateway: '', code: ''},
            {time: at(-10 * minute), kind: 'operator', actor: 'operator', text: 'launch', wave: 0, channel: '', notification: '', attempt: 0, gateway: '', code: ''},
        ],
        incident: anIncident(),
        families: [
            {family: [FIRST, FOLLOWING], told: {people: 1996, never: 16, once: 78, twice: 1902, more: 0}},
            {family: [RUNNING], told: {people: 1996, never: 792, once: 1204, twice: 0, more: 0}},
        ],
        story: aStory(),
        looks: [
            {number: 8, time: at(-3 * minute), user: 'kim', from: '10.0.0.7', what: 'story', campaign: RUNNING, recipient: hex('9'), people: 1, reason: '가족의 문의', case: 'C-2026-114'},
            {number: 7, time: at(-5 * minute), user: 'auditor', from: '127.0.0.1', what: 'unreached', campaign: RUNNING, recipient: null, people: 14, reason: '', case: ''},
        ],
        access: [
            {number: 12, time: at(-2 * minute), user: null, from: '10.0.0.9', what: 'denied', about: null, text: 'no such token', times: 41},
            {number: 11, time: at(-9 * minute), user: 'administrator', from: '127.0.0.1', what: 'roles_changed', about: 'kim', text: 'operator, auditor; before: operator', times: 1},
        ],
        decisions: decisions(),
        sessions: sessions(),
        users: users(),
        uploads: (['receiving', 'importing', 'imported'] as const).map((state, i) => ({
            upload: 1,
            state,
            rows: 1000 * i,
            rejected: i,
            unreachable: 0,
            warnings: [],
            columns: [
                {name: 'E-Mail', use: 'email'},
                {name: 'id', use: 'recipient_id'},
            ],
            has_rejects: state === 'imported',
        })),
        rejects: 'line,column,reason,effect\r\n8,email,two dots in a row,address left out\r\n40,name,it is not UTF-8,row rejected\r\n',
        refuse: {},
        away: false,
        provider: false,
        mails: {ko: aMail('ko', '개인정보 유출 안내', KO), en: aMail('en', 'Notice of a personal data leak', EN)},
        asked: [],
    };
}
