import {useState} from 'preact/hooks';
import type {Answer, Body, Refusal} from '../api/client';
import {base64, belongs, withZone} from '../core/notice_folder';
import {fragmentOf} from '../core/route';
import {refusalOf, useConsole, useRead} from '../ui/console';
import {Said, Time, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

type New = Body<'/v1/campaigns', 'post'>;
type Made = Answer<'/v1/campaigns', 'post'>;
const POLICIES = ['resend', 'hold', 'presume-sent'] as const;

async function noticeOf(picked: FileList): Promise<Record<string, string>> {
    const notice: Record<string, string> = {};
    for (const file of picked) {
        if (belongs({name: file.name, path: file.webkitRelativePath})) {
            notice[file.name] = base64(new Uint8Array(await file.arrayBuffer()));
        }
    }
    return notice;
}

function MadeOne({made}: {made: Made}) {
    const w = useWords();
    return (
        <div role="status">
            <Title>{w.create.made}</Title>
            <p>
                <code>{made.id}</code>
            </p>
            <p>
                {w.clock.deadline}: <Time at={made.deadline} />
                {made.deadline_basis !== '' && (
                    <span class="help">
                        <Said>{made.deadline_basis}</Said>
                    </span>
                )}
            </p>
            {made.warnings.length > 0 && (
                <div class="box watch">
                    <h2>{w.create.warnings}</h2>
                    <ul lang="en">
                        {made.warnings.map((words) => (
                            <li key={words}>{words}</li>
                        ))}
                    </ul>
                </div>
            )}
            <a class="button main" href={fragmentOf({page: 'campaign', id: made.id})}>
                {w.create.next}
            </a>
        </div>
    );
}

export function NewCampaignPage() {
    const w = useWords();
    const {api} = useConsole();
    const {data: known} = useRead(() => api.get('/v1/campaigns'), [api]);
    const [asked, setAsked] = useState({name: '', incident: '', deadline: '', inDoubt: 'resend' as (typeof POLICIES)[number]});
    const [notice, setNotice] = useState<FileList | null>(null);
    const [made, setMade] = useState<Made>();
    const [trouble, setTrouble] = useState<Refusal>();
    const [working, setWorking] = useState(false);
    if (made !== undefined) {
        return <MadeOne made={made} />;
    }
    const change = (next: Partial<typeof asked>) => setAsked((before) => ({...before, ...next}));
    const create = async (files: FileList): Promise<Made> => {
        const deadline = withZone(asked.deadline);
        // The api fills in what is absent; the types, made for answers too, would have every default given.
        const body = {
            name: asked.name,
            incident: asked.incident,
            in_doubt: asked.inDoubt,
            notice: await noticeOf(files),
            ...(deadline === undefined ? {} : {deadline}),
        } as New;
        return api.post('/v1/campaigns', {}, body);
    };
    const send = (event: Event) => {
        event.preventDefault();
        if (notice === null || working) {
            return;
        }
        setWorking(true);
        setTrouble(undefined);
        create(notice)
            .then(setMade, (why: unknown) => setTrouble(refusalOf(why)))
            .finally(() => setWorking(false));
    };
    const incidents = [...new Set((known ?? []).map((c) => c.incident))].filter((name) => name !== '');
    return (
        <form onSubmit={send} class="narrow">
            <Title>{w.create.title}</Title>
            <label for="name">{w.list.name}</label>
            <input id="name" required maxLength={200} value={asked.name} onInput={(e) => change({name: e.currentTarget.value})} />
            <label for="incident">{w.campaign.incident}</label>
            <input
                id="incident"
                list="incidents"
                maxLength={200}
                value={asked.incident}
                aria-describedby="how-incident"
                onInput={(e) => change({incident: e.currentTarget.value})}
            />
            <datalist id="incidents">
                {incidents.map((name) => (
                    <option key={name} value={name} />
                ))}
            </datalist>
            <p class="help" id="how-incident">
                {w.create.incident}
            </p>
            <label for="notice">{w.create.notice}</label>
            <input
                id="notice"
                type="file"
                required
                {...{webkitdirectory: true}}
                aria-describedby="how-notice"
                onChange={(e) => setNotice(e.currentTarget.files)}
            />
            <p class="help" id="how-notice">
                {w.create.noticeHow}
            </p>
            <label for="deadline">{w.create.deadline}</label>
            <input id="deadline" type="datetime-local" value={asked.deadline} aria-describedby="how-deadline" onInput={(e) => change({deadline: e.currentTarget.value})} />
            <p class="help" id="how-deadline">
                {w.create.deadlineHow}
            </p>
            <fieldset>
                <legend>{w.create.inDoubt}</legend>
                {POLICIES.map((policy) => (
                    <label key={policy} class="tick">
                        <input type="radio" name="in-doubt" checked={asked.inDoubt === policy} onChange={() => change({inDoubt: policy})} />
                        <span>{w.create.policy[policy]}</span>
                    </label>
                ))}
            </fieldset>
            <button type="submit" class="main" aria-disabled={working}>
                {w.create.go}
            </button>
            {trouble !== undefined && <Trouble why={trouble} />}
        </form>
    );
}
