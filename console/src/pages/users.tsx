import {useState} from 'preact/hooks';
import type {Refusal} from '../api/client';
import type {KnownUser, NewToken, Role, Token} from '../api/shapes';
import {mayChangeUsers, mayRevokeUsers} from '../core/rights';
import {refusalOf, useConsole, useRead} from '../ui/console';
import {Loading, Section, Table, Time, Title, Trouble} from '../ui/parts';
import {bodyOf, RolesField, ToldOnce, TokenFields, usualWish, type TokenWish} from '../ui/user_fields';
import {Asking, type Answers, type Question} from '../ui/user_questions';
import {exact, rolesIn, useWords} from '../words';

type Ask = (question: Question) => void;

function Tokens({user, revokes, ask}: {user: KnownUser; revokes: boolean; ask: Ask}) {
    const w = useWords();
    const line = (token: Token) => {
        const scope = (token.scope ?? []).map((word) => (word === 'read' ? w.users.reads : w.role[word])).join(', ');
        const until = token.expires === null ? w.users.forEver : w.users.until(exact(token.expires, w));
        return (
            <li key={token.number}>
                {w.users.token(String(token.number))}
                {scope !== '' && ` (${scope})`}
                <span class="help">
                    {until} {w.users.madeBy(token.made_by)}
                </span>
                {revokes && !user.from_file && (
                    <button type="button" class="plain grave" onClick={() => ask({about: 'end', user, token})}>
                        {w.users.end}
                        <span class="unseen"> {token.number}</span>
                    </button>
                )}
            </li>
        );
    };
    return user.tokens.length === 0 ? <>{user.sign_on ? '' : w.users.noTokens}</> : <ul class="plain">{user.tokens.map(line)}</ul>;
}

function Actions({user, ask}: {user: KnownUser; ask: Ask}) {
    const w = useWords();
    const {session, acts} = useConsole();
    const changes = mayChangeUsers(acts) && !user.from_file && !user.sign_on;
    const named = <span class="unseen"> {user.user}</span>;
    return (
        <div class="buttons">
            {changes && user.user !== session.user && (
                <button type="button" onClick={() => ask({about: 'roles', user})}>
                    {w.users.change}
                    {named}
                </button>
            )}
            {changes && (
                <button type="button" onClick={() => ask({about: 'token', user})}>
                    {w.users.another}
                    {named}
                </button>
            )}
            {mayRevokeUsers(acts) && (
                <button type="button" class="grave" onClick={() => ask({about: 'user', user})}>
                    {w.users.revoke}
                    {named}
                </button>
            )}
        </div>
    );
}

function Known({users, ask}: {users: readonly KnownUser[]; ask: Ask}) {
    const w = useWords();
    const {acts} = useConsole();
    const revokes = mayRevokeUsers(acts);
    return (
        <Table
            label={w.users.title}
            head={[
                [w.users.name, 'text'],
                [w.users.roles, 'text'],
                [w.users.tokens, 'text'],
                ...(revokes ? ([[w.users.actions, 'text']] as [string, 'text'][]) : []),
            ]}
        >
            {users.map((user) => (
                <tr key={user.user}>
                    <th scope="row" class="text">
                        {user.user}
                        <span class="help">
                            {user.from_file ? w.users.ofFile : user.sign_on ? w.users.ofSignOn : w.users.addedBy(user.added_by)} <Time at={user.added} />
                        </span>
                    </th>
                    <td>{rolesIn(user.roles, w)}</td>
                    <td>
                        <Tokens user={user} revokes={revokes} ask={ask} />
                    </td>
                    {revokes && (
                        <td>
                            <Actions user={user} ask={ask} />
                        </td>
                    )}
                </tr>
            ))}
        </Table>
    );
}

function Add({add}: {add: (user: string, roles: Role[], wish: TokenWish) => Promise<boolean>}) {
    const w = useWords();
    const [user, setUser] = useState('');
    const [roles, setRoles] = useState<Role[]>([]);
    const [wish, setWish] = useState(usualWish);
    const [lacking, setLacking] = useState(false);
    const send = async (event: Event) => {
        event.preventDefault();
        setLacking(roles.length === 0);
        if (roles.length > 0 && (await add(user, roles, wish))) {
            setUser('');
            setRoles([]);
            setWish(usualWish);
        }
    };
    return (
        <Section title={w.users.add}>
            <form class="narrow" onSubmit={(event) => void send(event)}>
                <label for="new-user">{w.users.name}</label>
                <input
                    id="new-user"
                    required
                    maxLength={64}
                    pattern="[a-z0-9][a-z0-9._@\-]*"
                    autocomplete="off"
                    spellcheck={false}
                    value={user}
                    onInput={(e) => setUser(e.currentTarget.value)}
                    aria-describedby="how-new-user"
                />
                <p class="help" id="how-new-user">
                    {w.users.nameHow}
                </p>
                <RolesField chosen={roles} change={setRoles} />
                {lacking && roles.length === 0 && <p role="alert">{w.users.noRoles}</p>}
                <TokenFields wish={wish} change={(next) => setWish((had) => ({...had, ...next}))} />
                <button type="submit" class="main">
                    {w.users.letIn}
                </button>
            </form>
        </Section>
    );
}

export function UsersPage() {
    const w = useWords();
    const {api, acts} = useConsole();
    const {data, trouble, again} = useRead(() => api.get('/v1/users'), [api]);
    const [question, setQuestion] = useState<Question>();
    const [told, setTold] = useState<NewToken>();
    const [done, setDone] = useState('');
    const [refused, setRefused] = useState<Refusal>();
    /** Says what came of a change, and reads the list anew. */
    const change = async <T,>(asked: Promise<T>, taken: (answer: T) => void): Promise<boolean> => {
        setQuestion(undefined);
        setRefused(undefined);
        setDone('');
        try {
            taken(await asked);
            return true;
        } catch (why) {
            setRefused(refusalOf(why));
            return false;
        } finally {
            again();
        }
    };
    const answers: Answers = {
        roles: (user, roles) => void change(api.post('/v1/users/{user}/roles', {user}, {roles}), (now) => setDone(w.users.changed(user, rolesIn(now.roles, w)))),
        token: (user, wish) => void change(api.post('/v1/users/{user}/tokens', {user}, bodyOf(wish)), setTold),
        revoke: (user, token) =>
            void change(api.post('/v1/users/{user}/revoke', {user}, token === undefined ? undefined : {token}), () =>
                setDone(token === undefined ? w.users.revoked(user) : w.users.ended(user, String(token))),
            ),
        no: () => setQuestion(undefined),
    };
    const add = (user: string, roles: Role[], wish: TokenWish) => change(api.post('/v1/users', {}, {user, roles, ...bodyOf(wish)}), setTold);
    return (
        <>
            <Title>{w.users.title}</Title>
            <p>{w.users.what}</p>
            <p role="status">{done}</p>
            {refused !== undefined && <Trouble why={refused} />}
            {told !== undefined && <ToldOnce told={told} forget={() => setTold(undefined)} />}
            {data === undefined ? trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} /> : <Known users={data} ask={setQuestion} />}
            {mayChangeUsers(acts) && <Add add={add} />}
            {question !== undefined && <Asking question={question} answers={answers} />}
        </>
    );
}
