import {useState} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {OpenSession} from '../api/shapes';
import {refusalOf, useConsole} from '../ui/console';
import {Dialog, Time, Title, Trouble} from '../ui/parts';
import {RecordSection} from '../ui/record';
import {exact, useWords} from '../words';

/** An address below a time. */
function From({address, other}: {address: string | null; other?: boolean}) {
    const w = useWords();
    return address === null ? null : (
        <span class="help">
            {address}
            {other && ` (${w.sessions.moved})`}
        </span>
    );
}

interface Drawn {
    one: OpenSession;
    named: boolean;
    over: boolean;
    /** Nothing with a session that only reads. */
    end: (() => void) | undefined;
}

function Line({one, named, over, end}: Drawn) {
    const w = useWords();
    return (
        <tr>
            <th scope="row" class="number">
                {one.number}
            </th>
            {named && <td>{one.user}</td>}
            <td>
                {one.how === 'code' ? w.sessions.byToken(String(one.token)) : w.sessions.bySignOn}
                {one.current && <strong class="help">{w.sessions.here}</strong>}
            </td>
            <td>
                <Time at={one.opened} />
                <From address={one.from} />
            </td>
            <td>
                <Time at={one.seen} />
                <From address={one.seen_from} other={one.from !== null && one.seen_from !== one.from} />
            </td>
            <td>
                <Time at={one.ends} />
            </td>
            <td class="brief">
                {over
                    ? w.sessions.over
                    : end !== undefined && (
                          <button type="button" class="grave" onClick={end}>
                              {w.sessions.end}
                              <span class="unseen"> {one.number}</span>
                          </button>
                      )}
            </td>
        </tr>
    );
}

interface Listed {
    everybody: boolean;
    over: ReadonlySet<number>;
    ask: ((one: OpenSession) => void) | undefined;
}

function List({everybody, over, ask}: Listed) {
    const w = useWords();
    const {api} = useConsole();
    return (
        <RecordSection
            words={everybody ? w.sessions.all : w.sessions.own}
            head={[
                [w.sessions.number, 'number'],
                ...(everybody ? ([[w.history.who, 'text']] as [string, 'text'][]) : []),
                [w.sessions.how, 'text'],
                [w.sessions.opened, 'text'],
                [w.sessions.seen, 'text'],
                [w.sessions.ends, 'text'],
                [w.sessions.action, 'text'],
            ]}
            read={async (before) => {
                const {sessions, next} = await api.get('/v1/sessions', {}, 'person', everybody ? {...before, everybody: 'yes'} : before);
                return {items: sessions, next};
            }}
            line={(one: OpenSession) => (
                <Line key={one.number} one={one} named={everybody} over={over.has(one.number)} end={ask === undefined ? undefined : () => ask(one)} />
            )}
        />
    );
}

export function SessionsPage() {
    const w = useWords();
    const {api, roles, acts} = useConsole();
    const [asked, setAsked] = useState<OpenSession>();
    const [over, setOver] = useState<ReadonlySet<number>>(new Set());
    const [turn, setTurn] = useState(0);
    const [done, setDone] = useState('');
    const [trouble, setTrouble] = useState<Refusal>();
    const end = (one: OpenSession) => {
        setAsked(undefined);
        setTrouble(undefined);
        api.delete('/v1/sessions/{session}', {session: one.number}).then(
            () => {
                setOver((had) => new Set([...had, one.number]));
                setDone(w.sessions.done(String(one.number)));
                if (one.current) {
                    setTurn((t) => t + 1); // what is read now is refused, and leads to the sign-in
                }
            },
            (why: unknown) => setTrouble(refusalOf(why)),
        );
    };
    const ask = acts.length > 0 ? setAsked : undefined;
    return (
        <>
            <Title>{w.sessions.title}</Title>
            <p role="status">{done}</p>
            {trouble !== undefined && <Trouble why={trouble} />}
            <List key={`own ${turn}`} everybody={false} over={over} ask={ask} />
            {roles.includes('administrator') && <List key={`all ${turn}`} everybody over={over} ask={ask} />}
            {asked !== undefined && (
                <Dialog title={w.sessions.ask} yes={w.sessions.do} no={w.sessions.keep} grave onYes={() => end(asked)} onNo={() => setAsked(undefined)}>
                    <p>{w.sessions.is(asked.user, exact(asked.opened, w))}</p>
                    <p>{asked.current ? w.sessions.endsHere : w.sessions.then}</p>
                </Dialog>
            )}
        </>
    );
}
