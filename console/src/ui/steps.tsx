// What somebody may do with a campaign now. Pause asks nothing; what begins or ends something says first what it means.

import {useEffect, useState} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {Status} from '../api/shapes';
import {sumsOf} from '../core/approval';
import {stepsOf, type Step} from '../core/rights';
import {exact, useWords} from '../words';
import {refusalOf, useConsole} from './console';
import {Dialog, Trouble} from './parts';

type Asked = 'launch' | 'release' | 'resume' | 'cancel';
const asks = (step: Step): step is Asked => step === 'launch' || step === 'release' || step === 'resume' || step === 'cancel';

const total = (status: Status, what: 'accepted' | 'outstanding') =>
    Object.values(status.channels).reduce((sum, c) => sum + c[what], 0);

function Launching({status}: {status: Status}) {
    const w = useWords();
    const ready = status.waves.filter((wave) => wave.state === 'approved');
    const sums = sumsOf(
        ready.map((wave) => ({
            rows: wave.rows,
            rejected: wave.rejected,
            recipients: wave.plan?.recipients ?? 0,
            unreachable: wave.plan?.unreachable ?? 0,
            addresses: wave.plan?.addresses ?? {},
        })),
    );
    const names = w.steps.waves(ready.map((wave) => w.number(wave.wave)).join(', '), ready.length);
    return (
        <>
            <p>{w.steps.launchIs(w.people(sums.people), w.rows(sums.rows), names)}</p>
            <ul>
                {sums.addresses.map(([channel, count]) => (
                    <li key={channel}>
                        {w.channel[channel] ?? channel}: {w.number(count)}
                    </li>
                ))}
            </ul>
            <p>{w.steps.launchShared}</p>
            {status.deadline !== null && <p>{w.steps.launchUntil(exact(status.deadline, w))}</p>}
        </>
    );
}

function Consequences({step, status}: {step: Asked; status: Status}) {
    const w = useWords();
    switch (step) {
        case 'launch':
            return <Launching status={status} />;
        case 'release':
            return <p>{w.steps.releaseIs(w.rows(Math.max(0, status.rows - (status.canary?.released ?? 0))))}</p>;
        case 'resume':
            return <p>{w.steps.resumeIs(w.messages(total(status, 'outstanding')))}</p>;
        case 'cancel':
            return (
                <>
                    <p>{w.steps.cancelGone(total(status, 'accepted'))}</p>
                    <p>{w.steps.cancelLeft(total(status, 'outstanding'))}</p>
                    <p>{w.steps.cancelForever}</p>
                </>
            );
    }
}

export function Steps({status, taken}: {status: Status; taken: () => void}) {
    const w = useWords();
    const {api, acts} = useConsole();
    const [asked, setAsked] = useState<Asked>();
    const [done, setDone] = useState<Step>();
    const [trouble, setTrouble] = useState<Refusal>();
    const steps = stepsOf(acts, status);
    const pausable = steps.includes('pause');
    useEffect(() => {
        const press = (event: KeyboardEvent) => {
            // By the key's place: with Alt it may write another letter.
            if (pausable && event.altKey && !event.ctrlKey && event.code === 'KeyP') {
                event.preventDefault();
                take('pause');
            }
        };
        addEventListener('keydown', press);
        return () => removeEventListener('keydown', press);
    });
    const take = (step: Step) => {
        setAsked(undefined);
        setDone(undefined);
        setTrouble(undefined);
        api.post(`/v1/campaigns/{id}/${step}`, {id: status.id}, undefined).then(
            () => {
                setDone(step);
                taken();
            },
            (why: unknown) => {
                setTrouble(refusalOf(why));
                taken();
            },
        );
    };
    return (
        <div class="steps">
            {steps.length > 0 && (
                <div class="buttons">
                    {steps.map((step) => (
                        <button
                            key={step}
                            type="button"
                            class={step === 'cancel' ? 'plain grave' : 'main'}
                            aria-keyshortcuts={step === 'pause' ? 'Alt+P' : undefined}
                            title={step === 'pause' ? w.steps.pauseKey : undefined}
                            onClick={() => (asks(step) ? setAsked(step) : take(step))}
                        >
                            {w.steps[step]}
                        </button>
                    ))}
                </div>
            )}
            <p role="status" class="said">
                {done !== undefined && w.steps.taken[done]}
            </p>
            {trouble !== undefined && <Trouble why={trouble} />}
            {asked !== undefined && (
                <Dialog
                    title={w.steps.ask[asked]}
                    yes={w.steps.do[asked]}
                    no={w.steps.keep}
                    grave={asked === 'cancel'}
                    onYes={() => take(asked)}
                    onNo={() => setAsked(undefined)}
                >
                    <Consequences step={asked} status={status} />
                </Dialog>
            )}
        </div>
    );
}
