// Whether a campaign is in time: one verdict out of its state, deadline and forecast.

import type {CampaignState} from '../api/shapes';

export type Verdict =
    | {kind: 'none'} // no deadline
    | {kind: 'not_started'; left: number}
    | {kind: 'done'}
    | {kind: 'cancelled'}
    | {kind: 'in_time' | 'late'; margin: number} // by the forecast
    | {kind: 'no_forecast'; left: number} // nothing moves, so nothing is known
    | {kind: 'paused'; left: number}
    | {kind: 'missed'; by: number}; // the deadline has passed and somebody is outstanding

export interface Times {
    state: CampaignState;
    deadline: string | null;
    forecast: string | null;
    outstanding: number;
}

/** Milliseconds throughout; `now` is the moment of the figures. */
export function verdictOf(t: Times, now: number): Verdict {
    if (t.state === 'finished') {
        return {kind: 'done'};
    }
    if (t.state === 'cancelled') {
        return {kind: 'cancelled'};
    }
    if (t.deadline === null) {
        return {kind: 'none'};
    }
    const left = Date.parse(t.deadline) - now;
    if (left < 0 && (t.outstanding > 0 || t.state !== 'running')) {
        return {kind: 'missed', by: -left};
    }
    if (t.state === 'paused') {
        return {kind: 'paused', left};
    }
    if (t.state !== 'running') {
        return {kind: 'not_started', left};
    }
    if (t.forecast === null) {
        return {kind: 'no_forecast', left};
    }
    const margin = Date.parse(t.deadline) - Date.parse(t.forecast);
    return margin < 0 ? {kind: 'late', margin: -margin} : {kind: 'in_time', margin};
}

/** Good news needs no colour; what a person has to look at does. */
export function gravity(v: Verdict): 'calm' | 'watch' | 'alarm' {
    switch (v.kind) {
        case 'late':
        case 'missed':
            return 'alarm';
        case 'no_forecast':
        case 'paused':
            return 'watch';
        default:
            return 'calm';
    }
}

export interface Span {
    days: number;
    hours: number;
    minutes: number;
    seconds: number;
}

/** In the two largest units that matter to somebody who waits. */
export function spanOf(ms: number): Span {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const days = Math.floor(seconds / 86_400);
    const hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    if (days > 0) {
        return {days, hours, minutes: 0, seconds: 0};
    }
    if (hours > 0) {
        return {days: 0, hours, minutes, seconds: 0};
    }
    return {days: 0, hours: 0, minutes, seconds: minutes > 9 ? 0 : seconds % 60};
}
