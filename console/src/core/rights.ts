// Which pages and buttons the roles of a user have. The api decides what is allowed (docs/security.md); this only keeps from view what
// it would refuse, or what is another's work.

import type {CampaignState, Role, Status, Wave} from '../api/shapes';
import type {Route} from './route';

export const STEPS = ['seal', 'launch', 'release', 'pause', 'resume', 'cancel'] as const;
export type Step = (typeof STEPS)[number];

export const ROLES: readonly Role[] = ['operator', 'approver', 'product', 'auditor', 'administrator'];
const everybody = ROLES;
const insight: readonly Role[] = ['operator', 'approver', 'auditor']; // who sees people

const PAGES: Record<Route['page'], readonly Role[]> = {
    campaigns: everybody,
    campaign: everybody,
    incident: everybody,
    new: ['operator', 'product'],
    'follow-up': ['operator', 'product'],
    approval: everybody, // to read; whether somebody may approve is in the answer
    doubts: insight,
    person: insight,
    decisions: ['operator', 'approver', 'auditor'], // the own; an auditor sees all
    lookups: ['auditor'],
    access: ['auditor', 'administrator'],
    users: ['approver', 'auditor', 'administrator'],
    sessions: everybody, // the own; an administrator sees all
    nowhere: everybody,
};

const any = (of: readonly Role[], roles: readonly Role[]) => roles.some((role) => of.includes(role));

export function mayOpen(roles: readonly Role[], page: Route['page']): boolean {
    return any(PAGES[page], roles);
}

/** What stands above every page: each a piece of work of its own, and no page of a campaign. */
export const PLACES = ['campaigns', 'new', 'decisions', 'lookups', 'access', 'users', 'sessions'] as const;
export type Place = (typeof PLACES)[number];

export function placesOf(roles: readonly Role[], acts: readonly Role[]): Place[] {
    return PLACES.filter((place) => mayOpen(place === 'new' ? acts : roles, place));
}

/** In which of them a page is. */
export function placeOf(page: Route['page']): Place | undefined {
    return page === 'nowhere' ? undefined : (PLACES.find((place) => place === page) ?? 'campaigns');
}

/** Lists with people in them: of who tells the rest by letter, and of who checks it. */
export function mayList(roles: readonly Role[]): boolean {
    return any(['operator', 'auditor'], roles);
}

const STEPS_OF: Record<Step, readonly Role[]> = {
    seal: ['operator'],
    launch: ['operator'],
    release: ['operator'],
    pause: ['operator', 'approver'],
    resume: ['operator'],
    cancel: ['operator', 'approver'],
};

const over: readonly CampaignState[] = ['finished', 'cancelled'];

/** What a step is judged by. */
type Standing = Pick<Status, 'state' | 'canary'> & {waves: readonly Pick<Wave, 'state'>[]};

function makesSense(step: Step, {state, waves, canary}: Standing): boolean {
    const some = (wanted: Wave['state']) => waves.some((w) => w.state === wanted);
    switch (step) {
        case 'seal':
            return !over.includes(state) && some('imported');
        case 'launch':
            return !over.includes(state) && state !== 'paused' && some('approved');
        case 'release':
            return (state === 'running' || state === 'paused') && canary !== null && canary.state !== 'released';
        case 'pause':
            return state === 'running';
        case 'resume':
            return state === 'paused';
        case 'cancel':
            return !over.includes(state);
    }
}

/** Looking people up is an auditor's work; whoever else does it says why. */
export function mustSayWhy(roles: readonly Role[]): boolean {
    return !roles.includes('auditor');
}

/** The steps that these roles could take now, the likeliest first. */
export function stepsOf(roles: readonly Role[], campaign: Standing): Step[] {
    return STEPS.filter((step) => any(STEPS_OF[step], roles) && makesSense(step, campaign));
}

/** Whether these roles may add people now. */
export function mayAdd(roles: readonly Role[], state: CampaignState): boolean {
    return roles.includes('operator') && !over.includes(state);
}

/** Whether this user decides about a campaign of somebody else: nobody does alone about the own. */
export function mayDecide(roles: readonly Role[], user: string, creator: string): boolean {
    return roles.includes('approver') && user !== creator;
}

/** Who lets people in, and changes what they may. Nobody changes the own roles. */
export function mayChangeUsers(roles: readonly Role[]): boolean {
    return roles.includes('administrator');
}

/** Who takes rights and tokens away. */
export function mayRevokeUsers(roles: readonly Role[]): boolean {
    return any(['approver', 'administrator'], roles);
}

/** Whether something waits for an approver. */
export function waits(waves: readonly Pick<Wave, 'state'>[]): boolean {
    return waves.some((w) => w.state === 'registered');
}
