// Campaigns about one incident belong together.

import type {ListedCampaign} from '../api/shapes';

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
