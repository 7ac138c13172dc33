import {useState} from 'preact/hooks';
import type {Answer, Body, Refusal} from '../api/client';
import {fragmentOf} from '../core/route';
import {bodyOf, MadeOne, NameField, nothingAsked, NoticeFields} from '../ui/campaign_fields';
import {refusalOf, useConsole, useRead} from '../ui/console';
import {Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

type New = Body<'/v1/campaigns', 'post'>;
type Made = Answer<'/v1/campaigns', 'post'>;

function IncidentField({value, change, known}: {value: string; change: (incident: string) => void; known: readonly string[]}) {
    const w = useWords();
    return (
        <>
            <label for="incident">{w.campaign.incident}</label>
            <input id="incident" list="incidents" maxLength={200} value={value} aria-describedby="how-incident" onInput={(e) => change(e.currentTarget.value)} />
            <datalist id="incidents">
                {known.map((name) => (
                    <option key={name} value={name} />
                ))}
            </datalist>
            <p class="help" id="how-incident">
                {w.create.incident}
            </p>
        </>
    );
}

export function NewCampaignPage() {
    const w = useWords();
    const {api} = useConsole();
    const {data: known} = useRead(() => api.get('/v1/campaigns'), [api]);
    const [asked, setAsked] = useState(nothingAsked);
    const [incident, setIncident] = useState('');
    const [made, setMade] = useState<Made>();
    const [trouble, setTrouble] = useState<Refusal>();
    const [working, setWorking] = useState(false);
    if (made !== undefined) {
        return (
            <MadeOne title={w.create.made} made={made}>
                <a class="button main" href={fragmentOf({page: 'campaign', id: made.id})}>
                    {w.create.next}
                </a>
            </MadeOne>
        );
    }
    const change = (next: Partial<typeof asked>) => setAsked((before) => ({...before, ...next}));
    // The types, made for answers too, would have every default given.
    const create = async (notice: FileList) => api.post('/v1/campaigns', {}, {...(await bodyOf(asked, notice)), incident} as New);
    const send = (event: Event) => {
        event.preventDefault();
        if (asked.notice === null || working) {
            return;
        }
        setWorking(true);
        setTrouble(undefined);
        create(asked.notice)
            .then(setMade, (why: unknown) => setTrouble(refusalOf(why)))
            .finally(() => setWorking(false));
    };
    const incidents = [...new Set((known ?? []).map((c) => c.incident))].filter((name) => name !== '');
    return (
        <form onSubmit={send} class="narrow">
            <Title>{w.create.title}</Title>
            <NameField asked={asked} change={change} />
            <IncidentField value={incident} change={setIncident} known={incidents} />
            <NoticeFields asked={asked} change={change} />
            <button type="submit" class="main" aria-disabled={working}>
                {w.create.go}
            </button>
            {trouble !== undefined && <Trouble why={trouble} />}
        </form>
    );
}
