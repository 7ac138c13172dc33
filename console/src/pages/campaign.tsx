import {useRef, useState} from 'preact/hooks';
import type {Act, Status} from '../api/shapes';
import {target} from '../api/client';
import type {Part} from '../core/coverage';
import {choiceOf} from '../core/follow_up';
import {fragmentOf} from '../core/route';
import {mayAdd, mayList, mayOpen, waits} from '../core/rights';
import {AddWave} from '../ui/add_wave';
import {Brakes} from '../ui/brakes';
import {useConsole, useLive, useRead} from '../ui/console';
import {CoverageAccount} from '../ui/coverage_bar';
import {DeliveryMap} from '../ui/delivery_map';
import {Channels, Clock, Waves} from '../ui/figures';
import {FollowUpFacts} from '../ui/follow_up';
import {Fresh, Loading, Printed, Said, Section, State, Table, Time, Title, Trouble} from '../ui/parts';
import {Steps} from '../ui/steps';
import {useWords} from '../words';

function Lists({id, part}: {id: string; part: Part}) {
    const w = useWords();
    const {roles} = useConsole();
    const file = (path: '/v1/campaigns/{id}/unreached' | '/v1/campaigns/{id}/repeated', name: string) => (
        <a href={target(path, {id})} download={`${id}-${name}.csv`}>
            {w.coverage.download}
            <span class="unseen"> {w.coverage[part]}</span>
        </a>
    );
    if (part === 'in_doubt' && mayOpen(roles, 'doubts')) {
        return (
            <a href={fragmentOf({page: 'doubts', id})}>
                {w.coverage.open}
                <span class="unseen"> {w.coverage[part]}</span>
            </a>
        );
    }
    if (!mayList(roles)) {
        return null;
    }
    if (part === 'failed' || part === 'unreachable') {
        return file('/v1/campaigns/{id}/unreached', 'unreached');
    }
    return part === 'repeated' ? file('/v1/campaigns/{id}/repeated', 'repeated') : null;
}

function Links({status}: {status: Status}) {
    const w = useWords();
    const {roles, acts} = useConsole();
    const {id} = status;
    return (
        <nav aria-label={w.campaign.links} class="links">
            {mayOpen(roles, 'approval') && waits(status.waves) && (
                <a class={acts.includes('approver') ? 'button main' : ''} href={fragmentOf({page: 'approval', id})}>
                    {w.campaign.approval}
                </a>
            )}
            <a href={fragmentOf({page: 'incident', id})}>{w.incident.link}</a>
            {mayOpen(acts, 'follow-up') && choiceOf(status) !== 'nobody' && <a href={fragmentOf({page: 'follow-up', id})}>{w.campaign.followUp}</a>}
            {mayOpen(roles, 'doubts') && <a href={fragmentOf({page: 'doubts', id})}>{w.campaign.doubts}</a>}
            {mayOpen(roles, 'person') && <a href={fragmentOf({page: 'person', id})}>{w.campaign.person}</a>}
        </nav>
    );
}

const shown = 20;

function Line({act}: {act: Act}) {
    const w = useWords();
    const what =
        act.notification === ''
            ? [act.kind === 'operator' ? '' : act.kind, act.wave > 0 ? `${w.waves.wave} ${act.wave}` : '', act.text]
            : [w.history.test(act.kind), act.channel, act.gateway, act.code];
    return (
        <tr>
            <td>
                <Time at={act.time} />
            </td>
            <td>{act.actor}</td>
            <td>
                <Said>{what.filter((word) => word !== '').join(' · ')}</Said>
            </td>
        </tr>
    );
}

function History({id, version}: {id: string; version: number}) {
    const w = useWords();
    const {api} = useConsole();
    const {data, trouble, again} = useRead(() => api.get('/v1/campaigns/{id}/history', {id}), [api, id, version]);
    const [all, setAll] = useState(false);
    const latest = data === undefined ? [] : [...data].reverse();
    return (
        <Section title={w.campaign.history}>
            {trouble !== undefined && <Trouble why={trouble} again={again} />}
            {data !== undefined && latest.length === 0 && <p>{w.campaign.historyNone}</p>}
            {latest.length > 0 && (
                <Table
                    label={w.campaign.history}
                    head={[
                        [w.history.when, 'text'],
                        [w.history.who, 'text'],
                        [w.history.what, 'text'],
                    ]}
                >
                    {latest.slice(0, all ? undefined : shown).map((act, i) => (
                        <Line key={latest.length - i} act={act} />
                    ))}
                </Table>
            )}
            {latest.length > shown && !all && (
                <button type="button" onClick={() => setAll(true)}>
                    {w.campaign.showAll(latest.length)}
                </button>
            )}
        </Section>
    );
}

/** Told to a screen reader when the state changes, and else once a minute: not at every figure. */
function Announcement({status, moment}: {status: Status; moment: number}) {
    const w = useWords();
    const sum = (what: 'accepted' | 'planned') => Object.values(status.channels).reduce((n, c) => n + c[what], 0);
    const now = w.fresh.announce(w.state[status.state], w.channels.progress(w.number(sum('accepted')), w.number(sum('planned'))));
    const told = useRef({state: status.state, at: 0, words: ''});
    if (told.current.state !== status.state || moment - told.current.at >= 60_000) {
        told.current = {state: status.state, at: moment, words: now};
    }
    return (
        <p role="status" class="unseen">
            {told.current.words}
        </p>
    );
}

export function CampaignPage({id}: {id: string}) {
    const w = useWords();
    const {api, acts} = useConsole();
    const live = useLive((by) => api.get('/v1/campaigns/{id}', {id}, by), [api, id]);
    const [version, setVersion] = useState(0);
    const status = live.data;
    if (status === undefined) {
        return live.trouble === undefined ? <Loading /> : <Trouble why={live.trouble} again={live.again} />;
    }
    const taken = () => {
        live.again();
        setVersion((v) => v + 1);
    };
    return (
        <>
            <Title>{status.name}</Title>
            <Printed id={id} moment={live.moment} />
            <div class="head">
                <State of={status.state} />
                <code>{id}</code>
                {status.incident !== '' && (
                    <span>
                        {w.campaign.incident}: {status.incident}
                    </span>
                )}
                <span>
                    {w.campaign.creator}: {status.creator}
                </span>
            </div>
            <Fresh moment={live.moment} stale={live.stale} />
            <Announcement status={status} moment={live.moment} />
            <Steps status={status} taken={taken} />
            <Links status={status} />
            {status.warnings.length > 0 && (
                <div class="box watch">
                    <h2>{w.campaign.warnings}</h2>
                    <ul lang="en">
                        {status.warnings.map((words) => (
                            <li key={words}>{words}</li>
                        ))}
                    </ul>
                </div>
            )}
            <FollowUpFacts of={status.follow_up} />
            <Brakes status={status} />
            <Clock status={status} moment={live.moment} />
            <Section title={w.coverage.title}>
                <CoverageAccount coverage={status.coverage} rows={status.rows} listOf={(part) => <Lists id={id} part={part} />} />
            </Section>
            <Channels status={status} />
            <DeliveryMap status={status} />
            <Waves status={status} />
            {mayAdd(acts, status.state) && <AddWave id={id} imported={live.again} />}
            <History id={id} version={version} />
        </>
    );
}
