// The figures of one campaign: clock, channels, waves.

import type {Status} from '../api/shapes';
import {gravity, spanOf, verdictOf, type Verdict} from '../core/clock';
import {useWords, type Words} from '../words';
import {Numeral, Said, Section, Table, Time} from './parts';

function verdictWords(v: Verdict, w: Words): string {
    switch (v.kind) {
        case 'in_time':
        case 'late':
            return w.clock[v.kind](w.span(spanOf(v.margin)));
        case 'no_forecast':
        case 'paused':
        case 'not_started':
            return w.clock[v.kind](w.span(spanOf(v.left)));
        case 'missed':
            return w.clock.missed(w.span(spanOf(v.by)));
        default:
            return w.clock[v.kind];
    }
}

const SIGN = {calm: '', watch: '⚠ ', alarm: '‼ '};

export function Clock({status, moment}: {status: Status; moment: number}) {
    const w = useWords();
    const verdict = verdictOf(
        {
            state: status.state,
            deadline: status.deadline,
            forecast: status.forecast_finish,
            outstanding: status.coverage.outstanding,
        },
        moment,
    );
    const kind = gravity(verdict);
    return (
        <Section title={w.clock.title}>
            <p class={`verdict ${kind}`}>
                <span aria-hidden="true">{SIGN[kind]}</span>
                {verdictWords(verdict, w)}
            </p>
            <dl class="facts">
                {status.start !== null && (
                    <>
                        <dt>{w.clock.start}</dt>
                        <dd>
                            <Time at={status.start} />
                        </dd>
                    </>
                )}
                {status.deadline !== null && (
                    <>
                        <dt>{w.clock.deadline}</dt>
                        <dd>
                            <Time at={status.deadline} />
                            {status.deadline_basis !== '' && (
                                <span class="help">
                                    <Said>{status.deadline_basis}</Said>
                                </span>
                            )}
                        </dd>
                    </>
                )}
                {status.state === 'running' && (
                    <>
                        <dt>{w.clock.forecast}</dt>
                        <dd>{status.forecast_finish === null ? w.clock.noForecast : <Time at={status.forecast_finish} />}</dd>
                    </>
                )}
            </dl>
        </Section>
    );
}

export function Channels({status}: {status: Status}) {
    const w = useWords();
    return (
        <Section title={w.channels.title}>
            <Table
                label={w.channels.title}
                head={[
                    [w.channels.channel, 'text'],
                    [w.channels.done, 'text'],
                    [w.channels.planned, 'number'],
                    [w.channels.accepted, 'number'],
                    [w.channels.failed, 'number'],
                    [w.channels.in_doubt, 'number'],
                    [w.channels.outstanding, 'number'],
                    [w.channels.retrying, 'number'],
                    [w.channels.resent, 'number'],
                    [w.channels.rate, 'number'],
                ]}
            >
                {Object.entries(status.channels).map(([channel, c]) => (
                    <tr key={channel}>
                        <th scope="row" class="text">
                            {w.channel[channel] ?? channel}
                        </th>
                        <td>
                            <progress
                                value={c.accepted}
                                max={Math.max(1, c.planned)}
                                aria-label={`${w.channel[channel] ?? channel}: ${w.channels.progress(w.number(c.accepted), w.number(c.planned))}`}
                            />
                        </td>
                        <Numeral of={c.planned} />
                        <Numeral of={c.accepted} />
                        <Numeral of={c.failed} />
                        <Numeral of={c.in_doubt} />
                        <Numeral of={c.outstanding} />
                        <Numeral of={c.retrying} />
                        <Numeral of={c.resent} />
                        <Numeral of={Math.round(c.rate_per_s)} />
                    </tr>
                ))}
            </Table>
        </Section>
    );
}

export function Waves({status}: {status: Status}) {
    const w = useWords();
    const addresses = (all: Record<string, number>) =>
        Object.entries(all)
            .map(([channel, count]) => `${w.channel[channel] ?? channel} ${w.number(count)}`)
            .join(', ');
    return (
        <Section title={w.waves.title}>
            {status.waves.length === 0 ? (
                <p>{w.waves.none}</p>
            ) : (
                <Table
                    label={w.waves.title}
                    head={[
                        [w.waves.wave, 'number'],
                        [w.waves.state, 'text'],
                        [w.waves.rows, 'number'],
                        [w.waves.rejected, 'number'],
                        [w.waves.people, 'number'],
                        [w.waves.unreachable, 'number'],
                        [w.waves.addresses, 'text'],
                    ]}
                >
                    {status.waves.map((wave) => (
                        <tr key={wave.wave}>
                            <th scope="row" class="number">
                                {wave.wave}
                            </th>
                            <td>{w.waveState[wave.state]}</td>
                            <Numeral of={wave.rows} />
                            <Numeral of={wave.rejected} />
                            <td class="number">{wave.plan?.recipients === undefined ? '' : w.number(wave.plan.recipients)}</td>
                            <td class="number">{wave.plan?.unreachable === undefined ? '' : w.number(wave.plan.unreachable)}</td>
                            <td class="prose">{addresses(wave.plan?.addresses ?? {})}</td>
                        </tr>
                    ))}
                </Table>
            )}
        </Section>
    );
}
