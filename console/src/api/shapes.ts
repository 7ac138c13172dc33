// Short names for what the api answers with.

import type {Answer, Schemas} from './client';

export type Session = Schemas['Session'];
export type Role = Schemas['Role'];
/** What whoever is signed in may act as. */
export const rolesOf = (session: Session): readonly Role[] => session.roles;
/** The same for what changes something. */
export const actsAs = (session: Session): readonly Role[] => (session.read_only ? [] : session.roles);
export type Channel = Schemas['Channel'];
export type CampaignState = Schemas['CampaignState'];
export type Coverage = Schemas['Coverage'];
export type Status = Answer<'/v1/campaigns/{id}', 'get'>;
export type ListedCampaign = Answer<'/v1/campaigns', 'get'>[number];
export type Lane = Status['lanes'][number];
export type Wave = Status['waves'][number];
export type ChannelCounts = Status['channels'][string];
export type Approval = Schemas['Approval'];
export type Text = Approval['texts'][number];
export type Finding = Approval['findings'][number];
export type Doubt = Schemas['Doubt'];
export type Resent = Schemas['Resent'];
export type Story = Schemas['Story'];
export type Incident = Schemas['Incident'];
export type Look = Answer<'/v1/lookups', 'get'>['lookups'][number];
export type OpenSession = Schemas['Sessions']['sessions'][number];
export type Decided = Schemas['Decisions']['decisions'][number];
export type KnownUser = Schemas['User'];
export type Token = Schemas['Token'];
export type NewToken = Schemas['NewToken'];
export type Act = Schemas['Act'];
