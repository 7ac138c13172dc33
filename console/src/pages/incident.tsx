import type {Api} from '../api/client';
import type {Incident} from '../api/shapes';
import {PARTS, share, slicesOf} from '../core/coverage';
import {TOLD, toldSum, treeOf, uncounted} from '../core/incidents';
import {fragmentOf} from '../core/route';
import {useConsole, useRead} from '../ui/console';
import {Bar, Swatch} from '../ui/coverage_bar';
import {Loading, Numeral, Printed, Section, State, Table, Title, Trouble} from '../ui/parts';
import {exact, useWords, type Words} from '../words';

type Campaign = Incident['campaigns'][number];
/** An incident of more campaigns that nobody follows is not counted to its end: each count takes as long as it has people. */
const most = 8;

/** One after the other: the api counts for one user at most two at once. */
async function read(api: Api, id: string) {
    const first = await api.get('/v1/campaigns/{id}/incident', {id});
    const families = [first];
    const left = () => uncounted(first.campaigns, families.map((f) => f.family));
    for (let next = left(); next !== undefined && families.length < most; next = left()) {
        families.push(await api.get('/v1/campaigns/{id}/incident', {id: next}));
    }
    return {incident: first.incident, campaigns: first.campaigns, families, left: left(), moment: Date.now()};
}

function Told({told, title}: {told: Incident['told']; title: string}) {
    const w = useWords();
    const sum = toldSum(told);
    if (told.people === 0 && sum === 0) {
        return <p>{w.incident.nobody}</p>;
    }
    const said = TOLD.map((times) => `${w.incident[times]} ${w.number(told[times])}`).join(', ');
    return (
        <>
            <Bar slices={slicesOf(told, TOLD)} label={`${title}: ${said}`} />
            {sum === told.people ? (
                <p>{w.incident.sum(w.people(sum))}</p>
            ) : (
                <p class="box alarm large" role="alert">
                    {w.incident.off(w.people(sum), w.people(told.people))}
                </p>
            )}
            <Table
                label={title}
                head={[
                    [w.incident.times, 'text'],
                    [w.waves.people, 'number'],
                    [w.coverage.share, 'number'],
                ]}
            >
                {TOLD.map((times) => (
                    <tr key={times}>
                        <th scope="row" class="text">
                            <Swatch part={times} />
                            {w.incident[times]}
                        </th>
                        <Numeral of={told[times]} />
                        <td class="number">{share(told[times], told.people, w.number)}</td>
                    </tr>
                ))}
            </Table>
        </>
    );
}

function whom(campaign: Campaign, w: Words): string {
    const outcome = campaign.outcome;
    if (outcome === null) {
        return w.incident.first;
    }
    return outcome in w.followUp.whom ? w.followUp.whom[outcome as keyof Words['followUp']['whom']] : outcome;
}

function SideBySide({campaigns}: {campaigns: Campaign[]}) {
    const w = useWords();
    return (
        <Section title={w.incident.sideBySide}>
            <Table
                label={w.incident.sideBySide}
                head={[
                    [w.incident.campaign, 'text'],
                    [w.list.state, 'text'],
                    [w.incident.tells, 'text'],
                    [w.coverage.rows, 'number'],
                    ...PARTS.map((part): [string, 'number'] => [w.coverage[part], 'number']),
                ]}
            >
                {treeOf(campaigns).map(({campaign: c, depth}) => (
                    <tr key={c.id}>
                        <th scope="row" class="text">
                            {depth > 0 && <span aria-hidden="true">{'↳ '.repeat(depth)}</span>}
                            <a href={fragmentOf({page: 'campaign', id: c.id})}>{c.name}</a>
                            <Bar slices={slicesOf(c.coverage, PARTS)} />
                        </th>
                        <td>
                            <State of={c.state} />
                        </td>
                        <td>{whom(c, w)}</td>
                        <Numeral of={c.rows} />
                        {PARTS.map((part) => (
                            <Numeral key={part} of={c.coverage[part]} />
                        ))}
                    </tr>
                ))}
            </Table>
        </Section>
    );
}

export function IncidentPage({id}: {id: string}) {
    const w = useWords();
    const {api} = useConsole();
    const {data, trouble, again} = useRead(() => read(api, id), [api, id]);
    if (data === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    const nameOf = (of: Incident) => of.campaigns.find((c) => c.id === of.family[0])?.name ?? id;
    return (
        <>
            <Title>{data.incident === '' ? w.list.noIncident : w.incident.title(data.incident)}</Title>
            <Printed id={data.incident || id} moment={data.moment} />
            <p>
                {w.incident.what} <a class="back" href={fragmentOf({page: 'campaign', id})}>{w.back}</a>
            </p>
            {data.families.map((family) => {
                const title = data.families.length === 1 ? w.incident.told : w.incident.toldBy(nameOf(family));
                return (
                    <Section key={family.family[0]} title={title}>
                        <Told told={family.told} title={title} />
                    </Section>
                );
            })}
            {data.left !== undefined && <p>{w.incident.left(most)}</p>}
            <SideBySide campaigns={data.campaigns} />
            <p role="status">{w.incident.moment(exact(data.moment, w))}</p>
            {trouble !== undefined && <Trouble why={trouble} />}
            <button type="button" onClick={again}>
                {w.incident.again}
            </button>
        </>
    );
}
