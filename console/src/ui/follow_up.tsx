// Whose people a campaign tells again, and how many they were when they were frozen.

import type {Approval} from '../api/shapes';
import {positionOf} from '../core/approval';
import {fragmentOf} from '../core/route';
import {useWords} from '../words';
import {Said, Section} from './parts';

type FollowUp = NonNullable<Approval['follow_up']>;

function Frozen({of}: {of: FollowUp}) {
    const w = useWords();
    if (of.people === undefined) {
        return of.reason === undefined || of.reason === '' ? (
            <dd>{w.followUp.notYet}</dd>
        ) : (
            <dd>
                {w.followUp.nobody}: <Said>{of.reason}</Said>
            </dd>
        );
    }
    return (
        <dd>
            {w.followUp.frozenAre(w.people(of.people), w.rows(of.rows ?? 0), positionOf(of.position ?? {}))}
            <br />
            SHA-256 <code class="long">{of.sha256}</code>
        </dd>
    );
}

export function FollowUpFacts({of}: {of: FollowUp | null}) {
    const w = useWords();
    if (of === null) {
        return null;
    }
    const whom = [w.followUp.whom[of.outcome]];
    if (of.channel !== '') {
        whom.push(w.followUp.by(w.channel[of.channel] ?? of.channel));
    }
    if (of.segment !== '') {
        whom.push(w.approval.segments(of.segment));
    }
    return (
        <Section title={w.followUp.title}>
            <dl class="facts">
                <dt>{w.followUp.of}</dt>
                <dd>
                    <a href={fragmentOf({page: 'campaign', id: of.of})}>{of.of}</a>
                </dd>
                <dt>{w.followUp.tells}</dt>
                <dd>{whom.join(', ')}</dd>
                <dt>{w.followUp.frozen}</dt>
                <Frozen of={of} />
            </dl>
        </Section>
    );
}
