// What is slow, and why: channels, and what their gateways tell of themselves.

import type {Lane, Status} from '../api/shapes';

export interface Row {
    /** A channel, or a service that all of them need. */
    service: string;
    /** Nothing: all gateways of the channel send as they should. */
    lane: Lane | undefined;
    /** Two processes of a service tell of the same gateway. */
    several: boolean;
}

const nameOf = (lane: Lane) => [lane.gateway, lane.state, lane.instance].join('\n');

/** In an order that no figure changes: rows do not move under a pointer. */
export function mapOf(status: Pick<Status, 'channels' | 'lanes'>): Row[] {
    const channels = Object.keys(status.channels);
    const others = status.lanes.map((lane) => lane.service).filter((service) => !channels.includes(service));
    return [...channels, ...new Set(others.sort())].flatMap((service): Row[] => {
        const lanes = status.lanes.filter((lane) => lane.service === service);
        if (lanes.length === 0) {
            return [{service, lane: undefined, several: false}];
        }
        lanes.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
        return lanes.map((lane) => ({
            service,
            lane,
            several: lanes.some((other) => other.gateway === lane.gateway && other.instance !== lane.instance),
        }));
    });
}

export type Slow =
    | {kind: 'none'} // nothing is to be sent now
    | {kind: 'stands'; channels: string[]; messages: number; retrying: number; why: Lane[]}
    | {kind: 'longest'; channel: string; messages: number; left: number; why: Lane[]};

/** What keeps the campaign from its end: what does not move, else what takes longest at the pace of now (in milliseconds). */
export function slowOf(status: Pick<Status, 'state' | 'channels' | 'lanes'>): Slow {
    const open = Object.entries(status.channels).filter(([, c]) => c.outstanding > 0);
    if (status.state !== 'running' || open.length === 0) {
        return {kind: 'none'};
    }
    const whyOf = (channels: string[]) =>
        status.lanes.filter((lane) => channels.includes(lane.service) || !(lane.service in status.channels));
    const still = open.filter(([, c]) => c.rate_per_s <= 0);
    if (still.length > 0) {
        const channels = still.map(([channel]) => channel);
        const sum = (what: 'outstanding' | 'retrying') => still.reduce((all, [, c]) => all + c[what], 0);
        return {kind: 'stands', channels, messages: sum('outstanding'), retrying: sum('retrying'), why: whyOf(channels)};
    }
    const [longest] = open
        .map(([channel, c]) => ({channel, messages: c.outstanding, left: (1000 * c.outstanding) / c.rate_per_s}))
        .sort((a, b) => b.left - a.left);
    return longest === undefined ? {kind: 'none'} : {kind: 'longest', ...longest, why: whyOf([longest.channel])};
}
