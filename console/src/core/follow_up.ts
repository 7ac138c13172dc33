// Whom a follow-up may tell again, and how many they are so far. The api freezes them, and counts anew when it does.

import type {Channel, Coverage, Status} from '../api/shapes';

export const OUTCOMES = ['reached', 'failed', 'in-doubt', 'unreachable', 'all'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Terms {
    /** Nothing until somebody has chosen: no outcome is likelier than another. */
    outcome: Outcome | undefined;
    channel: Channel | '';
    segment: string;
}

/** Nobody can be told again who was not told; and while something is outstanding, nobody knows who is what. */
export type Choice = 'nobody' | 'all_alone' | 'any';

export function choiceOf(status: Pick<Status, 'waves' | 'coverage'>): Choice {
    if (!status.waves.some((wave) => wave.state === 'launched')) {
        return 'nobody';
    }
    return status.coverage.outstanding > 0 ? 'all_alone' : 'any';
}

export function mayChoose(choice: Choice, outcome: Outcome): boolean {
    return choice === 'any' || (choice === 'all_alone' && outcome === 'all');
}

/** People by the outcome over all channels, with every segment. */
export function peopleOf(c: Coverage, outcome: Outcome): number {
    switch (outcome) {
        case 'in-doubt':
            return c.in_doubt;
        case 'all':
            return c.reached + c.failed + c.unreachable + c.in_doubt + c.outstanding;
        default:
            return c[outcome];
    }
}

/** The same for these terms; nothing where only the freezing counts them. */
export function expected(c: Coverage, terms: Terms): number | undefined {
    const narrowed = terms.channel !== '' || terms.segment !== '';
    return terms.outcome === undefined || narrowed ? undefined : peopleOf(c, terms.outcome);
}

/** As the api takes them: it has a word for what is said, and none for what is not. */
export function askedOf(terms: Terms & {outcome: Outcome}, accept: boolean) {
    return {
        outcome: terms.outcome,
        ...(terms.channel === '' ? {} : {channel: terms.channel}),
        ...(terms.segment === '' ? {} : {segment: terms.segment}),
        ...(accept ? {accept_unreachable: true} : {}),
    };
}
