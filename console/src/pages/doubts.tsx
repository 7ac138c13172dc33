import {useState} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {Doubt, Resent} from '../api/shapes';
import {countFor, groupsOf, type Decision, type Group} from '../core/doubts';
import {mayDecide} from '../core/rights';
import {fragmentOf} from '../core/route';
import {refusalOf, useConsole, useRead} from '../ui/console';
import {Dialog, Loading, Numeral, Said, Section, Table, Time, Title, Trouble} from '../ui/parts';
import {exact, useWords} from '../words';

const listed = 50;

function GroupBox({group}: {group: Group}) {
    const w = useWords();
    return (
        <article class="box">
            <h2>{w.doubts.group(w.messages(group.members.length), w.channel[group.channel] ?? group.channel, group.gateway)}</h2>
            <p class="sentence">
                {w.doubts.state[group.state]}. {w.doubts.since(exact(group.oldest, w), exact(group.newest, w))}.
            </p>
            <h3>{w.doubts.evidence}</h3>
            <ul lang="en">
                {group.evidence.map((words) => (
                    <li key={words}>{words}</li>
                ))}
            </ul>
            <h3>{w.doubts.then}</h3>
            <p>
                <Said>{group.decision}</Said>
            </p>
            <details>
                <summary>{w.doubts.who}</summary>
                <ul class="columns">
                    {group.members.slice(0, listed).map((d) => (
                        <li key={d.notification}>
                            <code>{d.recipient_id}</code>
                        </li>
                    ))}
                </ul>
                {group.members.length > listed && <p>{w.doubts.more(group.members.length - listed)}</p>}
            </details>
        </article>
    );
}

function Deciding({id, doubts, decided}: {id: string; doubts: readonly Doubt[]; decided: () => void}) {
    const w = useWords();
    const {api} = useConsole();
    const [asked, setAsked] = useState<Decision>();
    const [done, setDone] = useState('');
    const [trouble, setTrouble] = useState<Refusal>();
    const decide = (decision: Decision) => {
        setAsked(undefined);
        setTrouble(undefined);
        api.post('/v1/campaigns/{id}/in-doubt', {id}, {decision}).then(
            ({resolved}) => {
                setDone(w.doubts.decided(w.messages(resolved)));
                decided();
            },
            (why: unknown) => setTrouble(refusalOf(why)),
        );
    };
    const to = {resend: countFor('resend', doubts), 'presume-sent': countFor('presume-sent', doubts)};
    return (
        <Section title={w.doubts.decide}>
            <p>{w.doubts.all}</p>
            <div class="buttons">
                <button type="button" onClick={() => setAsked('resend')}>
                    {w.doubts.resend(w.messages(to.resend))}
                </button>
                {to['presume-sent'] > 0 && (
                    <button type="button" onClick={() => setAsked('presume-sent')}>
                        {w.doubts.presume(w.messages(to['presume-sent']))}
                    </button>
                )}
            </div>
            <p role="status">{done}</p>
            {trouble !== undefined && <Trouble why={trouble} />}
            {asked !== undefined && (
                <Dialog title={w.doubts.ask[asked]} yes={w.doubts.do[asked]} no={w.steps.keep} onYes={() => decide(asked)} onNo={() => setAsked(undefined)}>
                    <p>{w.doubts.price[asked](w.people(to[asked]))}</p>
                    <p>{w.doubts.named}</p>
                </Dialog>
            )}
        </Section>
    );
}

function Again({resent}: {resent: readonly Resent[]}) {
    const w = useWords();
    return (
        <Section title={w.doubts.resent}>
            {resent.length === 0 ? (
                <p>{w.doubts.resentNone}</p>
            ) : (
                <>
                    <p>{w.doubts.resentWhat}</p>
                    <Table
                        label={w.doubts.resent}
                        head={[
                            [w.doubts.recipient, 'text'],
                            [w.channels.channel, 'text'],
                            [w.lanes.lane, 'text'],
                            [w.doubts.first, 'text'],
                            [w.doubts.times, 'number'],
                            [w.doubts.withdrawn, 'number'],
                            [w.doubts.by, 'text'],
                        ]}
                    >
                        {resent.slice(0, 10 * listed).map((one) => (
                            <tr key={one.notification}>
                                <th scope="row" class="text">
                                    <code>{one.recipient_id}</code>
                                </th>
                                <td>{w.channel[one.channel] ?? one.channel}</td>
                                <td>{one.gateway}</td>
                                <td>
                                    <Time at={one.first_resent} />
                                </td>
                                <Numeral of={one.times} />
                                <Numeral of={one.withdrawn} />
                                <td>{one.decided_by === '' ? w.doubts.policy : one.decided_by}</td>
                            </tr>
                        ))}
                    </Table>
                </>
            )}
        </Section>
    );
}

export function DoubtsPage({id}: {id: string}) {
    const w = useWords();
    const {api, session, acts} = useConsole();
    const read = async () => {
        const campaign = await api.get('/v1/campaigns/{id}', {id});
        const [doubts, resent] = await Promise.all([
            api.get('/v1/campaigns/{id}/in-doubt', {id}),
            api.get('/v1/campaigns/{id}/resent', {id}),
        ]);
        return {campaign, doubts, resent};
    };
    const {data, trouble, again} = useRead(read, [api, id]);
    if (data === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    const {campaign, doubts, resent} = data;
    const decides = mayDecide(acts, session.user, campaign.creator);
    return (
        <>
            <Title>{w.doubts.title(campaign.name)}</Title>
            <p>
                {w.doubts.what} <a class="back" href={fragmentOf({page: 'campaign', id})}>{w.back}</a>
            </p>
            {doubts.length === 0 && <p class="large">{w.doubts.none}</p>}
            {groupsOf(doubts).map((group) => (
                <GroupBox key={group.key} group={group} />
            ))}
            {doubts.length > 0 && (decides ? <Deciding id={id} doubts={doubts} decided={again} /> : <p>{w.doubts.approverOnly}</p>)}
            <Again resent={resent} />
        </>
    );
}
