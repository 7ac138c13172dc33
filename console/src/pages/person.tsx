import {useState} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {Story} from '../api/shapes';
import {mustSayWhy} from '../core/rights';
import {fragmentOf} from '../core/route';
import {refusalOf, useConsole, useRead} from '../ui/console';
import {Printed, Section, Table, Time, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

function Events({story}: {story: Story}) {
    const w = useWords();
    return (
        <Section title={w.person.events}>
            <Table
                label={w.person.events}
                head={[
                    [w.person.when, 'text'],
                    [w.person.channel, 'text'],
                    [w.person.event, 'text'],
                    [w.person.attempt, 'number'],
                    [w.person.gateway, 'text'],
                    [w.person.code, 'text'],
                    [w.person.text, 'text'],
                    [w.person.by, 'text'],
                ]}
            >
                {story.events.map((e, i) => (
                    <tr key={i}>
                        <td>
                            <Time at={e.time} />
                        </td>
                        <td>{w.channel[e.channel] ?? e.channel}</td>
                        <td lang="en">{e.kind}</td>
                        <td class="number">{e.attempt === undefined || e.attempt === 0 ? '' : e.attempt}</td>
                        <td>{e.gateway}</td>
                        <td>
                            <code>{e.code}</code>
                        </td>
                        <td lang="en">{e.text}</td>
                        <td>{e.actor}</td>
                    </tr>
                ))}
            </Table>
        </Section>
    );
}

function Proof({m}: {m: Story['messages'][number]}) {
    const w = useWords();
    return (
        <dl class="facts">
            <dt>{w.person.sent}</dt>
            <dd>{m.sent_sha256 === undefined ? w.person.notSent : <code class="long">{m.sent_sha256}</code>}</dd>
            {m.rendered_sha256 !== undefined && (
                <>
                    <dt>{w.person.rendered}</dt>
                    <dd>
                        <code class="long">{m.rendered_sha256}</code>
                        {m.sent_sha256 !== undefined && (
                            <p class={m.sent_sha256 === m.rendered_sha256 ? '' : 'box alarm'}>
                                {m.sent_sha256 === m.rendered_sha256 ? w.person.same : w.person.differs}
                            </p>
                        )}
                    </dd>
                </>
            )}
        </dl>
    );
}

function Messages({story}: {story: Story}) {
    const w = useWords();
    return (
        <Section title={w.person.messages}>
            {story.messages.map((m) => (
                <article key={m.notification} class="box">
                    <h3>
                        {w.channel[m.channel] ?? m.channel}: {w.person.role[m.role]}
                    </h3>
                    <Proof m={m} />
                    {m.not_rendered !== undefined && <p>{w.person.notRendered(m.not_rendered)}</p>}
                    {m.content !== undefined && (
                        <details>
                            <summary>{w.person.source}</summary>
                            {m.content.map((part, i) => (
                                <pre key={i} tabIndex={0}>
                                    {part}
                                </pre>
                            ))}
                        </details>
                    )}
                </article>
            ))}
        </Section>
    );
}

export function PersonPage({id}: {id: string}) {
    const w = useWords();
    const {api, roles} = useConsole();
    const campaign = useRead(() => api.get('/v1/campaigns/{id}', {id}), [api, id]);
    const [asked, setAsked] = useState({recipient_id: '', reason: '', case: ''});
    const change = (next: Partial<typeof asked>) => setAsked((before) => ({...before, ...next}));
    const [found, setFound] = useState<{story: Story; moment: number}>();
    const [trouble, setTrouble] = useState<Refusal>();
    const look = (event: Event) => {
        event.preventDefault();
        setFound(undefined);
        setTrouble(undefined);
        api.post('/v1/campaigns/{id}/audit', {id}, asked).then(
            (story) => setFound({story, moment: Date.now()}),
            (why: unknown) => setTrouble(refusalOf(why)),
        );
    };
    return (
        <>
            <Title>{w.person.title(campaign.data?.name ?? id)}</Title>
            <p>
                <a class="back" href={fragmentOf({page: 'campaign', id})}>{w.back}</a>
            </p>
            <form onSubmit={look} class="narrow">
                <label for="recipient">{w.person.id}</label>
                <input
                    id="recipient"
                    value={asked.recipient_id}
                    onInput={(e) => change({recipient_id: e.currentTarget.value})}
                    autocomplete="off"
                    spellcheck={false}
                    required
                    aria-describedby="noted"
                />
                <label for="why">{mustSayWhy(roles) ? w.person.reason : w.person.reasonIfAny}</label>
                <input id="why" maxLength={300} required={mustSayWhy(roles)} value={asked.reason} onInput={(e) => change({reason: e.currentTarget.value})} aria-describedby="noted" />
                <label for="case">{w.person.caseIfAny}</label>
                <input id="case" maxLength={60} value={asked.case} onInput={(e) => change({case: e.currentTarget.value})} />
                <button type="submit" class="main">
                    {w.person.look}
                </button>
                <p id="noted" class="help">
                    {w.person.noted}
                </p>
            </form>
            <div role="status">{found !== undefined && <h2 class="large">{found.story.recipient_id}</h2>}</div>
            {trouble !== undefined && <Trouble why={trouble} />}
            {found !== undefined && (
                <>
                    <Printed id={`${id} · ${found.story.recipient_id}`} moment={found.moment} />
                    <Events story={found.story} />
                    <Messages story={found.story} />
                </>
            )}
        </>
    );
}
