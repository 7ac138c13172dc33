import type {ListedCampaign} from '../api/shapes';
import {fragmentOf} from '../core/route';
import {byIncident} from '../core/incidents';
import {mayOpen} from '../core/rights';
import {useConsole, useRead} from '../ui/console';
import {Loading, Numeral, Section, State, Table, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

function Waiting({all}: {all: ListedCampaign[]}) {
    const w = useWords();
    const waiting = all.filter((c) => c.state === 'sealed');
    return (
        <Section title={w.list.waiting}>
            {waiting.length === 0 ? (
                <p>{w.list.nothingWaits}</p>
            ) : (
                <ul class="cards">
                    {waiting.map((c) => (
                        <li key={c.id}>
                            <strong>{c.name}</strong> <code>{c.id}</code>
                            <a class="button main" href={fragmentOf({page: 'approval', id: c.id})}>
                                {w.list.review}
                                <span class="unseen"> {c.name}</span>
                            </a>
                        </li>
                    ))}
                </ul>
            )}
        </Section>
    );
}

export function CampaignsPage() {
    const w = useWords();
    const {api, roles} = useConsole();
    const {data, trouble, again} = useRead(() => api.get('/v1/campaigns'), [api]);
    if (data === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    return (
        <>
            <Title>{w.list.title}</Title>
            {roles.includes('approver') && <Waiting all={data} />}
            {mayOpen(roles, 'new') && (
                <a class="button" href={fragmentOf({page: 'new'})}>
                    {w.create.title}
                </a>
            )}
            {data.length === 0 && <p>{w.list.none}</p>}
            {byIncident(data).map(({incident, campaigns}) => {
                const latest = campaigns[0];
                const title = incident === '' ? w.list.noIncident : incident;
                return (
                    <Section key={incident} title={title}>
                        {incident !== '' && latest !== undefined && (
                            <p>
                                <a href={fragmentOf({page: 'incident', id: latest.id})}>
                                    {w.incident.link}
                                    <span class="unseen"> {incident}</span>
                                </a>
                            </p>
                        )}
                        <Table
                            label={title}
                            head={[
                                [w.list.name, 'text'],
                                [w.list.state, 'text'],
                                [w.list.waves, 'number'],
                                [w.list.id, 'text'],
                            ]}
                        >
                            {campaigns.map((c) => (
                                <tr key={c.id}>
                                    <td>
                                        <a href={fragmentOf({page: 'campaign', id: c.id})}>{c.name}</a>
                                    </td>
                                    <td>
                                        <State of={c.state} />
                                    </td>
                                    <Numeral of={c.waves} />
                                    <td>
                                        <code>{c.id}</code>
                                    </td>
                                </tr>
                            ))}
                        </Table>
                    </Section>
                );
            })}
        </>
    );
}
