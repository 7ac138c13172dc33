import {useState} from 'preact/hooks';
import type {Api, Refusal} from '../api/client';
import type {Session} from '../api/shapes';
import {refusalOf} from '../ui/console';
import type {SignOnTrouble} from '../core/route';
import {SignOnLink, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

interface Given {
    api: Api;
    /** A session was there, and ended. */
    over: boolean;
    /** Of a code that came with the address. */
    trouble?: Refusal;
    /** The provider's answer let nobody in. */
    refused?: SignOnTrouble | undefined;
    /** Where one signs on with the organisation's provider; empty where there is none. */
    signOn: string;
    done: (s: Session) => void;
}

export function SignIn({api, over, trouble: before, refused, signOn, done}: Given) {
    const w = useWords();
    const [code, setCode] = useState('');
    const [trouble, setTrouble] = useState(before);
    const send = (event: Event) => {
        event.preventDefault();
        api.post('/v1/session', {}, {code: code.trim().replace(/^.*#code=/, '')}).then(done, (why: unknown) =>
            setTrouble(refusalOf(why)),
        );
    };
    return (
        <div class="narrow">
            <Title>{w.signIn.title}</Title>
            {over && <p role="status">{w.signIn.over}</p>}
            {refused !== undefined && (
                <div class="box alarm" role="alert">
                    <p>{w.signOnTrouble[refused]}</p>
                </div>
            )}
            {signOn !== '' && <SignOnLink where={signOn} words={w.signIn.withProvider} />}
            <p>{signOn === '' ? w.signIn.how : w.signIn.orHow}</p>
            <pre class="command">{w.signIn.command}</pre>
            <form onSubmit={send}>
                <p id="how-code">{w.signIn.orCode}</p>
                <label for="code">{w.signIn.code}</label>
                <input
                    id="code"
                    value={code}
                    onInput={(e) => setCode(e.currentTarget.value)}
                    aria-describedby="how-code"
                    autocomplete="off"
                    spellcheck={false}
                    required
                />
                <button type="submit" class="main">
                    {w.signIn.go}
                </button>
            </form>
            {trouble !== undefined && <Trouble why={trouble} />}
        </div>
    );
}
