import {useState} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {Approval, Finding} from '../api/shapes';
import {missing, sumsOf, toTakeOn, type Missing, type Ticks} from '../core/approval';
import {fragmentOf} from '../core/route';
import {refusalOf, useConsole, useRead} from '../ui/console';
import {FollowUpFacts} from '../ui/follow_up';
import {Loading, Numeral, Said, Section, Table, Title, Trouble} from '../ui/parts';
import {Texts} from '../ui/texts';
import {useWords, type Words} from '../words';

function audienceWords(a: Approval, w: Words): string {
    const sums = sumsOf(a.waves);
    return w.approval.sum(w.people(sums.people), w.rows(sums.rows), w.approval.wavesOf(sums.waves));
}

function Audience({a}: {a: Approval}) {
    const w = useWords();
    const channels = [...new Set(a.waves.flatMap((wave) => Object.keys(wave.addresses)))];
    return (
        <Section title={w.approval.audience}>
            <p class="large">{audienceWords(a, w)}</p>
            <Table
                label={w.approval.audience}
                head={[
                    [w.waves.wave, 'number'],
                    [w.waves.rows, 'number'],
                    [w.waves.rejected, 'number'],
                    [w.waves.people, 'number'],
                    [w.waves.unreachable, 'number'],
                    ...channels.map((channel): [string, 'number'] => [w.channel[channel] ?? channel, 'number']),
                ]}
            >
                {a.waves.map((wave) => (
                    <tr key={wave.wave}>
                        <th scope="row" class="number">
                            {wave.wave}
                        </th>
                        <Numeral of={wave.rows} />
                        <Numeral of={wave.rejected} />
                        <Numeral of={wave.recipients} />
                        <Numeral of={wave.unreachable} />
                        {channels.map((channel) => (
                            <Numeral key={channel} of={wave.addresses[channel] ?? 0} />
                        ))}
                    </tr>
                ))}
            </Table>
            <p class="help">{w.approval.beforeShared}</p>
        </Section>
    );
}

interface Ticking {
    ticks: Ticks;
    change: (next: Partial<Ticks>) => void;
    /** May approve: else nothing is ticked. */
    may: boolean;
}

function toggled(set: ReadonlySet<string>, one: string, there: boolean): ReadonlySet<string> {
    const next = new Set(set);
    there ? next.add(one) : next.delete(one);
    return next;
}

function FindingLine({f}: {f: Finding}) {
    const w = useWords();
    return (
        <li>
            <strong>{w.approval.severity[f.severity] ?? f.severity}</strong> <code>{f.rule}</code>{' '}
            <code>
                {f.file}:{f.line}
            </code>
            <br />
            <Said>{f.reason}</Said>
            {f.mend !== '' && (
                <span class="help">
                    <Said>{f.mend}</Said>
                </span>
            )}
            {f.accepted !== null && <span class="help">{w.approval.acceptedBefore(f.accepted)}</span>}
        </li>
    );
}

function Findings({a, ticks, change, may}: {a: Approval} & Ticking) {
    const w = useWords();
    const open = toTakeOn(a.findings);
    return (
        <Section title={w.approval.findings}>
            {a.findings.length === 0 ? (
                <p>{w.approval.noFindings}</p>
            ) : (
                <ul class="findings">
                    {a.findings.map((f, i) => (
                        <FindingLine key={i} f={f} />
                    ))}
                </ul>
            )}
            {may &&
                open.map((f) => (
                    <label key={f.rule} class="tick">
                        <input
                            type="checkbox"
                            checked={ticks.taken.has(f.rule)}
                            onChange={(e) => change({taken: toggled(ticks.taken, f.rule, e.currentTarget.checked)})}
                        />
                        <span>{w.approval.takeOn(f.rule)}</span>
                    </label>
                ))}
            {may && open.length > 0 && (
                <p>
                    <label for="reason">{w.approval.reason}</label>
                    <textarea
                        id="reason"
                        rows={2}
                        maxLength={500}
                        value={ticks.reason}
                        onInput={(e) => change({reason: e.currentTarget.value})}
                    />
                </p>
            )}
        </Section>
    );
}

function missingWords(one: Missing, w: Words): string {
    return one.what === 'reason' ? w.approval.missing.reason : w.approval.missing[one.what](one.count);
}

function Decision({a, ticks, approve}: {a: Approval; ticks: Ticks; approve: () => void}) {
    const w = useWords();
    const still = missing(a, ticks);
    return (
        <>
            <p>{w.approval.binds}</p>
            <p>
                {w.approval.digest} <code class="long">{a.digest}</code>
            </p>
            <p id="missing" role="status">
                {still.length > 0 && w.approval.stillMissing(still.map((one) => missingWords(one, w)).join('; '))}
            </p>
            <button
                type="button"
                class="main large"
                aria-disabled={still.length > 0}
                aria-describedby="missing"
                onClick={() => still.length === 0 && approve()}
            >
                {w.approval.approve(audienceWords(a, w))}
            </button>
        </>
    );
}

export function ApprovalPage({id}: {id: string}) {
    const w = useWords();
    const {api, acts} = useConsole();
    const approves = acts.includes('approver');
    const nothing: Ticks = {read: new Set(), taken: new Set(), reason: ''};
    const {data: a, trouble, again} = useRead(() => api.get('/v1/campaigns/{id}/approval', {id}), [api, id]);
    const [ticks, setTicks] = useState(nothing);
    const [answer, setAnswer] = useState<'approved' | Refusal>();
    const back = <a class="back" href={fragmentOf({page: 'campaign', id})}>{w.back}</a>;
    if (answer === 'approved') {
        return (
            <div role="status">
                <Title>{w.approval.title(a?.name ?? id)}</Title>
                <p class="large">{w.approval.approved}</p>
                {back}
            </div>
        );
    }
    if (a === undefined) {
        return (
            <>
                {trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />}
                {back}
            </>
        );
    }
    const may = approves && a.refusal === null;
    const change = (next: Partial<Ticks>) => setTicks((before) => ({...before, ...next}));
    // Exactly the digests that were shown go back: what has changed meanwhile is refused, and named.
    const approve = () => {
        setAnswer(undefined);
        const accept = toTakeOn(a.findings).map((f) => f.rule);
        api.post('/v1/campaigns/{id}/approve', {id}, {seen: a.seen, accept, reason: ticks.reason}).then(
            () => setAnswer('approved'),
            (why: unknown) => setAnswer(refusalOf(why)),
        );
    };
    const lookAgain = () => {
        setTicks(nothing);
        setAnswer(undefined);
        again();
    };
    return (
        <>
            <Title>{approves ? w.approval.title(a.name) : w.approval.toRead(a.name)}</Title>
            <p>
                {w.approval.by(a.creator)} {back}
            </p>
            {!may && approves && (
                <div class="box watch">
                    <p>{w.approval.mayNot}</p>
                    <p>
                        <Said>{a.refusal}</Said>
                    </p>
                </div>
            )}
            <FollowUpFacts of={a.follow_up} />
            <Audience a={a} />
            <Findings a={a} ticks={ticks} change={change} may={may} />
            <Section title={w.approval.texts}>
                <p>
                    {w.approval.textsHow} {may && w.approval.textsTick}
                </p>
                <Texts
                    id={id}
                    texts={a.texts}
                    read={ticks.read}
                    tick={may ? (sha256, read) => change({read: toggled(ticks.read, sha256, read)}) : undefined}
                />
            </Section>
            {may && (
                <Section title={w.approval.decide}>
                    <Decision a={a} ticks={ticks} approve={approve} />
                    {answer !== undefined && (
                        <>
                            <p>{w.approval.changed}</p>
                            <Trouble why={answer} />
                            <button type="button" onClick={lookAgain}>
                                {w.approval.lookAgain}
                            </button>
                        </>
                    )}
                </Section>
            )}
        </>
    );
}
