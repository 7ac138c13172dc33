import type {Decided} from '../api/shapes';
import {fragmentOf} from '../core/route';
import {useConsole} from '../ui/console';
import {Said, Time, Title} from '../ui/parts';
import {RecordSection} from '../ui/record';
import {useWords} from '../words';

function Line({one, named}: {one: Decided; named: boolean}) {
    const w = useWords();
    return (
        <tr>
            <td>
                <Time at={one.time} />
            </td>
            {named && <td>{one.user}</td>}
            <td>
                {w.decisions.of[one.what]}
                {one.messages !== null && <span class="help">{w.messages(one.messages)}</span>}
            </td>
            <td>
                <a href={fragmentOf({page: 'campaign', id: one.campaign})}>{one.name === '' ? one.campaign : one.name}</a>
                <code class="help">{one.campaign}</code>
            </td>
            <td class="prose">
                <Said>{one.text}</Said>
            </td>
        </tr>
    );
}

function List({everybody}: {everybody: boolean}) {
    const w = useWords();
    const {api} = useConsole();
    return (
        <RecordSection
            words={everybody ? w.decisions.all : w.decisions.own}
            head={[
                [w.history.when, 'text'],
                ...(everybody ? ([[w.history.who, 'text']] as [string, 'text'][]) : []),
                [w.history.what, 'text'],
                [w.lookups.campaign, 'text'],
                [w.access.text, 'text'],
            ]}
            read={async (before) => {
                const {decisions, next} = await api.get('/v1/decisions', {}, 'person', everybody ? {...before, everybody: 'yes'} : before);
                return {items: decisions, next};
            }}
            line={(one: Decided) => <Line key={one.number} one={one} named={everybody} />}
        />
    );
}

export function DecisionsPage() {
    const w = useWords();
    const {roles} = useConsole();
    const decides = roles.includes('approver') || roles.includes('operator');
    return (
        <>
            <Title>{w.decisions.title}</Title>
            {decides && <List everybody={false} />}
            {roles.includes('auditor') && <List everybody />}
        </>
    );
}
