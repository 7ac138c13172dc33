import {useState} from 'preact/hooks';
import type {Api, Refusal} from '../api/client';
import type {Session} from '../api/shapes';
import {refusalOf} from '../ui/console';
import {Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

interface Given {
    api: Api;
    /** A session was there, and ended. */
    over: boolean;
    /** Of a code that came with the address. */
    trouble?: Refusal;
    done: (s: Session) => void;
}

export function SignIn({api, over, trouble: before, done}: Given) {
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
            <p>{w.signIn.how}</p>
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
