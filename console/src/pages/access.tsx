import type {Schemas} from '../api/client';
import {useConsole} from '../ui/console';
import {Numeral, Said, Time} from '../ui/parts';
import {RecordPage} from '../ui/record';
import {useWords} from '../words';

type Event = Schemas['AccessEvents']['events'][number];

function Line({event}: {event: Event}) {
    const w = useWords();
    return (
        <tr>
            <td>
                <Time at={event.time} />
            </td>
            <td>{event.user ?? ''}</td>
            <td class="brief">{w.access.of[event.what]}</td>
            <td>{event.about ?? ''}</td>
            <td class="prose">
                <Said>{event.text}</Said>
            </td>
            <td>{event.from ?? ''}</td>
            <Numeral of={event.times} />
        </tr>
    );
}

export function AccessPage() {
    const w = useWords();
    const {api} = useConsole();
    return (
        <RecordPage
            words={w.access}
            head={[
                [w.history.when, 'text'],
                [w.history.who, 'text'],
                [w.history.what, 'text'],
                [w.access.about, 'text'],
                [w.access.text, 'text'],
                [w.lookups.from, 'text'],
                [w.doubts.times, 'number'],
            ]}
            read={async (before) => {
                const {events, next} = await api.get('/v1/users/events', {}, 'person', before);
                return {items: events, next};
            }}
            line={(event) => <Line key={event.number} event={event} />}
        />
    );
}
