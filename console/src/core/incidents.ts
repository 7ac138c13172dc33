// Campaigns about one incident belong together.

import type {Incident as Counted, ListedCampaign} from '../api/shapes';

export interface Incident {
    incident: string;
    campaigns: ListedCampaign[];
}

/** The api lists the oldest first; here the latest is on top, of incidents as of the campaigns in them. */
export function byIncident(all: readonly ListedCampaign[]): Incident[] {
    const found = new Map<string, ListedCampaign[]>();
    for (const campaign of [...all].reverse()) {
        const of = found.get(campaign.incident);
        if (of === undefined) {
            found.set(campaign.incident, [campaign]);
        } else {
            of.push(campaign);
        }
    }
    return [...found].map(([incident, campaigns]) => ({incident, campaigns}));
}

export const TOLD = ['never', 'once', 'twice', 'more'] as const;
type Told = Counted['told'];

export function toldSum(told: Told): number {
    return TOLD.reduce((sum, times) => sum + told[times], 0);
}

export interface Branch {
    campaign: Counted['campaigns'][number];
    depth: number;
}

/** Each campaign below the one that it follows; what follows none that is here begins a tree. */
export function treeOf(all: Counted['campaigns']): Branch[] {
    const out: Branch[] = [];
    const placed = new Set<string>();
    const place = (campaign: Branch['campaign'], depth: number): void => {
        if (placed.has(campaign.id)) {
            return;
        }
        placed.add(campaign.id);
        out.push({campaign, depth});
        all.filter((other) => other.follow_up_of === campaign.id).forEach((other) => place(other, depth + 1));
    };
    const here = new Set(all.map((c) => c.id));
    all.filter((c) => !here.has(c.follow_up_of ?? '')).forEach((c) => place(c, 0));
    all.forEach((c) => place(c, 0)); // a circle, which the api does not make
    return out;
}

/** The api counts one family at a time, a campaign and what follows it: of which campaign to ask next. */
export function uncounted(all: Counted['campaigns'], families: readonly (readonly string[])[]): string | undefined {
    return all.find((c) => !families.some((family) => family.includes(c.id)))?.id;
}
