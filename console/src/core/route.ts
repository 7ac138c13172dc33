// Where one is: in the fragment, so that no id of a campaign stands in a log of requests.

/** Pages that are about no campaign. */
const ALONE = ['decisions', 'lookups', 'access', 'users', 'sessions'] as const;
type Alone = (typeof ALONE)[number];

export type Route =
    | {page: 'campaigns' | 'new' | Alone}
    | {page: 'campaign' | 'approval' | 'doubts' | 'person' | 'follow-up' | 'incident'; id: string}
    | {page: 'nowhere'};

const ID = /^c-[a-km-np-z2-9]{16}$/;

export function routeOf(fragment: string): Route {
    const [first = '', id = '', page = '', ...rest] = fragment.replace(/^#?\/?/, '').split('/');
    if (first === '' && id === '') {
        return {page: 'campaigns'};
    }
    const alone = ALONE.find((page) => page === first);
    if (alone !== undefined && id === '') {
        return {page: alone};
    }
    if (first !== 'campaigns' || rest.length > 0) {
        return {page: 'nowhere'};
    }
    if (id === '') {
        return {page: 'campaigns'};
    }
    if (id === 'new' && page === '') {
        return {page: 'new'};
    }
    if (!ID.test(id)) {
        return {page: 'nowhere'};
    }
    switch (page) {
        case '':
            return {page: 'campaign', id};
        case 'approval':
        case 'doubts':
        case 'person':
        case 'follow-up':
        case 'incident':
            return {page, id};
        default:
            return {page: 'nowhere'};
    }
}

export function fragmentOf(route: Route): string {
    switch (route.page) {
        case 'campaigns':
        case 'nowhere':
            return '#/campaigns';
        case 'decisions':
        case 'lookups':
        case 'access':
        case 'users':
        case 'sessions':
            return `#/${route.page}`;
        case 'new':
            return '#/campaigns/new';
        case 'campaign':
            return `#/campaigns/${route.id}`;
        default:
            return `#/campaigns/${route.id}/${route.page}`;
    }
}

export const SIGN_ON_TROUBLES = ['elsewhere', 'cancelled', 'provider', 'token', 'name', 'no-role', 'revoked'] as const;
export type SignOnTrouble = (typeof SIGN_ON_TROUBLES)[number];

/** Why the provider's answer let nobody in: "#sign-on=no-role". */
export function signOnTroubleOf(fragment: string): SignOnTrouble | undefined {
    const word = /^#sign-on=([a-z-]{1,20})$/.exec(fragment)?.[1];
    return SIGN_ON_TROUBLES.find((known) => known === word);
}

/** What the page was opened with is no route, and does not stay in the address. */
export function isArrival(fragment: string): boolean {
    return codeOf(fragment) !== '' || fragment.startsWith('#sign-on=');
}

/** The one-time code of "#code=..."; empty when it is something else. */
export function codeOf(fragment: string): string {
    return /^#code=([\w-]{1,100})$/.exec(fragment)?.[1] ?? '';
}
