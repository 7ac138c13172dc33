// What holds a campaign back until somebody says a word: a canary, and its own rule.

import type {Status} from '../api/shapes';
import {exact, useWords} from '../words';
import {Said, Section} from './parts';

export function Brakes({status}: {status: Pick<Status, 'canary' | 'halted'>}) {
    const w = useWords();
    const {canary, halted} = status;
    return (
        <>
            {halted !== null && (
                <div class="box alarm" role="alert">
                    <h2>{w.canary.halted}</h2>
                    <p>
                        {exact(halted.since, w)}: <Said>{halted.why}</Said>
                    </p>
                    <p>{w.canary.haltedHow}</p>
                </div>
            )}
            {canary !== null && (
                <Section title={w.canary.title}>
                    <p>
                        {w.canary.of(w.rows(canary.rows))}: <strong>{w.canary.state[canary.state] ?? canary.state}</strong> ({w.canary.soFar(w.rows(canary.released))})
                    </p>
                </Section>
            )}
        </>
    );
}
