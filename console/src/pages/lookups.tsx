import type {Look} from '../api/shapes';
import {fragmentOf} from '../core/route';
import {useConsole} from '../ui/console';
import {Numeral, Time} from '../ui/parts';
import {RecordPage} from '../ui/record';
import {useWords} from '../words';

function Line({look}: {look: Look}) {
    const w = useWords();
    return (
        <tr>
            <td>
                <Time at={look.time} />
            </td>
            <td>{look.user}</td>
            <td>{w.lookups.of[look.what]}</td>
            <td>
                <a href={fragmentOf({page: 'campaign', id: look.campaign})}>{look.campaign}</a>
            </td>
            <td>{look.recipient !== null && <code title={look.recipient}>{look.recipient.slice(0, 12)}</code>}</td>
            <Numeral of={look.people} />
            <td>{look.reason}</td>
            <td>{look.case}</td>
            <td>{look.from}</td>
        </tr>
    );
}

export function LookupsPage() {
    const w = useWords();
    const {api} = useConsole();
    return (
        <RecordPage
            words={w.lookups}
            head={[
                [w.person.when, 'text'],
                [w.history.who, 'text'],
                [w.lookups.at, 'text'],
                [w.lookups.campaign, 'text'],
                [w.lookups.recipient, 'text'],
                [w.waves.people, 'number'],
                [w.person.reason, 'text'],
                [w.person.case, 'text'],
                [w.lookups.from, 'text'],
            ]}
            read={async (before) => {
                const {lookups, next} = await api.get('/v1/lookups', {}, 'person', before);
                return {items: lookups, next};
            }}
            line={(look) => <Line key={look.number} look={look} />}
        />
    );
}
