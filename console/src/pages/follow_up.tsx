import {useState} from 'preact/hooks';
import type {Answer, Body, Refusal, Schemas} from '../api/client';
import type {Channel, Status} from '../api/shapes';
import {askedOf, choiceOf, expected, mayChoose, OUTCOMES, peopleOf, type Outcome, type Terms} from '../core/follow_up';
import {fragmentOf} from '../core/route';
import {bodyOf, MadeOne, NameField, nothingAsked, NoticeFields} from '../ui/campaign_fields';
import {refusalOf, useConsole, useLive, useRead} from '../ui/console';
import {FollowUpFacts} from '../ui/follow_up';
import {Fresh, Loading, Said, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

type New = Body<'/v1/campaigns/{id}/follow-ups', 'post'>;
type Made = Answer<'/v1/campaigns/{id}/follow-ups', 'post'>;

interface Choosing {
    status: Status;
    terms: Terms;
    change: (next: Partial<Terms>) => void;
}

function Outcomes({status, terms, change}: Choosing) {
    const w = useWords();
    const choice = choiceOf(status);
    return (
        <fieldset aria-describedby={choice === 'all_alone' ? 'only-all' : undefined}>
            <legend>{w.followUp.choose}</legend>
            {OUTCOMES.map((outcome) => {
                const may = mayChoose(choice, outcome);
                return (
                    <label key={outcome} class={may ? 'tick' : 'tick off'}>
                        <input type="radio" name="outcome" required disabled={!may} checked={terms.outcome === outcome} onChange={() => change({outcome})} />
                        <span>
                            {w.followUp.whom[outcome]} {may && <span class="soft">{w.followUp.soFar(w.people(peopleOf(status.coverage, outcome)))}</span>}
                        </span>
                    </label>
                );
            })}
            {choice === 'all_alone' && (
                <p class="help" id="only-all">
                    {w.followUp.onlyAll(w.people(status.coverage.outstanding))}
                </p>
            )}
        </fieldset>
    );
}

function Narrowing({status, terms, change}: Choosing) {
    const w = useWords();
    return (
        <>
            <label for="channel">{w.followUp.channel}</label>
            <select id="channel" value={terms.channel} aria-describedby="how-channel" onChange={(e) => change({channel: e.currentTarget.value as Channel | ''})}>
                <option value="">{w.followUp.anyChannel}</option>
                {Object.keys(status.channels).map((channel) => (
                    <option key={channel} value={channel}>
                        {w.followUp.by(w.channel[channel] ?? channel)}
                    </option>
                ))}
            </select>
            <p class="help" id="how-channel">
                {w.followUp.channelHow}
            </p>
            {status.segments.length > 0 && (
                <>
                    <label for="segment">{w.followUp.segment}</label>
                    <select id="segment" value={terms.segment} onChange={(e) => change({segment: e.currentTarget.value})}>
                        <option value="">{w.followUp.anySegment}</option>
                        {status.segments.map((segment) => (
                            <option key={segment} value={segment}>
                                {w.approval.segments(segment)}
                            </option>
                        ))}
                    </select>
                </>
            )}
        </>
    );
}

/** What became of the freezing: the count is the answer, the digest and the position are its proof. */
function Frozen({upload}: {upload: Schemas['Upload']}) {
    const w = useWords();
    const people = upload.frozen?.people;
    if (upload.state === 'refused') {
        return (
            <div class="box alarm" role="alert">
                <p>{w.followUp.refused}</p>
                <p>
                    <Said>{upload.reason ?? ''}</Said>
                </p>
            </div>
        );
    }
    return (
        <>
            <p class="large" role="status">
                {people === undefined ? w.followUp.freezing : w.followUp.frozenNow(w.people(people))}
            </p>
            {people !== undefined && upload.state !== 'imported' && <p>{w.upload.importing(w.rows(upload.rows))}</p>}
            {upload.warnings.length > 0 && (
                <ul lang="en">
                    {upload.warnings.map((words) => (
                        <li key={words}>{words}</li>
                    ))}
                </ul>
            )}
            <FollowUpFacts of={upload.frozen ?? null} />
        </>
    );
}

function MadeFollowUp({made}: {made: Made}) {
    const w = useWords();
    const {api} = useConsole();
    const {id, upload} = made;
    const live = useLive((by) => api.get('/v1/campaigns/{id}/uploads/{upload}', {id, upload}, by), [api, id, upload]);
    return (
        <MadeOne title={w.followUp.made} made={made}>
            {live.stale && <Fresh moment={live.moment} stale />}
            {live.data === undefined ? live.trouble === undefined ? <Loading /> : <Trouble why={live.trouble} again={live.again} /> : <Frozen upload={live.data} />}
            <p>{w.followUp.then}</p>
            <a class="button main" href={fragmentOf({page: 'campaign', id})}>
                {w.followUp.next}
            </a>
        </MadeOne>
    );
}

function Builder({parent, done}: {parent: Status; done: (made: Made) => void}) {
    const w = useWords();
    const {api} = useConsole();
    const {id} = parent;
    const onlyAll = choiceOf(parent) === 'all_alone';
    const [terms, setTerms] = useState<Terms>({outcome: onlyAll ? 'all' : undefined, channel: '', segment: ''});
    const [asked, setAsked] = useState(nothingAsked);
    const [accept, setAccept] = useState(false);
    const [trouble, setTrouble] = useState<Refusal>();
    const [working, setWorking] = useState(false);
    const change = (next: Partial<typeof asked>) => setAsked((before) => ({...before, ...next}));
    const create = async (notice: FileList, outcome: Outcome) =>
        api.post('/v1/campaigns/{id}/follow-ups', {id}, {...(await bodyOf(asked, notice)), ...askedOf({...terms, outcome}, accept)} as New);
    const send = (event: Event) => {
        event.preventDefault();
        if (asked.notice === null || terms.outcome === undefined || working) {
            return;
        }
        setWorking(true);
        setTrouble(undefined);
        create(asked.notice, terms.outcome)
            .then(done, (why: unknown) => setTrouble(refusalOf(why)))
            .finally(() => setWorking(false));
    };
    const people = expected(parent.coverage, terms);
    const choosing = {status: parent, terms, change: (next: Partial<Terms>) => setTerms((before) => ({...before, ...next}))};
    return (
        <form onSubmit={send} class="narrow">
            <Outcomes {...choosing} />
            <Narrowing {...choosing} />
            <p role="status">{terms.outcome !== undefined && (people === undefined ? w.followUp.countedLater : w.followUp.wouldTell(w.people(people)))}</p>
            <NameField asked={asked} change={change} />
            <NoticeFields asked={asked} change={change} />
            {terms.outcome !== 'unreachable' && (
                <label class="tick">
                    <input type="checkbox" checked={accept} onChange={(e) => setAccept(e.currentTarget.checked)} />
                    <span>{w.upload.accept}</span>
                </label>
            )}
            <button type="submit" class="main" aria-disabled={working}>
                {w.followUp.go}
            </button>
            {trouble !== undefined && <Trouble why={trouble} />}
        </form>
    );
}

export function FollowUpPage({id}: {id: string}) {
    const w = useWords();
    const {api} = useConsole();
    const {data: parent, trouble, again} = useRead(() => api.get('/v1/campaigns/{id}', {id}), [api, id]);
    const [made, setMade] = useState<Made>();
    if (made !== undefined) {
        return <MadeFollowUp made={made} />;
    }
    if (parent === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    return (
        <>
            <Title>{w.followUp.build(parent.name)}</Title>
            <p>
                {w.followUp.what} <a class="back" href={fragmentOf({page: 'campaign', id})}>{w.back}</a>
            </p>
            {choiceOf(parent) === 'nobody' ? <p class="large">{w.followUp.neverLaunched}</p> : <Builder parent={parent} done={setMade} />}
        </>
    );
}
