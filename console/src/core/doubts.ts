// Doubts that are alike, together: one decision needs one reading.

import type {Doubt} from '../api/shapes';

export interface Group {
    key: string;
    channel: Doubt['channel'];
    gateway: string;
    state: Doubt['state'];
    /** What was looked for, and what will be decided: the same words for all of the group. */
    evidence: string[];
    decision: string;
    oldest: string;
    newest: string;
    members: Doubt[];
}

/** The largest group first, and in it the oldest doubt. */
export function groupsOf(doubts: readonly Doubt[]): Group[] {
    const groups = new Map<string, Group>();
    for (const doubt of doubts) {
        const key = JSON.stringify([doubt.state, doubt.channel, doubt.gateway, doubt.evidence, doubt.decision]);
        const group = groups.get(key);
        if (group === undefined) {
            groups.set(key, {
                key,
                channel: doubt.channel,
                gateway: doubt.gateway,
                state: doubt.state,
                evidence: doubt.evidence,
                decision: doubt.decision,
                oldest: doubt.since,
                newest: doubt.since,
                members: [doubt],
            });
        } else {
            group.members.push(doubt);
            group.oldest = doubt.since < group.oldest ? doubt.since : group.oldest;
            group.newest = doubt.since > group.newest ? doubt.since : group.newest;
        }
    }
    const all = [...groups.values()];
    for (const group of all) {
        group.members.sort((a, b) => a.since.localeCompare(b.since));
    }
    return all.sort((a, b) => b.members.length - a.members.length || a.key.localeCompare(b.key));
}

export type Decision = 'resend' | 'presume-sent';

/** How many a decision would be about: what is presumed sent is not presumed once more. */
export function countFor(decision: Decision, doubts: readonly Doubt[]): number {
    return decision === 'resend' ? doubts.length : doubts.filter((d) => d.state !== 'presumed_sent').length;
}
