// What waits for the approver who looks.

import type {ListedCampaign} from '../api/shapes';
import {fragmentOf} from '../core/route';
import {candidates, waitingFor, type Waiting} from '../core/waiting';
import {exact, useWords} from '../words';
import {useConsole, useRead} from './console';
import {Loading, Section, Trouble} from './parts';

/** Each is a request of its own. */
const most = 20;

function Card({one, own}: {one: Waiting; own: boolean}) {
    const w = useWords();
    return (
        <li>
            <span>
                <strong>{one.name}</strong> <code>{one.id}</code>
                <span class="help">
                    {w.list.holds(w.people(one.people), w.approval.wavesOf(one.waves))}
                    {one.deadline !== null && ` ${w.list.until(exact(one.deadline, w))}`}
                </span>
            </span>
            <a class={own ? 'button' : 'button main'} href={fragmentOf({page: 'approval', id: one.id})}>
                {own ? w.list.read : w.list.review}
                <span class="unseen"> {one.name}</span>
            </a>
        </li>
    );
}

export function WaitingSection({all}: {all: readonly ListedCampaign[]}) {
    const w = useWords();
    const {api, session} = useConsole();
    const looked = candidates(all);
    const read = () => Promise.all(looked.slice(0, most).map(({id}) => api.get('/v1/campaigns/{id}', {id})));
    const {data, trouble, again} = useRead(read, [api, all]);
    const {decide, own} = waitingFor(session.user, data ?? []);
    return (
        <Section title={w.list.waiting}>
            {data === undefined && (trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />)}
            {data !== undefined && decide.length === 0 && <p>{w.list.nothingWaits}</p>}
            {decide.length > 0 && (
                <ul class="cards">
                    {decide.map((one) => (
                        <Card key={one.id} one={one} own={false} />
                    ))}
                </ul>
            )}
            {own.length > 0 && (
                <>
                    <h3>{w.list.own}</h3>
                    <ul class="cards">
                        {own.map((one) => (
                            <Card key={one.id} one={one} own />
                        ))}
                    </ul>
                </>
            )}
            {looked.length > most && <p>{w.list.unlooked(looked.length - most)}</p>}
        </Section>
    );
}
