// Channel x gateway x state, and one sentence for what is slow and why.

import type {Lane, Status} from '../api/shapes';
import {spanOf} from '../core/clock';
import {mapOf, slowOf, type Row, type Slow} from '../core/lanes';
import {useWords, type Words} from '../words';
import {Said, Section, Table, Time} from './parts';

const channelName = (service: string, w: Words) => w.channel[service] ?? service;
const laneName = (lane: Lane, w: Words) => (lane.gateway === '' ? w.lanes.process(lane.instance || lane.service) : lane.gateway);

function whyWords(slow: Exclude<Slow, {kind: 'none'}>, w: Words): string {
    if (slow.why.length === 0) {
        return slow.kind === 'stands' ? w.lanes.unexplained : w.lanes.asFastAsItMay;
    }
    return w.lanes.because([...new Set(slow.why.map((lane) => `${laneName(lane, w)} (${w.lanes.states[lane.state]})`))].join(', '));
}

function slowWords(slow: Exclude<Slow, {kind: 'none'}>, w: Words): string {
    if (slow.kind === 'longest') {
        return w.lanes.longest(channelName(slow.channel, w), w.messages(slow.messages), w.span(spanOf(slow.left)));
    }
    const stands = w.lanes.stands(slow.channels.map((channel) => channelName(channel, w)).join(', '), w.messages(slow.messages));
    return slow.retrying > 0 ? `${stands} ${w.lanes.retrying(w.messages(slow.retrying))}` : stands;
}

function SlowSentence({status}: {status: Status}) {
    const w = useWords();
    const slow = slowOf(status);
    if (slow.kind === 'none') {
        return null;
    }
    const watched = slow.kind === 'stands' || slow.why.length > 0;
    return (
        <p class={watched ? 'verdict watch' : ''}>
            {watched && <span aria-hidden="true">⚠ </span>}
            {slowWords(slow, w)} {whyWords(slow, w)}
        </p>
    );
}

function Line({row: {service, lane, several}}: {row: Row}) {
    const w = useWords();
    if (lane === undefined) {
        return (
            <tr>
                <th scope="row" class="text">
                    {channelName(service, w)}
                </th>
                <td class="brief">{w.lanes.all}</td>
                <td class="brief">
                    <span aria-hidden="true">✓</span> {w.lanes.asItShould}
                </td>
                <td />
                <td />
                <td class="number" />
            </tr>
        );
    }
    return (
        <tr>
            <th scope="row" class="text">
                {channelName(service, w)}
            </th>
            <td>
                {laneName(lane, w)}
                {several && <span class="help">{lane.instance}</span>}
            </td>
            <td class="brief">
                <span aria-hidden="true">⚠</span> {w.lanes.states[lane.state]}
            </td>
            <td class="prose">
                <Said>{lane.words}</Said>
            </td>
            <td>
                <Time at={lane.since} />
            </td>
            <td class="number">{lane.limit_per_s === null ? '' : w.number(lane.limit_per_s)}</td>
        </tr>
    );
}

export function DeliveryMap({status}: {status: Status}) {
    const w = useWords();
    const rows = mapOf(status);
    if (rows.length === 0) {
        return null; // it has no people yet, so nothing goes through any gateway
    }
    return (
        <Section title={w.lanes.title}>
            <SlowSentence status={status} />
            <Table
                label={w.lanes.title}
                head={[
                    [w.channels.channel, 'text'],
                    [w.lanes.lane, 'text'],
                    [w.lanes.state, 'text'],
                    [w.lanes.words, 'text'],
                    [w.lanes.since, 'text'],
                    [w.lanes.limit, 'number'],
                ]}
            >
                {rows.map((row) => (
                    <Line key={`${row.service} ${row.lane?.instance} ${row.lane?.gateway} ${row.lane?.state}`} row={row} />
                ))}
            </Table>
        </Section>
    );
}
