// A file of people on its way: how much has gone, what was taken, and what was rejected and why.

import {useEffect, useState} from 'preact/hooks';
import {target, type Refusal, type Schemas} from '../api/client';
import {reasonsOf, type Reason} from '../core/rejects';
import {useWords} from '../words';
import {refusalOf, useConsole} from './console';
import {Numeral, Said, Section, Table, Trouble} from './parts';

type Upload = Schemas['Upload'];
const every = 1_000;
const shown = 50;

function Rejects({id, upload}: {id: string; upload: Upload}) {
    const w = useWords();
    const {api} = useConsole();
    const [reasons, setReasons] = useState<Reason[]>([]);
    const places = {id, upload: upload.upload};
    useEffect(() => {
        api.text('/v1/campaigns/{id}/uploads/{upload}/rejects', places).then(
            (csv) => setReasons(reasonsOf(csv)),
            () => setReasons([]), // the file can be fetched all the same
        );
    }, [api, id, upload.upload]);
    return (
        <>
            {reasons.length > 0 && (
                <Table
                    label={w.upload.rejects}
                    head={[
                        [w.upload.count, 'number'],
                        [w.upload.column, 'text'],
                        [w.upload.reason, 'text'],
                        [w.upload.effect, 'text'],
                        [w.upload.firstLine, 'number'],
                    ]}
                >
                    {reasons.slice(0, shown).map((r) => (
                        <tr key={JSON.stringify([r.column, r.reason, r.effect])}>
                            <Numeral of={r.count} />
                            <td lang="en">{r.column}</td>
                            <td lang="en">{r.reason}</td>
                            <td lang="en">{r.effect}</td>
                            <td class="number">{r.firstLine}</td>
                        </tr>
                    ))}
                </Table>
            )}
            <p>
                <a href={target('/v1/campaigns/{id}/uploads/{upload}/rejects', places)} download={`${id}-${upload.upload}-rejects.csv`}>
                    {w.upload.download}
                </a>
            </p>
        </>
    );
}

function Outcome({id, upload}: {id: string; upload: Upload}) {
    const w = useWords();
    if (upload.state === 'refused') {
        return (
            <div class="box alarm" role="alert">
                <p>{w.upload.refused}</p>
                <p>
                    <Said>{upload.reason ?? ''}</Said>
                </p>
            </div>
        );
    }
    return (
        <>
            <p role="status">
                {upload.state === 'imported' ? w.upload.imported(w.rows(upload.rows), w.number(upload.rejected)) : w.upload.importing(w.rows(upload.rows))}
            </p>
            {upload.warnings.length > 0 && (
                <ul lang="en">
                    {upload.warnings.map((words) => (
                        <li key={words}>{words}</li>
                    ))}
                </ul>
            )}
            {upload.columns.length > 0 && (
                <p>
                    {w.upload.columns}: <Said>{upload.columns.map((c) => `${c.name} → ${c.use}`).join(', ')}</Said>
                </p>
            )}
            {upload.has_rejects && <Rejects id={id} upload={upload} />}
        </>
    );
}

type Going = {kind: 'idle'} | {kind: 'sending'; sent: number; of: number} | {kind: 'failed'; why: Refusal} | {kind: 'stored'; upload: Upload};

export function AddWave({id, imported}: {id: string; imported: () => void}) {
    const w = useWords();
    const {api} = useConsole();
    const [file, setFile] = useState<File>();
    const [accepts, setAccepts] = useState(false);
    const [going, setGoing] = useState<Going>({kind: 'idle'});
    useEffect(() => {
        const state = going.kind === 'stored' ? going.upload.state : '';
        if (going.kind !== 'stored' || (state !== 'receiving' && state !== 'importing')) {
            return;
        }
        const look = () =>
            api.get('/v1/campaigns/{id}/uploads/{upload}', {id, upload: going.upload.upload}, 'page').then(
                (upload) => {
                    setGoing({kind: 'stored', upload});
                    if (upload.state === 'imported') {
                        imported();
                    }
                },
                () => setGoing({...going}), // asked again
            );
        const timer = window.setTimeout(look, every);
        return () => window.clearTimeout(timer);
    }, [api, id, going]);
    const send = (event: Event) => {
        event.preventDefault();
        if (file === undefined || going.kind === 'sending') {
            return;
        }
        setGoing({kind: 'sending', sent: 0, of: file.size});
        const format = /\.(ndjson|jsonl)(\.(gz|zst))?$/i.test(file.name) ? 'ndjson' : 'csv';
        api.upload(`${target('/v1/campaigns/{id}/uploads', {id})}?format=${format}${accepts ? '&accept_unreachable=true' : ''}`, file, (sent) =>
            setGoing({kind: 'sending', sent, of: file.size}),
        ).then(
            (upload) => setGoing({kind: 'stored', upload}),
            (why: unknown) => setGoing({kind: 'failed', why: refusalOf(why)}),
        );
    };
    return (
        <Section title={w.upload.title}>
            <form onSubmit={send} class="narrow">
                <label for="people">{w.upload.file}</label>
                <input id="people" type="file" required aria-describedby="how-people" onChange={(e) => setFile(e.currentTarget.files?.[0])} />
                <p class="help" id="how-people">
                    {w.upload.how}
                </p>
                <label class="tick">
                    <input type="checkbox" checked={accepts} onChange={(e) => setAccepts(e.currentTarget.checked)} />
                    <span>{w.upload.accept}</span>
                </label>
                <button type="submit" aria-disabled={going.kind === 'sending'}>
                    {w.upload.go}
                </button>
            </form>
            {going.kind === 'sending' && (
                <p>
                    <progress value={going.sent} max={Math.max(1, going.of)} aria-label={w.upload.progress} /> {w.number(Math.floor((100 * going.sent) / Math.max(1, going.of)))} %
                </p>
            )}
            {going.kind === 'failed' && <Trouble why={going.why} />}
            {going.kind === 'stored' && <Outcome id={id} upload={going.upload} />}
        </Section>
    );
}
