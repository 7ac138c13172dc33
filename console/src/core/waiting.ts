// What waits for an approver: the list of campaigns has neither waves nor creators, so each that may have something is looked at.

import type {ListedCampaign, Status} from '../api/shapes';
import {waits} from './rights';

const may: readonly ListedCampaign['state'][] = ['sealed', 'running', 'paused'];

/** In whatever a wave may wait; the latest first. */
export function candidates(all: readonly ListedCampaign[]): ListedCampaign[] {
    return all.filter((c) => may.includes(c.state) && c.waves > 0).reverse();
}

export interface Waiting {
    id: string;
    name: string;
    deadline: string | null;
    waves: number;
    people: number;
}

/** For this user to decide, and what the user made and another decides. */
export function waitingFor(user: string, all: readonly Status[]): {decide: Waiting[]; own: Waiting[]} {
    const out: {decide: Waiting[]; own: Waiting[]} = {decide: [], own: []};
    for (const c of all.filter(({waves}) => waits(waves))) {
        const waves = c.waves.filter((wave) => wave.state === 'registered');
        const people = waves.reduce((sum, wave) => sum + (wave.plan?.recipients ?? 0), 0);
        (c.creator === user ? out.own : out.decide).push({id: c.id, name: c.name, deadline: c.deadline, waves: waves.length, people});
    }
    return out;
}
