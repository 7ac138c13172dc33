import {fragmentOf} from '../core/route';
import {byIncident} from '../core/incidents';
import {useConsole, useRead} from '../ui/console';
import {Loading, Numeral, Section, State, Table, Title, Trouble} from '../ui/parts';
import {WaitingSection} from '../ui/waiting';
import {useWords} from '../words';

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
            {roles.includes('approver') && <WaitingSection all={data} />}
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
